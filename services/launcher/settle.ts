import { type AwsFailure, type Problem, problemOf } from "#ecs-core/errors.ts"
import { type Instant, instantOf, millisOf } from "#ecs-core/Instant.ts"
import type { TaskDeferred, TaskdefReady, TaskStarted } from "#ecs-core/Messages.ts"
import { blindUntil } from "#ecs-core/Run.ts"
import { LISTED_SECONDS, NAK_SECONDS_MAX, type Otherwise } from "./decide.ts"
import { deadlineOf, type Evidence, type Marker, tokenOf } from "./evidence.ts"
import { rejection } from "./rejections.ts"

/** Waits for capacity: 10 s, doubling to 5 minutes. */
export const CAPACITY_FIRST_SECONDS = 10
export const CAPACITY_SECONDS_MAX = 300

/** What became of a launch. */
export type Settled =
  | { readonly _tag: "Started"; readonly task: LaunchedTask }
  | Otherwise
  /** An earlier answer may have been lost: look before the attempt is given up. */
  | { readonly _tag: "Look"; readonly otherwise: Otherwise }
  /** The token was used with other parameters: these may be our own task. */
  | { readonly _tag: "Adopt"; readonly taskArns: ReadonlyArray<string>; readonly otherwise: Otherwise }

/** What a launch knew when it failed. */
export interface Launch {
  /** As it was before this launch. */
  readonly evidence: Evidence
  /** What was stored before RunTask; undefined = it was not called. */
  readonly called: Marker | undefined
  readonly deliveries: number
  /** Since when AWS could not be asked for this launch, epoch milliseconds; absent = since now, or as the last deferral says. */
  readonly blindSince?: number
  /** In 0..1. */
  readonly jitter: number
}

/**
 * What a failed launch means. A refusal for lack of capacity says that no call with this token launched anything: a
 * replay would have got the task. Any other refusal says so only if its call was the only one with the token; after a
 * lost answer the token stays. No wait outlasts the launch deadline, so that the run ends at it and not a long pause
 * later.
 */
export const settleFailure = (order: TaskdefReady, failure: AwsFailure, launch: Launch, nowMillis: number): Settled => {
  const isCertain = isOnlyCall(launch, failure)
  const defer = (waitSeconds: number, settles = isCertain): Otherwise => ({
    _tag: "Defer",
    deferred: deferral(order, failure, launch, { waitSeconds, settles }, nowMillis)
  })
  const youngSeconds = unlistedSeconds(launch, failure, nowMillis)
  const wait = youngSeconds > 0 ? defer(youngSeconds, false) : undefined
  switch (failure.retry) {
    case "capacity":
      return defer(capacityWaitSeconds(1 + (launch.evidence.deferred?.capacityFailures ?? 0), launch.jitter), true)
    case "conflict": {
      const taskArns = failure.resourceIds ?? []
      if (taskArns.length > 0) return { _tag: "Adopt", taskArns, otherwise: defer(0, true) }
      return { _tag: "Look", otherwise: wait ?? defer(0, true) }
    }
    case "credentials":
      return defer(1 + launch.jitter)
    case "throttle":
      return defer(1 + launch.jitter)
    case "transient":
      return defer(transientWaitSeconds(launch, nowMillis), false)
    default: {
      const end: Otherwise = {
        _tag: "Reject",
        rejected: rejection(order, nowMillis, { outcome: "rejected", problem: problemFor(order, failure) })
      }
      return isCertain ? end : { _tag: "Look", otherwise: wait ?? end }
    }
  }
}

/** No other call with the token can have launched anything, nor can an earlier one that the SDK made by itself. */
const isOnlyCall = ({ evidence }: Launch, { repeated }: AwsFailure): boolean =>
  tokenOf(evidence).uncertain === undefined && repeated !== true

/** How long ECS may still not list what an earlier call with the token launched. */
const unlistedSeconds = ({ evidence, called }: Launch, { repeated }: AwsFailure, nowMillis: number): number => {
  const earlier = tokenOf(evidence).uncertain ?? (repeated === true ? called : undefined)
  return earlier === undefined ? 0 : millisOf(earlier.message.at) / 1000 + LISTED_SECONDS - nowMillis / 1000
}

interface Deferral {
  readonly waitSeconds: number
  /** RunTask, where it was called, launched nothing for certain. */
  readonly settles: boolean
}

const deferral = (
  order: TaskdefReady,
  failure: AwsFailure,
  { blindSince, called, evidence }: Launch,
  { waitSeconds, settles }: Deferral,
  nowMillis: number
): TaskDeferred => {
  const isSettled = called !== undefined && settles
  const settled = called === undefined ? evidence.deferred?.settles : settles ? called.seq : undefined
  const failures = (evidence.deferred?.capacityFailures ?? 0) + (failure.retry === "capacity" ? 1 : 0)
  const blindBefore = evidence.deferred === undefined ? 0 : blindUntil(evidence.deferred, nowMillis)
  const blindSeconds = (blindBefore + Math.max(0, nowMillis - (blindSince ?? nowMillis))) / 1000
  return {
    runId: order.runId,
    attempt: order.attempt,
    at: instantOf(nowMillis),
    try: tokenOf(evidence).try - (isSettled ? 0 : 1),
    problem: problemFor(order, failure),
    nextTryAt: instantOf(Math.min(nowMillis + waitSeconds * 1000, deadlineOf(order, evidence, nowMillis) + 1)),
    ...(settled === undefined ? {} : { settles: settled }),
    ...(failures === 0 ? {} : { capacityFailures: failures }),
    ...(blindSeconds === 0 ? {} : { blindSeconds })
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
export const capacityWaitSeconds = (failures: number, jitter: number): number =>
  Math.min(CAPACITY_FIRST_SECONDS * 2 ** Math.min(failures - 1, 10), CAPACITY_SECONDS_MAX) * (1 - 0.2 * jitter)

/** As long again as the token has been waiting for its answer: 1 s to 30 s. */
const transientWaitSeconds = ({ evidence, called, deliveries }: Launch, nowMillis: number): number => {
  const since = (tokenOf(evidence).uncertain ?? called)?.message.since
  const waited = since === undefined ? deliveries : (nowMillis - millisOf(since)) / 1000
  return Math.min(Math.max(1, waited), NAK_SECONDS_MAX)
}

/** The task as far as RunTask or DescribeTasks told; AWS's names. */
export interface LaunchedTask {
  readonly taskArn: string
  readonly clusterArn: string
  readonly lastStatus: string
  readonly createdAt: Instant | undefined
}

/** Deadlines count from ECS's own time, where it gave one. */
export const startedOf = (
  order: TaskdefReady,
  task: LaunchedTask,
  tryNumber: number,
  nowMillis: number
): TaskStarted => {
  const createdMillis = task.createdAt === undefined ? nowMillis : millisOf(task.createdAt)
  const { provisioningTimeoutSeconds } = order
  const provisioningMillis = (provisioningTimeoutSeconds ?? 0) * 1000
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
    ...(task.createdAt === undefined ? {} : { createdAt: task.createdAt }),
    logs: order.logs,
    ...(provisioningTimeoutSeconds === undefined
      ? {}
      : { provisioningDeadline: instantOf(createdMillis + provisioningMillis) }),
    startDeadline: instantOf(createdMillis + provisioningMillis + order.taskStartTimeoutSeconds * 1000),
    runTimeoutSeconds: order.runTimeoutSeconds,
    pollIntervalSeconds: order.pollIntervalSeconds
  }
}
