import { Effect, Option } from "effect"
import type { BusMessage } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import type { Run } from "#ecs-core/Run.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { readRun } from "#process/RunRecords.ts"
import { failure } from "./Failure.ts"
import { openRuns } from "./follow/records.ts"
import { matchRun, noMatchText } from "./runId.ts"

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

/** A run whose lines are to be read. */
export interface FoundLines {
  readonly runId: string
  /** Absent where the lines have outlived it. */
  readonly run?: Run
  /** The last message on its lines' subject; none = nothing has come, or it is older than the stream keeps it. */
  readonly last: Option.Option<BusMessage>
}

/** The run with this id, or the only one whose id begins so, and how far its lines go; they may be all that is left. */
export const findLines = Effect.fnUntraced(function* (given: string) {
  const exact = isRunId(given) ? yield* lastLines(given) : Option.none<BusMessage>()
  if (Option.isSome(exact)) {
    const kept = yield* Effect.catchTag(readRun(yield* openRuns, given), "RecordUnreadable", () =>
      Effect.succeed({ run: undefined })
    )
    const found: FoundLines = { runId: given, last: exact, ...(kept.run === undefined ? {} : { run: kept.run }) }
    return found
  }
  const run = yield* findRun(given)
  const found: FoundLines = { runId: run.runId, run, last: yield* lastLines(run.runId) }
  return found
})

/** The last message on `logs.<runId>`. */
export const lastLines = (runId: string) =>
  Messages.use((messages) => messages.last(Streams.logs, Subjects.logs(runId)))

/** What cannot be a run id cannot be a key. */
const isRunId = (given: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(given)
