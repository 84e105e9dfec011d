import { type AwsFailure, type Problem, problemOf } from "#ecs-core/errors.ts"
import type { RunId } from "#ecs-core/Ids.ts"
import { type Instant, instantOf, millisOf } from "#ecs-core/Instant.ts"
import type { TaskDeferred, TaskdefReady, TaskRejected, TaskStarted } from "#ecs-core/Messages.ts"
import { currentAttempt, isFinal, type Run } from "#ecs-core/Run.ts"

/**
 * Launching exactly once. The client token is a hash of fleet, run, attempt and try: the same launch, repeated after a
 * crash or a lost answer, replays the token and gets the same task. A new try means a new token, and with it a new
 * task; it is therefore taken only when ECS has said for certain that the try before launched nothing, and that answer
 * is stored (`task.deferred`) before the order is handed back. ECS remembers a token for as little as an hour after
 * its task ended. An order that comes again later than that is answered by looking, never by launching.
 */

/** A redelivered order whose newest evidence is older than this is looked up, not launched. */
export const TOKEN_TRUST_SECONDS = 45 * 60

/** The longest pause before an order is looked at again: cancels are answered within it. */
export const NAK_SECONDS_MAX = 30

/** Waits for capacity: 10 s, doubling to 5 minutes. */
export const CAPACITY_FIRST_SECONDS = 10
export const CAPACITY_SECONDS_MAX = 300

/** What is known before an order is carried out. */
export interface Seen {
  readonly run: Run | undefined
  /** 1 = the order is here for the first time. */
  readonly deliveries: number
  /** When the order was stored, epoch milliseconds. */
  readonly orderedAt: number
  readonly deferred: TaskDeferred | undefined
}

export type Decision =
  | { readonly _tag: "Launch"; readonly try: number }
  /** Ask ECS by `startedBy`; if there is no such task, `otherwise` ends the attempt. */
  | { readonly _tag: "Look"; readonly otherwise: TaskRejected }
  | { readonly _tag: "Later"; readonly delayMillis: number; readonly why: string }
  | { readonly _tag: "Drop"; readonly why: string }

export const nextTry = (deferred: TaskDeferred | undefined): number => 1 + (deferred?.try ?? 0)

/** What to do with an order, given the record as it is right now. */
export const decide = (order: TaskdefReady, seen: Seen, nowMillis: number): Decision => {
  const { run, deferred, deliveries } = seen
  if (run === undefined) return { _tag: "Later", delayMillis: 1000, why: "the run has no record yet" }
  const current = currentAttempt(run)
  if (isFinal(run)) return { _tag: "Drop", why: "the run is over" }
  if (current?.attempt !== order.attempt) return { _tag: "Drop", why: "another attempt is current" }
  if (current.taskArn !== undefined) return { _tag: "Drop", why: "the task was launched" }
  const redelivered = deliveries > 1
  const end = (otherwise: TaskRejected): Decision => ({ _tag: "Look", otherwise })
  if (run.cancel !== undefined) return end(cancelledBeforeLaunch(order, run.cancel.reason, nowMillis))
  if (nowMillis > millisOf(order.launchDeadline)) return end(launchTimedOut(order, deferred?.problem, nowMillis))
  const newest = Math.max(seen.orderedAt, deferred === undefined ? 0 : millisOf(deferred.at))
  if (redelivered && nowMillis - newest > TOKEN_TRUST_SECONDS * 1000) return end(outcomeUnknown(order, nowMillis))
  const waitMillis = deferred === undefined ? 0 : millisOf(deferred.nextTryAt) - nowMillis
  if (waitMillis > 0) {
    return { _tag: "Later", delayMillis: Math.min(waitMillis, NAK_SECONDS_MAX * 1000), why: "the next try is not due" }
  }
  return { _tag: "Launch", try: nextTry(deferred) }
}

const rejection = (
  order: TaskdefReady,
  nowMillis: number,
  end: Pick<TaskRejected, "outcome" | "problem" | "phase">
): TaskRejected => ({ runId: order.runId, attempt: order.attempt, at: instantOf(nowMillis), ...end })

const cancelledBeforeLaunch = (order: TaskdefReady, reason: string | undefined, nowMillis: number): TaskRejected =>
  rejection(order, nowMillis, {
    outcome: "cancelled",
    problem: {
      code: "Cancelled",
      message: `The run was cancelled before it was launched${reason === undefined ? "" : `: ${reason}`}.`,
      advice: "Request it again if it is still wanted."
    }
  })

const launchTimedOut = (order: TaskdefReady, last: Problem | undefined, nowMillis: number): TaskRejected =>
  rejection(order, nowMillis, {
    outcome: "timed_out",
    phase: "launch",
    problem: {
      code: "LaunchTimeout",
      message: `The launch was not possible in the time allowed${last === undefined ? "." : `; the last try said: ${last.message}`}`,
      advice:
        last === undefined
          ? "Raise `launchTimeoutSeconds`, or find out what the launch waits for."
          : `Raise \`launchTimeoutSeconds\`, or remove the cause: \`fleet explain ${last.code}\`.`
    }
  })

/** An order that cannot be read ends its attempt: nobody else would. */
export const unreadable = (
  order: { readonly runId: RunId; readonly attempt: number },
  why: string,
  nowMillis: number
): TaskRejected => ({
  runId: order.runId,
  attempt: order.attempt,
  at: instantOf(nowMillis),
  outcome: "crashed",
  problem: {
    code: "InternalError",
    message: `The launch order cannot be read: ${why}`,
    advice: "The original is kept on dead.launcher.<runId>; request the run again, and report this."
  }
})

const outcomeUnknown = (order: TaskdefReady, nowMillis: number): TaskRejected =>
  rejection(order, nowMillis, {
    outcome: "crashed",
    problem: {
      code: "OutcomeUnknown",
      message:
        "The launcher was away too long to know whether the task was launched, and ECS runs no task of this attempt.",
      advice: "Check what the program did, then request the run again."
    }
  })

/** What became of a launch: at most one fact to publish, and whether the order is done. */
export type Settled =
  | { readonly _tag: "Started"; readonly task: LaunchedTask }
  | { readonly _tag: "Deferred"; readonly deferred: TaskDeferred }
  | { readonly _tag: "Rejected"; readonly rejected: TaskRejected }
  /** The same call with the same token again; `throttled` = RunTask itself came too often. */
  | { readonly _tag: "Again"; readonly delayMillis: number; readonly throttled: boolean }
  /** An earlier answer may have been lost: look before the attempt is given up. */
  | { readonly _tag: "Look"; readonly otherwise: TaskRejected }
  /** The token was used with other parameters: these may be our own task. */
  | { readonly _tag: "Adopt"; readonly taskArns: ReadonlyArray<string>; readonly otherwise: TaskDeferred }

/**
 * What a failed launch means. Only capacity and a foreign use of the token are certain to have launched nothing and
 * raise the try; credentials and throttles say nothing about an earlier, lost answer, so that the token stays. No wait
 * outlasts the launch deadline, so that the run ends at it and not a long pause later.
 */
export const settleFailure = (
  order: TaskdefReady,
  failure: AwsFailure,
  context: { readonly try: number; readonly deliveries: number; readonly jitter: number },
  nowMillis: number
): Settled => {
  const problem = problemFor(order, failure)
  const deferredTo = (failedTries: number, waitSeconds: number): TaskDeferred => ({
    runId: order.runId,
    attempt: order.attempt,
    at: instantOf(nowMillis),
    try: failedTries,
    problem,
    nextTryAt: instantOf(Math.min(nowMillis + waitSeconds * 1000, millisOf(order.launchDeadline) + 1))
  })
  switch (failure.retry) {
    case "capacity":
      return { _tag: "Deferred", deferred: deferredTo(context.try, capacityWaitSeconds(context.try, context.jitter)) }
    case "credentials":
      return { _tag: "Deferred", deferred: deferredTo(context.try - 1, NAK_SECONDS_MAX) }
    case "conflict":
      return { _tag: "Adopt", taskArns: failure.resourceIds ?? [], otherwise: deferredTo(context.try, 0) }
    case "throttle":
      return {
        _tag: "Again",
        delayMillis: Math.round(1000 * (1 + context.jitter)),
        throttled: failure.action === "RunTask"
      }
    case "transient":
      return {
        _tag: "Again",
        delayMillis: Math.min(1000 * context.deliveries, NAK_SECONDS_MAX * 1000),
        throttled: false
      }
    default: {
      const rejected = rejection(order, nowMillis, { outcome: "rejected", problem })
      return context.deliveries > 1 ? { _tag: "Look", otherwise: rejected } : { _tag: "Rejected", rejected }
    }
  }
}

/** A definition that somebody else keeps is theirs to register again; one of the fleet's own is repaired by itself. */
const problemFor = (order: TaskdefReady, failure: AwsFailure): Problem => ({
  ...problemOf(failure),
  ...(failure.retry === "inactive" && order.definition === "linked"
    ? { advice: `Register it again, or name another: it was linked by the request as ${order.runTask.taskDefinition}.` }
    : {})
})

/** 10 s, 20 s, 40 s … 300 s, each shortened by up to a fifth (`jitter` in 0..1). */
export const capacityWaitSeconds = (tryNumber: number, jitter: number): number =>
  Math.min(CAPACITY_FIRST_SECONDS * 2 ** Math.min(tryNumber - 1, 10), CAPACITY_SECONDS_MAX) * (1 - 0.2 * jitter)

/** The task as far as RunTask or DescribeTasks told; AWS's names. */
export interface LaunchedTask {
  readonly taskArn: string
  readonly clusterArn: string
  readonly lastStatus: string
  readonly createdAt: Instant | undefined
}

export const startedOf = (
  order: TaskdefReady,
  task: LaunchedTask,
  tryNumber: number,
  nowMillis: number
): TaskStarted => {
  const at = task.createdAt ?? instantOf(nowMillis)
  return {
    runId: order.runId,
    attempt: order.attempt,
    at: instantOf(nowMillis),
    try: tryNumber,
    target: order.target,
    taskArn: task.taskArn,
    clusterArn: task.clusterArn,
    taskDefinitionArn: order.runTask.taskDefinition,
    containerName: order.containerName,
    lastStatus: task.lastStatus,
    logs: order.logs,
    startDeadline: instantOf(millisOf(at) + order.taskStartTimeoutSeconds * 1000),
    runTimeoutSeconds: order.runTimeoutSeconds,
    pollIntervalSeconds: order.pollIntervalSeconds
  }
}
