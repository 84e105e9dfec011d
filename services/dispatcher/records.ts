import { Effect, Schedule } from "effect"
import type { Bucket } from "#bus/Bucket.ts"
import { BusUnavailable, type PublishError } from "#bus/BusError.ts"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import type { RunId } from "#ecs-core/Ids.ts"
import { type Run, RunCodec } from "#ecs-core/Run.ts"
import { type KeptRun, type RecordUnreadable, readRun } from "#process/RunRecords.ts"
import { countChange } from "./hops.ts"

/** A fold that loses the race for a record is decided anew this often. */
export const FOLD_TRIES_MAX = 50

export type RecordError = PublishError | RecordUnreadable

/** The revision of each record that this process has written and still has in hand. */
const revisions = new WeakMap<Run, number>()

/**
 * Folds one message into the record by compare-and-set. Where another replica was faster, the record is read and the
 * message folded again; a message that changes nothing writes nothing. `written` is what a fold just before has answered:
 * it need not be read once more, since the write is refused where it is no longer the record.
 */
export const foldInto = (
  runs: Bucket,
  runId: RunId,
  event: RunMessage,
  written?: Run
): Effect.Effect<Run | undefined, RecordError> => {
  let known = written
  return Effect.gen(function* () {
    const kept = known === undefined ? undefined : keptOf(known, event)
    known = undefined
    const { run, revision } = kept ?? (yield* readRun(runs, runId))
    const next = evolve(run, event)
    if (next === undefined || next === run) return next
    const value = RunCodec.encode(next)
    const stored = yield* run === undefined ? runs.create(runId, value) : runs.update(runId, value, revision)
    revisions.set(next, stored)
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
}

/** Only what leads to a write may be decided on it: nobody vouches for the rest. */
const keptOf = (run: Run, event: RunMessage): KeptRun | undefined => {
  const revision = revisions.get(run)
  return revision === undefined || evolve(run, event) === run ? undefined : { run, revision }
}

/** So many others were faster that the message is better handed back for a moment. */
const contended = (runId: RunId) =>
  new BusUnavailable({
    operation: `fold a message into the record of ${runId}`,
    reason: "Refused",
    message: `the record of ${runId} was changed by others ${FOLD_TRIES_MAX} times in a row; the message is folded later`
  })
