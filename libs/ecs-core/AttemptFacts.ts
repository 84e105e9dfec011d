import type { Problem } from "./errors.ts"
import { type Instant, instantOf, millisOf } from "./Instant.ts"
import { logNotices } from "./LogPlan.ts"
import type { TaskChanged, TaskDeferred, TaskdefReady, TaskRejected, TaskStarted, TaskStopped } from "./Messages.ts"
import { type AttemptEnd, type Budget, hasLeft, nextAttempt, pauseMillis } from "./RetryPolicy.ts"
import {
  type AttemptRecord,
  isDefinitionGone,
  isQueued,
  isTaskGone,
  type Run,
  retryOf,
  SIDECAR_LOGS_ATTEMPTS_MAX,
  usedOf
} from "./Run.ts"
import {
  attemptOf,
  finish,
  finishCancelled,
  finishUnlaunched,
  follow,
  isCurrent,
  move,
  updateAttempt,
  withEarlier,
  withStart
} from "./RunChanges.ts"
import { isGoneStatus, mayBecome } from "./RunState.ts"
import { note, noteExits, Said } from "./Timeline.ts"

/**
 * How the facts of an attempt are folded into the record. An attempt is over once and stays so. Of a launcher that says
 * "never launched" and one that says "launched", the first to be folded is believed: with a task known, a rejection is
 * void; given up before, the task is a straggler, which is noted and stopped.
 */

export const defined = (run: Run, ready: TaskdefReady, notices: ReadonlyArray<string>): Run => {
  if (run.attempts.some(({ attempt }) => attempt >= ready.attempt)) return run
  const attempt: AttemptRecord = {
    attempt: ready.attempt,
    definedAt: ready.at,
    ...(ready.notBefore === undefined ? {} : { notBefore: ready.notBefore }),
    taskDefinitionArn: ready.runTask.taskDefinition,
    ...(ready.definition === undefined ? {} : { definition: ready.definition }),
    containerName: ready.containerName,
    target: ready.target
  }
  const admittedAt = isQueued(run) ? { admittedAt: ready.at } : {}
  const moved = move({ ...run, ...admittedAt, attempts: [...run.attempts, attempt] }, "launching", ready.at)
  const all = [...(ready.notices ?? []), ...notices, ...logNotices(ready.logs)]
  const retry = run.retry ?? ready.retry
  const noticed = {
    ...moved,
    ...(retry === undefined ? {} : { retry }),
    notices: [...new Set([...moved.notices, ...all])]
  }
  return note(noticed, ready.at, Said.definition(ready.definition, ready.runTask.taskDefinition))
}

type AttemptFact = TaskStarted | TaskDeferred | TaskRejected | TaskChanged | TaskStopped

/** What stands in the place of what only the order of an attempt said, where that order is gone. */
export const UNKNOWN = "unknown"

/** Only in a record without its beginning may there be facts about an attempt that it does not know. */
export const attemptTold = (run: Run, fact: AttemptFact): Run => {
  if (run.incomplete !== true || run.attempts.some(({ attempt }) => attempt >= fact.attempt)) return run
  const region = "taskArn" in fact ? fact.taskArn.split(":")[3] : undefined
  const attempt: AttemptRecord = {
    attempt: fact.attempt,
    definedAt: fact.at,
    taskDefinitionArn: "taskDefinitionArn" in fact ? fact.taskDefinitionArn : UNKNOWN,
    containerName: "containerName" in fact ? fact.containerName : UNKNOWN,
    target: "target" in fact ? fact.target : region === undefined ? {} : { region }
  }
  return move({ ...run, attempts: [...run.attempts, attempt] }, "launching", fact.at)
}

export const started = (run: Run, fact: TaskStarted): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined || known.clusterArn !== undefined) return run
  if (known.over === true) return straggling(run, fact)
  const noted = updateAttempt(run, fact.attempt, {
    try: fact.try,
    taskArn: fact.taskArn,
    clusterArn: fact.clusterArn,
    lastStatus: known.lastStatus ?? fact.lastStatus,
    logs: fact.attempt > SIDECAR_LOGS_ATTEMPTS_MAX ? fact.logs.sources.slice(0, 1) : fact.logs.sources
  })
  return note(follow(noted, fact.attempt, fact.lastStatus, fact.at), fact.at, Said.taskCreated(fact.taskArn))
}

export const deferred = (run: Run, fact: TaskDeferred): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined || known.taskArn !== undefined || known.over === true) return run
  if (known.deferred !== undefined && !isNews(known.deferred, fact)) return run
  const { try: tryNumber, problem, nextTryAt } = fact
  const noted = updateAttempt(run, fact.attempt, { deferred: { try: tryNumber, problem, nextTryAt } })
  return note(move(noted, "waiting", fact.at), fact.at, Said.launchDeferred(problem))
}

/** Of two deferrals with the same token the later one holds. */
const isNews = (known: NonNullable<AttemptRecord["deferred"]>, fact: TaskDeferred): boolean =>
  fact.try > known.try || (fact.try === known.try && millisOf(fact.nextTryAt) > millisOf(known.nextTryAt))

/** A task that came to be although its attempt, or the run, was given up without one. */
export const straggling = (run: Run, fact: TaskStarted): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined || known.taskArn !== undefined) return run
  const { taskArn, clusterArn, try: tryNumber } = fact
  const noted = updateAttempt(run, fact.attempt, { try: tryNumber, taskArn, clusterArn, straggler: true })
  return note(noted, fact.at, Said.straggler(taskArn))
}

export const rejected = (run: Run, fact: TaskRejected): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined || known.over === true || known.taskArn !== undefined || !isCurrent(run, fact.attempt)) {
    return run
  }
  const over = updateAttempt(run, fact.attempt, {
    over: true,
    endedAt: fact.at,
    outcome: fact.outcome,
    ...phaseOf(fact)
  })
  if (isMendable(run, known, fact)) return definedAgain(over, fact)
  const end = { outcome: fact.outcome, problem: fact.problem, ran: false, passing: false }
  const budget = budgetOf(run, end)
  if (budget !== undefined) return again(over, fact, budget)
  return finishUnlaunched(over, fact.outcome, fact.at, { problems: [fact.problem], ...phaseOf(fact) })
}

const phaseOf = ({ phase }: Pick<TaskStopped, "phase">) => (phase === undefined ? {} : { phase })

/** Somebody deregistered a definition that is ours: no fault of the program, and another revision mends it. */
const isMendable = (run: Run, known: AttemptRecord, fact: TaskRejected): boolean =>
  fact.outcome === "rejected" &&
  isDefinitionGone(fact.problem) &&
  known.definition !== "linked" &&
  hasLeft(retryOf(run), usedOf(run), "platform") &&
  mayBecome(run.state, "defining")

const definedAgain = (run: Run, { attempt, at, problem }: TaskRejected): Run => {
  if (run.cancel !== undefined) return finishCancelled(run, at)
  const next = counted(updateAttempt(run, attempt, { problem }), "platform")
  return note(move(next, "defining", at), at, Said.definitionGone(attempt, problem))
}

/** What pays for another attempt; a wish to cancel ends the run with this one. */
const budgetOf = (run: Run, end: AttemptEnd): Budget | undefined =>
  run.cancel === undefined && mayBecome(run.state, "defining") ? nextAttempt(retryOf(run), usedOf(run), end) : undefined

interface Failed {
  readonly attempt: number
  readonly at: Instant
  readonly outcome: AttemptEnd["outcome"]
  readonly problem?: Problem
}

/** The next attempt is to be defined, and launched after a pause. */
const again = (run: Run, { attempt, at, outcome, problem }: Failed, budget: Budget): Run => {
  const pause = pauseMillis(retryOf(run), usedOf(run), run.runId, attempt)
  const why = problem ?? unexplained(outcome)
  const paused = updateAttempt(run, attempt, { problem: why, retryAt: instantOf(millisOf(at) + pause) })
  return note(move(counted(paused, budget), "defining", at), at, Said.attemptFollows(attempt + 1, pause, why))
}

const unexplained = (outcome: AttemptEnd["outcome"]): Problem => ({
  code: outcome === "failed" ? "ProgramFailed" : "TaskFailedToStart",
  message: `The attempt ended as ${outcome}.`,
  advice: "See `fleet describe <runId>`."
})

const counted = (run: Run, budget: Budget): Run => {
  const { platform, program } = usedOf(run)
  return budget === "program" ? { ...run, programFailures: program + 1 } : { ...run, platformFailures: platform + 1 }
}

export const changed = (run: Run, fact: TaskChanged): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined) return run
  const isOld = known.taskVersion !== undefined && known.taskVersion >= fact.version
  if (known.over === true || isOld) return gone(run, fact)
  if (isTaskGone(known)) return run
  const noted = updateAttempt(run, fact.attempt, {
    taskArn: fact.taskArn,
    lastStatus: fact.lastStatus,
    taskVersion: fact.version,
    times: { ...known.times, ...fact.times }
  })
  const begun = withStart(noted, fact.attempt, fact.times.startedAt)
  return note(follow(begun, fact.attempt, fact.lastStatus, fact.at), fact.at, Said.taskIs(fact.lastStatus))
}

/** That a task is gone is taken up whenever it comes, and changes nothing but that. */
export const gone = (run: Run, { attempt, lastStatus, times, version }: TaskChanged): Run => {
  const known = attemptOf(run, attempt)
  if (known === undefined || isTaskGone(known) || !isGoneStatus(lastStatus)) return run
  const taskVersion = Math.max(known.taskVersion ?? 0, version)
  return updateAttempt(run, attempt, { lastStatus, taskVersion, times: { ...known.times, ...times } })
}

export const stopped = (run: Run, fact: TaskStopped): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined || known.over === true || !isCurrent(run, fact.attempt)) return run
  const exitCode = fact.exitCode === undefined ? {} : { exitCode: fact.exitCode }
  const noted = updateAttempt(run, fact.attempt, {
    over: true,
    endedAt: fact.at,
    outcome: fact.outcome,
    taskArn: fact.taskArn,
    times: { ...known.times, ...fact.times },
    ...exitCode,
    ...phaseOf(fact)
  })
  const told = noteExits(withStart(noted, fact.attempt, fact.times.startedAt), fact)
  const budget = budgetOf(run, endOf(known, fact))
  if (budget !== undefined) return again(told, fact, budget)
  const problems = fact.problem === undefined ? [] : withEarlier(run, [fact.problem])
  return finish(told, fact.outcome, fact.at, { problems, ...exitCode, phase: fact.phase })
}

const endOf = (known: AttemptRecord, fact: TaskStopped): AttemptEnd => ({
  outcome: fact.outcome,
  problem: fact.problem,
  exitCode: fact.exitCode,
  ran: fact.reachedRunning === true || (fact.times.startedAt ?? known.times?.startedAt) !== undefined,
  passing: fact.passing === true
})
