import { Effect } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { readRun } from "#process/RunRecords.ts"
import { failure } from "./Failure.ts"
import { matchRun, noMatchText } from "./runId.ts"

export const openRuns = Buckets.use((buckets) => buckets.open(BucketNames.runs))

/** The record of the run with this id, or of the only one whose id begins so. */
export const findRun = Effect.fnUntraced(function* (given: string) {
  const runs = yield* openRuns
  const exact = isRunId(given) ? yield* readRun(runs, given) : undefined
  if (exact?.run !== undefined) return exact.run
  const match = matchRun(given, yield* runs.keys())
  if (match.kind !== "found") return yield* failure(noMatchText(given, match))
  const { run } = yield* readRun(runs, match.runId)
  return run ?? (yield* failure(`The record of run ${match.runId} was removed a moment ago.`))
})

/** What cannot be a run id cannot be a key. */
const isRunId = (given: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(given)
