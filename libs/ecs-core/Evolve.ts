import {
  attemptTold,
  changed,
  deferred,
  defined,
  gone,
  rejected,
  started,
  stopped,
  straggling
} from "./AttemptFacts.ts"
import type { Problem } from "./errors.ts"
import type { RunId } from "./Ids.ts"
import { type Instant, millisOf } from "./Instant.ts"
import type {
  RunCancel,
  RunFinished,
  RunQueued,
  TaskChanged,
  TaskDeferred,
  TaskdefReady,
  TaskRejected,
  TaskStarted,
  TaskStopped
} from "./Messages.ts"
import {
  awaitsDefinition,
  blindMillis,
  currentAttempt,
  isFinal,
  isQueued,
  isTombstone,
  launcherHasIt,
  type Run,
  TOMBSTONE_SECONDS
} from "./Run.ts"
import { finish, finishCancelled, finishUnlaunched, move } from "./RunChanges.ts"
import type { Outcome } from "./RunState.ts"
import { later, note, Said } from "./Timeline.ts"

/** ECS's default of a container's `stopTimeout`. */
const ECS_GRACE_SECONDS = 30

/** What the record keeps of a request; `problems` non-empty = refused before any AWS call. */
export interface RequestSeen {
  readonly runId: RunId
  readonly at: Instant
  readonly sequence: number
  readonly bodyDigest: string
  readonly pool?: string
  readonly name?: string
  readonly request?: unknown
  /** Its pool is limited, or paused: it waits for its turn. */
  readonly queued?: true
  readonly notices: ReadonlyArray<string>
  readonly problems: ReadonlyArray<Problem>
}

/** Every message that tells something about a run. */
export type RunMessage =
  | { readonly kind: "run.requested"; readonly message: RequestSeen }
  | { readonly kind: "run.cancel"; readonly runId: RunId; readonly at: Instant; readonly message: RunCancel }
  /** The run's place in its pool's queue; the record knows it already, unless it was made anew without. */
  | { readonly kind: "run.queued"; readonly message: RunQueued }
  /** Its turn has come. */
  | { readonly kind: "run.admitted"; readonly at: Instant }
  /** The attempt cannot be defined, and never will: it was not launched, and the run ends. */
  | {
      readonly kind: "run.refused"
      readonly at: Instant
      readonly outcome: Outcome
      readonly problems: ReadonlyArray<Problem>
      readonly phase?: Run["phase"]
      /** This attempt is defined, but its order never was published and cannot be made again. */
      readonly orderless?: number
    }
  /** The attempt cannot be defined just now. */
  | { readonly kind: "run.delayed"; readonly at: Instant; readonly problem: Problem }
  | { readonly kind: "taskdef.ready"; readonly message: TaskdefReady; readonly notices?: ReadonlyArray<string> }
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
 * is a wish and no run yet, take up anything else. All that a final record takes up is a task that came to be too late,
 * and that a task is gone: its outcome stays as it is.
 */
export const evolve = (run: Run | undefined, event: RunMessage): Run | undefined => {
  if (event.kind === "run.requested") return requested(run, event.message)
  if (event.kind === "run.cancel") return cancelled(run, event)
  if (run === undefined || isTombstone(run)) return run
  if (isFinal(run)) return afterEnd(run, event)
  return told(run, event)
}

const told = (run: Run, event: Exclude<RunMessage, { readonly kind: "run.requested" | "run.cancel" }>): Run => {
  switch (event.kind) {
    case "run.queued":
      return queued(run, event.message)
    case "run.admitted":
      return admitted(run, event.at)
    case "run.refused":
      return awaitsDefinition(run) || isOrderless(run, event.orderless)
        ? finishUnlaunched(run, event.outcome, event.at, event)
        : run
    case "run.delayed":
      return delayed(run, event)
    case "taskdef.ready":
      return defined(run, event.message, event.notices ?? [])
    case "task.started":
      return started(attemptTold(run, event.message), event.message)
    case "task.deferred":
      return deferred(attemptTold(run, event.message), event.message)
    case "task.rejected":
      return rejected(attemptTold(run, event.message), event.message)
    case "task.changed":
      return changed(attemptTold(run, event.message), event.message)
    case "task.stopped":
      return stopped(attemptTold(run, event.message), event.message)
    case "run.finished":
      return finished(run, event.message)
  }
}

const afterEnd = (run: Run, event: RunMessage): Run => {
  if (event.kind === "task.started") return straggling(run, event.message)
  return event.kind === "task.changed" ? gone(run, event.message) : run
}

const isOrderless = (run: Run, orderless: number | undefined): boolean => {
  const current = currentAttempt(run)
  return current !== undefined && current.attempt === orderless && !launcherHasIt(current)
}

const requested = (run: Run | undefined, seen: RequestSeen): Run => {
  if (run !== undefined && !isTombstone(run)) return run
  const fresh: Run = {
    runId: seen.runId,
    state: seen.queued === true ? "queued" : "defining",
    requestSequence: seen.sequence,
    bodyDigest: seen.bodyDigest,
    ...(seen.pool === undefined ? {} : { pool: seen.pool }),
    ...(seen.name === undefined ? {} : { name: seen.name }),
    ...(seen.request === undefined ? {} : { request: seen.request }),
    requestedAt: seen.at,
    ...(seen.queued === true ? { queuedAt: seen.at } : {}),
    updatedAt: seen.at,
    attempts: [],
    problems: [],
    notices: seen.notices,
    timeline: [{ at: seen.at, what: Said.requested }]
  }
  if (seen.problems.length > 0) return finish(fresh, "rejected", seen.at, { problems: seen.problems })
  const wish = run?.cancel
  return wish !== undefined && !forgotten(wish.at, seen.at)
    ? finishCancelled({ ...fresh, cancel: wish }, later(seen.at, wish.at))
    : fresh
}

/** Only what has not begun can be sent to the queue, and only once. */
const queued = (run: Run, { at }: RunQueued): Run =>
  run.queuedAt !== undefined || run.attempts.length > 0 ? run : move({ ...run, queuedAt: at }, "queued", at)

const admitted = (run: Run, at: Instant): Run =>
  isQueued(run) ? note(move({ ...run, admittedAt: at }, "defining", at), at, Said.admitted) : run

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
  const wished = note({ ...run, cancel, notices: withGrace(run, graceSeconds) }, event.at, Said.cancelRequested)
  return awaitsDefinition(run) ? finishCancelled(wished, event.at) : wished
}

/** ECS stops with the container's own `stopTimeout`, by default 30 s: another grace is noted, and has no effect. */
const withGrace = (run: Run, graceSeconds: number | undefined): ReadonlyArray<string> =>
  graceSeconds === undefined || graceSeconds === ECS_GRACE_SECONDS
    ? run.notices
    : [...run.notices, `graceSeconds ${graceSeconds} has no effect: ECS waits for the container's stopTimeout`]

const tombstone = (runId: RunId, cancel: NonNullable<Run["cancel"]>): Run => ({
  runId,
  state: "requested",
  requestedAt: cancel.at,
  updatedAt: cancel.at,
  attempts: [],
  cancel,
  problems: [],
  notices: [],
  timeline: [{ at: cancel.at, what: Said.cancelledEarly }]
})

const delayed = (run: Run, { at, problem }: Extract<RunMessage, { kind: "run.delayed" }>): Run => {
  const isNews = run.delayed === undefined || millisOf(at) > millisOf(run.delayed.at)
  if (!awaitsDefinition(run) || !isNews) return run
  const blindSeconds = blindMillis(run, millisOf(at)) / 1000
  const delayed = { at, problem, ...(blindSeconds === 0 ? {} : { blindSeconds }) }
  return note({ ...run, delayed }, at, Said.definitionDelayed(problem))
}

const finished = (run: Run, fact: RunFinished): Run => {
  const begun = fact.startedAt === undefined ? run : { ...run, startedAt: run.startedAt ?? fact.startedAt }
  return finish(begun, fact.outcome, fact.finishedAt, {
    problems: fact.errors ?? (fact.error === undefined ? [] : [fact.error]),
    ...(fact.exitCode === undefined ? {} : { exitCode: fact.exitCode }),
    phase: fact.phase
  })
}
