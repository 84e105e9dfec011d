import { Clock, Effect, Option, Random, Result } from "effect"
import type { Bucket, BucketEntry } from "#bus/Bucket.ts"
import type { BusUnavailable, PublishError } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { isOver, noCounts, REBUILD_KEY, RebuildCodec, type RebuildState } from "#ecs-core/RebuildState.ts"

/** The last rebuild as it is in `fleet-meta`, with what is needed to replace it. */
export interface KeptRebuild {
  readonly rebuild: RebuildState
  readonly revision: number
  /** When it was stored, epoch milliseconds. */
  readonly time: number
}

/** The last rebuild; undefined where there was none, or one of a version that nobody here can read. */
export const lastRebuild = (meta: Bucket): Effect.Effect<KeptRebuild | undefined, BusUnavailable> =>
  Effect.map(meta.get(REBUILD_KEY), (entry) => Option.getOrUndefined(Option.flatMap(entry, keptOf)))

const keptOf = ({ value, revision, time }: BucketEntry): Option.Option<KeptRebuild> =>
  Option.map(Result.getSuccess(RebuildCodec.decode(text({ data: value }))), (rebuild) => ({ rebuild, revision, time }))

/** Asks for a rebuild, or joins the one that is asked for or under way; answers its id. */
export const askForRebuild = (meta: Bucket, by: string): Effect.Effect<string, PublishError> =>
  Effect.gen(function* () {
    const last = yield* lastRebuild(meta)
    if (last !== undefined && !isOver(last.rebuild)) return last.rebuild.id
    const id = Math.abs(yield* Random.nextInt).toString(36)
    const at = instantOf(yield* Clock.currentTimeMillis)
    const wanted = RebuildCodec.encode({ id, state: "wanted", at, by, read: 0, total: 0, ...noCounts })
    yield* last === undefined ? meta.put(REBUILD_KEY, wanted) : meta.update(REBUILD_KEY, wanted, last.revision)
    return id
  }).pipe(
    // Somebody else was faster: theirs is as good.
    Effect.catchTag("RevisionConflict", () => Effect.suspend(() => askForRebuild(meta, by)))
  )
