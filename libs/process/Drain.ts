import { Effect, Option, Result, Schema } from "effect"
import type { Bucket } from "#bus/Bucket.ts"
import type { BusUnavailable, PublishError } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { type Drain, DrainCodec } from "#ecs-core/Drain.ts"

/** Key of the drain in the bucket `fleet-meta`. */
export const DRAIN_KEY = "drain"

/** The value under the key was not written by us; until it is replaced nobody knows whether the fleet drains. */
export class DrainUnreadable extends Schema.TaggedError<DrainUnreadable>()("DrainUnreadable", {
  why: Schema.String
}) {
  override get message() {
    return `The key ${DRAIN_KEY} of fleet-meta cannot be read, so that nothing is launched: ${this.why}. Write it anew: fleet drain --end`
  }
}

/** The last drain, by a leader read; undefined = there was none. */
export const readDrain = (meta: Bucket): Effect.Effect<Drain | undefined, BusUnavailable | DrainUnreadable> =>
  Effect.flatMap(
    meta.get(DRAIN_KEY),
    Option.match({
      onNone: () => Effect.undefined,
      onSome: ({ value }) =>
        Result.match(DrainCodec.decode(text({ data: value })), {
          onFailure: ({ message }) => Effect.fail(new DrainUnreadable({ why: message })),
          onSuccess: (drain) => Effect.succeed(drain)
        })
    })
  )

/**
 * Changes the drain by compare-and-set, and answers what is there now. What cannot be read counts as a drain that is
 * not there. A change that gives the same value writes nothing.
 */
export const changeDrain = (
  meta: Bucket,
  change: (drain: Drain | undefined) => Drain | undefined
): Effect.Effect<Drain | undefined, PublishError> =>
  Effect.gen(function* () {
    const entry = Option.getOrUndefined(yield* meta.get(DRAIN_KEY))
    const kept = entry === undefined ? undefined : Option.getOrUndefined(decoded(entry.value))
    const next = change(kept)
    const isBroken = entry !== undefined && kept === undefined
    if (next === undefined) return isBroken ? yield* Effect.as(meta.delete(DRAIN_KEY), next) : next
    if (next === kept) return next
    const value = DrainCodec.encode(next)
    yield* entry === undefined ? meta.create(DRAIN_KEY, value) : meta.update(DRAIN_KEY, value, entry.revision)
    return next
  }).pipe(
    Effect.catchTags({
      KeyExists: () => changeDrain(meta, change),
      RevisionConflict: () => changeDrain(meta, change)
    })
  )

const decoded = (value: Uint8Array) => Result.getSuccess(DrainCodec.decode(text({ data: value })))
