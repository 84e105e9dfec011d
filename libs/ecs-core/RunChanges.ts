import type { Problem } from "./errors.ts"
import type { Instant } from "./Instant.ts"
import { type AttemptRecord, currentAttempt, type Run } from "./Run.ts"
import { mayBecome, type Outcome, type RunState, stateOfLastStatus } from "./RunState.ts"
import { later, note, Said } from "./Timeline.ts"

/** The single steps by which `evolve` changes a record. */

export const withStart = (run: Run, attempt: number, startedAt: Instant | undefined): Run =>
  startedAt === undefined || !isCurrent(run, attempt) || run.startedAt !== undefined ? run : { ...run, startedAt }

export const follow = (run: Run, attempt: number, lastStatus: string, at: Instant): Run => {
  const state = stateOfLastStatus(lastStatus)
  return state === undefined || !isCurrent(run, attempt) ? run : move(run, state, at)
}

export const finish = (
  run: Run,
  outcome: Outcome,
  at: Instant,
  end: { readonly problems: ReadonlyArray<Problem>; readonly exitCode?: number; readonly phase?: Run["phase"] }
): Run =>
  note(
    {
      ...run,
      state: outcome,
      finishedAt: at,
      problems: end.problems,
      ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
      ...(end.phase === undefined ? {} : { phase: end.phase })
    },
    at,
    Said.ended(outcome, end.exitCode)
  )

export const move = (run: Run, state: RunState, at: Instant): Run =>
  mayBecome(run.state, state) ? { ...run, state, updatedAt: later(run.updatedAt, at) } : run

export const attemptOf = (run: Run, attempt: number): AttemptRecord | undefined =>
  run.attempts.find((known) => known.attempt === attempt)

export const isCurrent = (run: Run, attempt: number): boolean => currentAttempt(run)?.attempt === attempt

export const updateAttempt = (run: Run, attempt: number, change: Partial<AttemptRecord>): Run => ({
  ...run,
  attempts: run.attempts.map((known) => (known.attempt === attempt ? { ...known, ...change } : known))
})

export const finishCancelled = (run: Run, at: Instant): Run => {
  const why = run.cancel?.reason === undefined ? "" : `: ${run.cancel.reason}`
  const advice = "Request it again if it is still wanted."
  return finish(run, "cancelled", at, {
    problems: [{ code: "Cancelled", message: `The run was cancelled before it was launched${why}.`, advice }]
  })
}
