import type { Problem } from "./errors.ts"
import type { Instant } from "./Instant.ts"
import { type AttemptRecord, currentAttempt, lastWithTask, type Run } from "./Run.ts"
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

/** So many reasons at most does the end of a run that had several attempts name. */
export const END_PROBLEMS_MAX = 10

/** Why a run ended, and what ended attempts before that, the latest first: each once. */
export const withEarlier = (run: Run, problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> => {
  const earlier = run.attempts.flatMap(({ problem }) => (problem === undefined ? [] : [problem])).toReversed()
  if (earlier.length === 0) return problems
  const each = new Map<string, Problem>()
  for (const problem of [...problems, ...earlier]) {
    const words = `${problem.code} ${problem.message}`
    if (!each.has(words)) each.set(words, problem)
  }
  return [...each.values()].slice(0, Math.max(problems.length, END_PROBLEMS_MAX))
}

/**
 * The end of a run whose last attempt had no task. `rejected` is for runs that never had one: where an earlier attempt
 * did, the run ends as that attempt did, and the reason why there is no other comes second.
 */
export const finishUnlaunched = (
  run: Run,
  outcome: Outcome,
  at: Instant,
  { phase, problems }: { readonly problems: ReadonlyArray<Problem>; readonly phase?: Run["phase"] }
): Run => {
  const last = lastWithTask(run)
  if (outcome !== "rejected" || last?.outcome === undefined) {
    return finish(run, outcome, at, { problems: withEarlier(run, problems), phase })
  }
  return finish(run, last.outcome, at, {
    problems: withEarlier(run, [...(last.problem === undefined ? [] : [last.problem]), ...problems]),
    ...(last.exitCode === undefined ? {} : { exitCode: last.exitCode }),
    phase: last.phase
  })
}

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
  const what = run.attempts.length === 0 ? "it was launched" : `attempt ${run.attempts.length + 1} was launched`
  const advice = "Request it again if it is still wanted."
  return finish(run, "cancelled", at, {
    problems: [{ code: "Cancelled", message: `The run was cancelled before ${what}${why}.`, advice }]
  })
}
