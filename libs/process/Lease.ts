import { Clock, Effect, Option, Random } from "effect"
import type { Bucket } from "#bus/Bucket.ts"
import type { PublishError } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"

/**
 * A key that one process holds at a time, for work that one replica is enough for. Whoever holds it renews it; one that
 * was not renewed for its time is taken over. It spares work and guards nothing: clocks differ and processes freeze, so
 * that two may hold it for a moment, and what is done under it must bear that.
 */

/** A name for this process among its replicas. */
export const newOwner: Effect.Effect<string> = Effect.map(Random.nextInt, (number) => Math.abs(number).toString(36))

/** Takes the lease, or renews it; false = another process holds it. */
export const holdLease = (
  bucket: Bucket,
  key: string,
  owner: string,
  seconds: number
): Effect.Effect<boolean, PublishError> =>
  Effect.gen(function* () {
    const held = yield* bucket.get(key)
    if (Option.isNone(held)) return yield* Effect.as(bucket.create(key, owner), true)
    const age = (yield* Clock.currentTimeMillis) - held.value.time
    if (text({ data: held.value.value }) !== owner && age < seconds * 1000) return false
    return yield* Effect.as(bucket.update(key, owner, held.value.revision), true)
  }).pipe(Effect.catchTags({ KeyExists: () => Effect.succeed(false), RevisionConflict: () => Effect.succeed(false) }))
