import { type Drain, isDraining } from "#ecs-core/Drain.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import type { TaskDeferred, TaskdefReady, TaskRejected } from "#ecs-core/Messages.ts"
import { currentAttempt, isBlind, isFinal, type Run } from "#ecs-core/Run.ts"
import { deadlineOf, type Evidence, type Marker, tokenOf } from "./evidence.ts"
import { cancelledBeforeLaunch, launchTimedOut, outcomeUnknown } from "./rejections.ts"

/**
 * Launching exactly once. The client token is a hash of fleet, run, attempt and try: the same launch, repeated after a
 * crash or a lost answer, replays the token and gets the same task. A new try means a new token, and with it a new
 * task; it is therefore taken only when ECS has said for certain that the try before launched nothing, and that answer
 * is stored (`task.deferred`) before the order is handed back. ECS remembers a token for as little as an hour after
 * its task ended. A token that was first used longer ago than that, with no certain answer since, is not used again:
 * ECS is asked for the task, and if it has none, nobody knows what became of it.
 */

/** A token that may have launched something is replayed for so long after its first use. */
export const TOKEN_TRUST_SECONDS = 45 * 60

/** ECS may not list a task that was launched less than this ago. */
export const LISTED_SECONDS = 60

/** The longest pause before an order is looked at again: cancels are answered within it. */
export const NAK_SECONDS_MAX = 30

/** While the fleet drains, it is looked again after this time whether it still does. */
export const DRAIN_LOOK_SECONDS = 10

/** Between two looks for a task that ECS may not list yet. */
const LOOK_AGAIN_MILLIS = 15_000

export type Decision =
  /** Call RunTask with this try's token; `replays` = the last call that may have used it already. */
  | { readonly _tag: "Launch"; readonly try: number; readonly replays: Marker | undefined }
  /** Nothing can have been launched: the attempt is over. */
  | { readonly _tag: "Reject"; readonly rejected: TaskRejected }
  /** Ask ECS by `startedBy`; `otherwise` is what follows if there is no such task. */
  | { readonly _tag: "Look"; readonly otherwise: Otherwise }
  | Later
  | { readonly _tag: "Drop"; readonly why: string }

export interface Later {
  readonly _tag: "Later"
  readonly delayMillis: number
  readonly why: string
}

export type Otherwise =
  | { readonly _tag: "Reject"; readonly rejected: TaskRejected }
  | { readonly _tag: "Defer"; readonly deferred: TaskDeferred }
  | Later

/** What to do with an order, given the record and the drain as they are right now and what is stored about the launch. */
export const decide = (
  order: TaskdefReady,
  run: Run | undefined,
  evidence: Evidence,
  nowMillis: number,
  drain?: Drain
): Decision => {
  if (run === undefined) return later(1000, "the run has no record yet")
  const moot = evidence.isRejected ? "the attempt was rejected" : isMoot(order, run)
  if (moot !== undefined) return { _tag: "Drop", why: moot }
  const { try: tryNumber, uncertain } = tokenOf(evidence)
  if (isDraining(drain) && run.cancel === undefined) return whileDraining(uncertain)
  const end = endOf(order, run, evidence, nowMillis)
  if (end !== undefined) {
    return uncertain === undefined
      ? { _tag: "Reject", rejected: end }
      : { _tag: "Look", otherwise: afterLook(uncertain, end, nowMillis) }
  }
  const dueAt = dueAtOf(order, evidence)
  if (dueAt > nowMillis) return later(Math.min(dueAt - nowMillis, NAK_SECONDS_MAX * 1000), "the next try is not due")
  return { _tag: "Launch", try: tryNumber, replays: uncertain }
}

/**
 * Nothing is launched, also not by a replay, which launches where the call before it did not arrive. What a call did
 * launch is found, and told.
 */
const whileDraining = (uncertain: Marker | undefined): Decision =>
  uncertain === undefined
    ? later(DRAIN_LOOK_SECONDS * 1000, DRAINS)
    : { _tag: "Look", otherwise: later(LOOK_AGAIN_MILLIS, DRAINS) }

const DRAINS = "the fleet drains"

const later = (delayMillis: number, why: string): Later => ({ _tag: "Later", delayMillis, why })

/** Why nobody waits for the launch any more. */
const isMoot = (order: TaskdefReady, run: Run): string | undefined => {
  const current = currentAttempt(run)
  if (isFinal(run)) return "the run is over"
  if (current?.attempt !== order.attempt) return "another attempt is current"
  if (current.over === true) return "the attempt is over"
  return current.taskArn === undefined ? undefined : "the task was launched"
}

/** How the attempt ends, where its time is over. */
const endOf = (
  order: TaskdefReady,
  { cancel }: Run,
  evidence: Evidence,
  nowMillis: number
): TaskRejected | undefined => {
  if (cancel !== undefined) return cancelledBeforeLaunch(order, cancel.reason, nowMillis)
  if (nowMillis > deadlineOf(order, evidence, nowMillis))
    return launchTimedOut(order, evidence.deferred?.problem, nowMillis)
  const { uncertain } = tokenOf(evidence)
  const isTooOld = uncertain !== undefined && nowMillis - millisOf(uncertain.message.since) > TOKEN_TRUST_SECONDS * 1000
  return isTooOld ? outcomeUnknown(order, nowMillis) : undefined
}

/** A task of the last call that ECS does not list yet may still show up: no end before that. */
const afterLook = ({ message }: Marker, rejected: TaskRejected, nowMillis: number): Otherwise => {
  const youngMillis = millisOf(message.at) + LISTED_SECONDS * 1000 - nowMillis
  return youngMillis > 0
    ? later(Math.min(youngMillis, LOOK_AGAIN_MILLIS), "ECS may not list the task yet")
    : { _tag: "Reject", rejected }
}

/** What waits for credentials is due as soon as they work, which the gate knows. */
const dueAtOf = (order: TaskdefReady, { deferred }: Evidence): number =>
  Math.max(
    order.notBefore === undefined ? 0 : millisOf(order.notBefore),
    deferred === undefined || isBlind(deferred.problem) ? 0 : millisOf(deferred.nextTryAt)
  )

/** An order whose set of credentials pauses comes again after this time at the latest. */
export const PAUSED_SECONDS_MAX = 10

/** As long again as the order has waited already: 1 s to 10 s, each longer by up to a half (`jitter` in 0..1). */
export const pausedMillis = ({ deferred }: Evidence, jitter: number, nowMillis: number): number => {
  const waited = deferred === undefined ? 0 : nowMillis - millisOf(deferred.at)
  return Math.round(Math.min(Math.max(1000, waited), PAUSED_SECONDS_MAX * 1000) * (1 + jitter / 2))
}

/** Whether a decision leads to a call to AWS, or judges what only AWS's answer can tell: whether there is still time. */
export const needsSight = (decision: Decision): boolean =>
  decision._tag === "Launch" ||
  decision._tag === "Look" ||
  (decision._tag === "Reject" && decision.rejected.outcome === "timed_out")

/** Whether the record of the launch says already that it waits for credentials. */
export const isToldBlind = ({ deferred }: Evidence): boolean => isBlind(deferred?.problem)
