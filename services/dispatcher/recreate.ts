import { Effect, Option, Result } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { rebuild } from "#ecs-core/Rebuild.ts"
import { isFinal, isTombstone, type Run, RunCodec } from "#ecs-core/Run.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { readRun } from "#process/RunRecords.ts"
import { readRequest } from "./decide.ts"
import type { Fleet } from "./Fleet.ts"
import type { Open } from "./histories.ts"
import { performEffects } from "./perform.ts"
import type { RecordError } from "./records.ts"
import { jobFromInbox, seenWithJob, stored } from "./requests.ts"

/** One run of a rebuild: its record made, stored where there is none, and what follows from it. */

export const goesOn = (run: Run): boolean => !isFinal(run) && !isTombstone(run)

export const recordFrom = (
  fleet: Fleet,
  { runId, sequence, messages }: Open
): Effect.Effect<Run | undefined, RecordError> =>
  Effect.gen(function* () {
    const original = sequence === undefined ? Option.none() : yield* fleet.messages.at(Streams.inbox, sequence)
    if (Option.isNone(original)) return rebuild({ runId, request: undefined, messages })
    const seen = yield* seenWithJob(fleet, readRequest(stored(original.value)))
    // Whether it was refused is in what followed: pools may have changed since.
    const isAnswered = messages.some(({ kind }) => kind !== "run.cancel")
    return rebuild({ runId, request: isAnswered ? { ...seen, problems: [] } : seen, messages })
  })

/** What is left tells of no end; but the end of its lines does, which only a run that is over has. */
export const wasOver = (fleet: Fleet, run: Run): Effect.Effect<boolean, RecordError> =>
  Effect.gen(function* () {
    if (!goesOn(run) || run.incomplete !== true) return false
    const last = yield* fleet.messages.last(Streams.logs, Subjects.logs(run.runId))
    const message = Option.flatMap(last, (found) => Result.getSuccess(LogCodecs.message.decode(text(found))))
    if (!Option.exists(message, isEnd)) return false
    yield* fleet.live.delete(run.runId)
    return true
  })

/** Never over another record; but a wish that found no run to cancel is none, and is part of what was read. */
export const created = (fleet: Fleet, run: Run): Effect.Effect<boolean, RecordError> =>
  Effect.gen(function* () {
    const kept = yield* readRun(fleet.runs, run.runId)
    const value = RunCodec.encode(run)
    if (kept.run === undefined) return yield* Effect.as(fleet.runs.create(run.runId, value), true)
    if (!isTombstone(kept.run) || isTombstone(run)) return false
    return yield* Effect.as(fleet.runs.update(run.runId, value, kept.revision), true)
  }).pipe(
    Effect.catchTags({
      KeyExists: () => Effect.succeed(false),
      RevisionConflict: () => Effect.suspend(() => created(fleet, run))
    })
  )

/** What cannot be done now is done by a later sweep. */
export const makeExist = (fleet: Fleet, run: Run): Effect.Effect<void, BusUnavailable> =>
  performEffects(fleet, run, jobFromInbox(fleet)).pipe(
    Effect.catchIf(
      (error) => error._tag !== "BusUnavailable",
      ({ message }) => Effect.logWarning("a rebuilt run goes on later", { runId: run.runId, why: message })
    )
  )
