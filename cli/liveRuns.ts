import { Effect, Option, Result } from "effect"
import { type BucketEntry, Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { isTombstone, type Run, RunCodec } from "#ecs-core/Run.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { openRuns } from "./follow/records.ts"

/** Records read at a time. */
export const READS_AT_A_TIME = 32

/** Ids of the runs that are not over: the keys of `fleet-live`. */
export const liveIds = Effect.flatMap(
  Buckets.use((buckets) => buckets.open(BucketNames.live)),
  (live) => live.keys()
)

/** Runs that are not over. */
export const liveRuns = Effect.gen(function* () {
  const runs = yield* openRuns
  const entries = yield* Effect.forEach(yield* liveIds, (key) => runs.get(key), { concurrency: READS_AT_A_TIME })
  return entries.flatMap((entry) => (Option.isSome(entry) ? recordsIn([entry.value]) : []))
})

/** Readable records of real runs: a cancel that came before its request is none. */
export const recordsIn = (entries: ReadonlyArray<BucketEntry>): ReadonlyArray<Run> =>
  entries.flatMap(({ value }) => {
    const run = RunCodec.decode(text({ data: value }))
    return Result.isSuccess(run) && !isTombstone(run.success) ? [run.success] : []
  })
