import { Effect, Schedule } from "effect"
import type { Bucket } from "#bus/Bucket.ts"
import { BusUnavailable, type PublishError } from "#bus/BusError.ts"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import type { RunId } from "#ecs-core/Ids.ts"
import { type Run, RunCodec } from "#ecs-core/Run.ts"
import { type RecordUnreadable, readRun } from "#process/RunRecords.ts"
import { countChange } from "./hops.ts"

/** A fold that loses the race for a record is decided anew this often. */
export const FOLD_TRIES_MAX = 50

export type RecordError = PublishError | RecordUnreadable

/**
 * Folds one message into the record by compare-and-set. Where another replica was faster, the record is read and the
 * message folded again; a message that changes nothing writes nothing.
 */
export const foldInto = (runs: Bucket, runId: RunId, event: RunMessage): Effect.Effect<Run | undefined, RecordError> =>
  Effect.gen(function* () {
    const { run, revision } = yield* readRun(runs, runId)
    const next = evolve(run, event)
    if (next === undefined || next === run) return next
    const value = RunCodec.encode(next)
    yield* run === undefined ? runs.create(runId, value) : runs.update(runId, value, revision)
    yield* countChange(run, event, next)
    return next
  }).pipe(
    Effect.retry({
      times: FOLD_TRIES_MAX,
      schedule: Schedule.jittered(Schedule.spaced("10 millis")),
      while: (error) => error._tag === "RevisionConflict" || error._tag === "KeyExists"
    }),
    Effect.catchTags({ RevisionConflict: () => contended(runId), KeyExists: () => contended(runId) })
  )

/** So many others were faster that the message is better handed back for a moment. */
const contended = (runId: RunId) =>
  new BusUnavailable({
    operation: `fold a message into the record of ${runId}`,
    reason: "Refused",
    message: `the record of ${runId} was changed by others ${FOLD_TRIES_MAX} times in a row; the message is folded later`
  })
