import type { Problem } from "./errors.ts"
import type { RunId } from "./Ids.ts"
import { type Instant, millisOf } from "./Instant.ts"
import type {
  RunCancel,
  RunFinished,
  TaskChanged,
  TaskDeferred,
  TaskdefReady,
  TaskRejected,
  TaskStarted,
  TaskStopped
} from "./Messages.ts"
import {
  type AttemptRecord,
  currentAttempt,
  isFinal,
  isTombstone,
  type Run,
  TIMELINE_MAX,
  TOMBSTONE_SECONDS
} from "./Run.ts"
import { mayBecome, type Outcome, type RunState, stateOfLastStatus } from "./RunState.ts"

/** What the record keeps of a request; `problems` non-empty = refused before any AWS call. */
export interface RequestSeen {
  readonly runId: RunId
  readonly at: Instant
  readonly sequence: number
  readonly bodyDigest: string
  readonly pool?: string
  readonly name?: string
  readonly request?: unknown
  readonly notices: ReadonlyArray<string>
  readonly problems: ReadonlyArray<Problem>
}

/** Every message that tells something about a run. */
export type RunMessage =
  | { readonly kind: "run.requested"; readonly message: RequestSeen }
  | { readonly kind: "run.cancel"; readonly runId: RunId; readonly at: Instant; readonly message: RunCancel }
  | { readonly kind: "run.refused"; readonly at: Instant; readonly outcome: Outcome; readonly problem: Problem }
  | { readonly kind: "taskdef.ready"; readonly message: TaskdefReady }
  | { readonly kind: "task.started"; readonly message: TaskStarted }
  | { readonly kind: "task.deferred"; readonly message: TaskDeferred }
  | { readonly kind: "task.rejected"; readonly message: TaskRejected }
  | { readonly kind: "task.changed"; readonly message: TaskChanged }
  | { readonly kind: "task.stopped"; readonly message: TaskStopped }
  | { readonly kind: "run.finished"; readonly message: RunFinished }

/**
 * Folds one message into the record. Pure, idempotent and monotone: the same message again, a late one or one out of
 * order changes nothing that newer messages have settled, and times are the messages' own. Undefined in, undefined
 * out: a message about a run without a record creates none, except a request and a cancel; nor does a tombstone, which
 * is a wish and no run yet, take up anything else.
 */
export const evolve = (run: Run | undefined, event: RunMessage): Run | undefined => {
  if (event.kind === "run.requested") return requested(run, event.message)
  if (event.kind === "run.cancel") return cancelled(run, event)
  if (run === undefined || isTombstone(run) || isFinal(run)) return run
  switch (event.kind) {
    case "run.refused":
      return finish(run, event.outcome, event.at, { problems: [event.problem] })
    case "taskdef.ready":
      return defined(run, event.message)
    case "task.started":
      return started(run, event.message)
    case "task.deferred":
      return deferred(run, event.message)
    case "task.rejected":
      return rejected(run, event.message)
    case "task.changed":
      return changed(run, event.message)
    case "task.stopped":
      return stopped(run, event.message)
    case "run.finished":
      return finished(run, event.message)
  }
}

const requested = (run: Run | undefined, seen: RequestSeen): Run => {
  if (run !== undefined && !isTombstone(run)) return run
  const fresh: Run = {
    runId: seen.runId,
    state: "defining",
    requestSequence: seen.sequence,
    bodyDigest: seen.bodyDigest,
    ...(seen.pool === undefined ? {} : { pool: seen.pool }),
    ...(seen.name === undefined ? {} : { name: seen.name }),
    ...(seen.request === undefined ? {} : { request: seen.request }),
    requestedAt: seen.at,
    updatedAt: seen.at,
    attempts: [],
    problems: [],
    notices: seen.notices,
    timeline: [{ at: seen.at, what: "requested" }]
  }
  if (seen.problems.length > 0) return finish(fresh, "rejected", seen.at, { problems: seen.problems })
  const wish = run?.cancel
  return wish !== undefined && !forgotten(wish.at, seen.at)
    ? finishCancelled({ ...fresh, cancel: wish }, later(seen.at, wish.at))
    : fresh
}

/** The tombstone of that wish was gone when the request came. */
const forgotten = (wishedAt: Instant, requestedAt: Instant): boolean =>
  millisOf(requestedAt) - millisOf(wishedAt) > TOMBSTONE_SECONDS * 1000

const cancelled = (run: Run | undefined, event: Extract<RunMessage, { kind: "run.cancel" }>): Run => {
  const { reason, graceSeconds } = event.message
  const cancel = {
    at: event.at,
    ...(reason === undefined ? {} : { reason }),
    ...(graceSeconds === undefined ? {} : { graceSeconds })
  }
  if (run === undefined) return tombstone(event.runId, cancel)
  if (isTombstone(run)) return millisOf(event.at) > millisOf(run.updatedAt) ? tombstone(run.runId, cancel) : run
  if (isFinal(run) || run.cancel !== undefined || forgotten(event.at, run.requestedAt)) return run
  const wished = note({ ...run, cancel }, event.at, "cancel requested")
  return currentAttempt(run) === undefined ? finishCancelled(wished, event.at) : wished
}

const tombstone = (runId: RunId, cancel: NonNullable<Run["cancel"]>): Run => ({
  runId,
  state: "requested",
  requestedAt: cancel.at,
  updatedAt: cancel.at,
  attempts: [],
  cancel,
  problems: [],
  notices: [],
  timeline: [{ at: cancel.at, what: "cancel requested before the request" }]
})

const finishCancelled = (run: Run, at: Instant): Run => {
  const why = run.cancel?.reason === undefined ? "" : `: ${run.cancel.reason}`
  const advice = "Request it again if it is still wanted."
  return finish(run, "cancelled", at, {
    problems: [{ code: "Cancelled", message: `The run was cancelled before it was launched${why}.`, advice }]
  })
}

const defined = (run: Run, ready: TaskdefReady): Run => {
  if (run.attempts.some(({ attempt }) => attempt >= ready.attempt)) return run
  const attempt: AttemptRecord = {
    attempt: ready.attempt,
    definedAt: ready.at,
    taskDefinitionArn: ready.runTask.taskDefinition,
    containerName: ready.containerName,
    target: ready.target
  }
  const moved = move({ ...run, attempts: [...run.attempts, attempt] }, "launching", ready.at)
  const noticed = ready.logs.notice === undefined ? moved : { ...moved, notices: withNotice(moved, ready.logs.notice) }
  return note(noticed, ready.at, `using definition ${ready.runTask.taskDefinition}`)
}

const withNotice = (run: Run, notice: string): ReadonlyArray<string> =>
  run.notices.includes(notice) ? run.notices : [...run.notices, notice]

const started = (run: Run, fact: TaskStarted): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined || known.clusterArn !== undefined) return run
  const noted = updateAttempt(run, fact.attempt, {
    try: fact.try,
    taskArn: fact.taskArn,
    clusterArn: fact.clusterArn,
    lastStatus: known.lastStatus ?? fact.lastStatus,
    logs: fact.logs.sources
  })
  return note(follow(noted, fact.attempt, fact.lastStatus, fact.at), fact.at, `task created: ${fact.taskArn}`)
}

const deferred = (run: Run, fact: TaskDeferred): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined || known.taskArn !== undefined || known.over === true) return run
  if (known.deferred !== undefined && known.deferred.try >= fact.try) return run
  const { try: tryNumber, problem, nextTryAt } = fact
  const noted = updateAttempt(run, fact.attempt, { deferred: { try: tryNumber, problem, nextTryAt } })
  return note(move(noted, "waiting", fact.at), fact.at, `launch deferred: ${problem.message}`)
}

const rejected = (run: Run, fact: TaskRejected): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined || known.over === true || !isCurrent(run, fact.attempt)) return run
  const over = updateAttempt(run, fact.attempt, { over: true, outcome: fact.outcome })
  return finish(over, fact.outcome, fact.at, { problems: [fact.problem], phase: fact.phase })
}

const changed = (run: Run, fact: TaskChanged): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined || known.over === true) return run
  if (known.taskVersion !== undefined && known.taskVersion >= fact.version) return run
  const noted = updateAttempt(run, fact.attempt, {
    taskArn: fact.taskArn,
    lastStatus: fact.lastStatus,
    taskVersion: fact.version,
    times: { ...known.times, ...fact.times }
  })
  const begun = withStart(noted, fact.attempt, fact.times.startedAt)
  return note(follow(begun, fact.attempt, fact.lastStatus, fact.at), fact.at, `task is ${fact.lastStatus}`)
}

const stopped = (run: Run, fact: TaskStopped): Run => {
  const known = attemptOf(run, fact.attempt)
  if (known === undefined || known.over === true || !isCurrent(run, fact.attempt)) return run
  const noted = updateAttempt(run, fact.attempt, {
    over: true,
    outcome: fact.outcome,
    taskArn: fact.taskArn,
    times: { ...known.times, ...fact.times },
    ...(fact.exitCode === undefined ? {} : { exitCode: fact.exitCode })
  })
  return finish(withStart(noted, fact.attempt, fact.times.startedAt), fact.outcome, fact.at, {
    problems: fact.problem === undefined ? [] : [fact.problem],
    ...(fact.exitCode === undefined ? {} : { exitCode: fact.exitCode }),
    phase: fact.phase
  })
}

const finished = (run: Run, fact: RunFinished): Run => {
  const begun = fact.startedAt === undefined ? run : { ...run, startedAt: run.startedAt ?? fact.startedAt }
  return finish(begun, fact.outcome, fact.finishedAt, {
    problems: fact.errors ?? (fact.error === undefined ? [] : [fact.error]),
    ...(fact.exitCode === undefined ? {} : { exitCode: fact.exitCode }),
    phase: fact.phase
  })
}

const withStart = (run: Run, attempt: number, startedAt: Instant | undefined): Run =>
  startedAt === undefined || !isCurrent(run, attempt) || run.startedAt !== undefined ? run : { ...run, startedAt }

const follow = (run: Run, attempt: number, lastStatus: string, at: Instant): Run => {
  const state = stateOfLastStatus(lastStatus)
  return state === undefined || !isCurrent(run, attempt) ? run : move(run, state, at)
}

const finish = (
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
    end.exitCode === undefined ? outcome : `${outcome} with exit code ${end.exitCode}`
  )

const move = (run: Run, state: RunState, at: Instant): Run =>
  mayBecome(run.state, state) ? { ...run, state, updatedAt: later(run.updatedAt, at) } : run

const attemptOf = (run: Run, attempt: number): AttemptRecord | undefined =>
  run.attempts.find((known) => known.attempt === attempt)

const isCurrent = (run: Run, attempt: number): boolean => currentAttempt(run)?.attempt === attempt

const updateAttempt = (run: Run, attempt: number, change: Partial<AttemptRecord>): Run => ({
  ...run,
  attempts: run.attempts.map((known) => (known.attempt === attempt ? { ...known, ...change } : known))
})

/** Adds to the timeline; a repeat of the last entry is counted, and the middle gives way when it is full. */
const note = (run: Run, at: Instant, what: string): Run => {
  const last = run.timeline.at(-1)
  const timeline =
    last?.what === what
      ? [...run.timeline.slice(0, -1), { ...last, count: (last.count ?? 1) + 1 }]
      : [...run.timeline, { at, what }]
  const kept = timeline.length > TIMELINE_MAX ? timeline.toSpliced(TIMELINE_MAX / 2, 1) : timeline
  return { ...run, timeline: kept, updatedAt: later(run.updatedAt, at) }
}

const later = (a: Instant, b: Instant): Instant => (millisOf(b) > millisOf(a) ? b : a)
