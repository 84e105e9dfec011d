import { diagnose } from "#ecs-core/Diagnosis.ts"
import { type Instant, instantOf, millisOf } from "#ecs-core/Instant.ts"
import type { TaskChanged, TaskStarted, TaskStopped, TaskTimes } from "#ecs-core/Messages.ts"
import { type StopCode, StopCodes, stopReason } from "#ecs-core/StopReason.ts"

/**
 * Watching one task. Everything is judged from ECS's own description: its version orders answers (a repeated or older
 * one changes nothing), its times decide deadlines, and only on an answer that was asked for after the deadline, so
 * that a watcher which could not see for a while never stops a task for it. The attempt is over when the
 * orchestration container has its exit code and the task is being taken down, up to half a minute before STOPPED; the
 * lease is kept until STOPPED all the same. A stop is sent again until it shows, and only what ECS then says of the
 * stopped task is told: nobody hears of a time-out whose task still runs.
 */

/** DescribeTasks is eventually consistent: for so long a launched task may be missing. */
export const MISSING_GRACE_SECONDS = 60

/** Later, a task counts as gone when every answer over so long does not know it: one may be wrong. */
export const MISSING_CONFIRM_SECONDS = 10

/** A cluster that no answer over so long knows is gone, with its tasks: for a while its credentials may be another account's. */
export const CLUSTER_GONE_SECONDS = 600

/** A stop that shows no effect is sent again after this time. */
export const STOP_AGAIN_SECONDS = 30

/** A stop that must show in ECS's answers; `sentAt` undefined = not sent yet, epoch milliseconds. */
export interface WantedStop {
  readonly reason: string
  readonly sentAt: number | undefined
}

/** What one replica knows of a task it owns; times in epoch milliseconds. */
export interface Watched {
  readonly started: TaskStarted
  /** Version and status last seen. */
  readonly version: number
  readonly lastStatus: string | undefined
  /** ECS's own times, once it told them. */
  readonly createdAt: number | undefined
  readonly startedAt: number | undefined
  /** Since when no answer has known the task. */
  readonly missingSince: number | undefined
  /** `task.stopped` is published. */
  readonly over: boolean
  readonly stop: WantedStop | undefined
}

/** What was told and ordered about a task before it was ours. */
export interface Before {
  /** The reason of a stop order for its attempt. */
  readonly stop?: string | undefined
  /** The last change that its owner before told: it is not told again. */
  readonly changed?: TaskChanged | undefined
}

/** A task whose owner we become. */
export const watch = (started: TaskStarted, { changed, stop }: Before = {}): Watched => ({
  started,
  version: changed?.version ?? 0,
  lastStatus: changed?.lastStatus,
  createdAt: optionalMillis(changed?.times.createdAt),
  startedAt: optionalMillis(changed?.times.startedAt),
  missingSince: undefined,
  over: false,
  stop: stop === undefined ? undefined : { reason: stop, sentAt: undefined }
})

const optionalMillis = (at: Instant | undefined): number | undefined => (at === undefined ? undefined : millisOf(at))

/** Somebody else carries out a stop order for the task: whether it shows is watched from now on. */
export const stopOrdered = (watched: Watched, reason: string, nowMillis: number): Watched =>
  watched.stop === undefined ? { ...watched, stop: { reason, sentAt: nowMillis } } : watched

/** A task as DescribeTasks told; names as ECS spells them. */
export interface SeenTask {
  readonly taskArn: string
  readonly lastStatus: string
  readonly version: number
  readonly stopCode: string | undefined
  readonly stoppedReason: string | undefined
  readonly containers: ReadonlyArray<{
    readonly name: string
    readonly exitCode: number | undefined
    readonly reason: string | undefined
  }>
  readonly times: TaskTimes
}

export type Action =
  | { readonly _tag: "PublishChanged"; readonly fact: TaskChanged }
  | { readonly _tag: "PublishStopped"; readonly fact: TaskStopped }
  | { readonly _tag: "StopTask"; readonly reason: string }
  /** The task is gone for good: give the lease back. */
  | { readonly _tag: "Release" }

export interface Judgement {
  readonly watched: Watched
  readonly actions: ReadonlyArray<Action>
}

const TAKEN_DOWN: ReadonlySet<string> = new Set(["DEPROVISIONING", "STOPPED", "DELETED"])
const GONE: ReadonlySet<string> = new Set(["STOPPED", "DELETED"])
const BEFORE_RUNNING: ReadonlySet<string> = new Set(["PROVISIONING", "PENDING", "ACTIVATING"])

/** The task ends already: a stop has shown, or is not needed any more. */
export const isEnding = (lastStatus: string | undefined): boolean =>
  lastStatus !== undefined && (TAKEN_DOWN.has(lastStatus) || lastStatus === "DEACTIVATING" || lastStatus === "STOPPING")

/** What an answer of ECS means that was asked for at `askedAt`; `task` undefined = DescribeTasks does not know it. */
export const judge = (before: Watched, task: SeenTask | undefined, askedAt: number): Judgement => {
  if (task === undefined) return missing(before, askedAt, MISSING_CONFIRM_SECONDS)
  if (task.version < before.version) return { watched: { ...before, missingSince: undefined }, actions: [] }
  const watched = learn(before, task)
  const hasChanged = task.version > before.version && task.lastStatus !== before.lastStatus
  const isOver = !before.over && attemptIsOver(before.started.containerName, task)
  const changes: ReadonlyArray<Action> = hasChanged
    ? [{ _tag: "PublishChanged", fact: changeOf(watched.started, task, askedAt) }]
    : []
  const ends: ReadonlyArray<Action> = isOver ? [{ _tag: "PublishStopped", fact: endOf(watched, task, askedAt) }] : []
  const release: ReadonlyArray<Action> = GONE.has(task.lastStatus) ? [{ _tag: "Release" }] : []
  const reason = watched.over || isOver ? undefined : reasonToStop(watched, task, askedAt)
  const stops: ReadonlyArray<Action> = reason === undefined ? [] : [{ _tag: "StopTask", reason }]
  const stop = reason === undefined ? watched.stop : { reason, sentAt: askedAt }
  return {
    watched: { ...watched, over: watched.over || isOver, stop },
    actions: [...changes, ...stops, ...ends, ...release]
  }
}

const learn = (before: Watched, { lastStatus, times, version }: SeenTask): Watched => ({
  ...before,
  version,
  lastStatus,
  missingSince: undefined,
  createdAt: optionalMillis(times.createdAt) ?? before.createdAt,
  startedAt: optionalMillis(times.startedAt) ?? before.startedAt
})

const attemptIsOver = (containerName: string, task: SeenTask): boolean =>
  GONE.has(task.lastStatus) || (TAKEN_DOWN.has(task.lastStatus) && exitCodeOf(containerName, task) !== undefined)

const exitCodeOf = (containerName: string, task: SeenTask): number | undefined =>
  task.containers.find(({ name }) => name === containerName)?.exitCode

const reasonToStop = (watched: Watched, task: SeenTask, askedAt: number): string | undefined => {
  if (isEnding(task.lastStatus)) return undefined
  const { started, stop } = watched
  if (stop !== undefined) {
    const isDue = stop.sentAt === undefined || askedAt - stop.sentAt >= STOP_AGAIN_SECONDS * 1000
    return isDue ? stop.reason : undefined
  }
  if (exitCodeOf(started.containerName, task) !== undefined) return stopReason(StopCodes.containerExited)
  const deadline = deadlineOf(watched)
  return deadline !== undefined && askedAt > deadline.at
    ? stopReason(deadline.code, `${deadline.seconds} s`)
    : undefined
}

export interface Deadline {
  readonly code: StopCode
  /** Epoch milliseconds. */
  readonly at: number
  /** How long the task had until then. */
  readonly seconds: number
}

/** Until when the task may stay in the state in which it was seen last; undefined = for ever. */
export const deadlineOf = (watched: Watched): Deadline | undefined => {
  const { createdAt, lastStatus = "PENDING", started, startedAt } = watched
  if (BEFORE_RUNNING.has(lastStatus)) {
    const isPlaced = lastStatus !== "PROVISIONING" || started.provisioningDeadline === undefined
    const code = isPlaced ? StopCodes.startTimeout : StopCodes.provisioningTimeout
    const at = millisOf((isPlaced ? undefined : started.provisioningDeadline) ?? started.startDeadline)
    return { code, at, seconds: Math.round((at - (createdAt ?? millisOf(started.at))) / 1000) }
  }
  if (lastStatus !== "RUNNING" || startedAt === undefined) return undefined
  const seconds = started.runTimeoutSeconds
  return { code: StopCodes.runTimeout, at: startedAt + seconds * 1000, seconds }
}

const changeOf = (started: TaskStarted, task: SeenTask, nowMillis: number): TaskChanged => ({
  runId: started.runId,
  attempt: started.attempt,
  at: instantOf(nowMillis),
  taskArn: task.taskArn,
  lastStatus: task.lastStatus,
  version: task.version,
  times: task.times
})

const endOf = ({ started, startedAt }: Watched, task: SeenTask, nowMillis: number): TaskStopped => ({
  runId: started.runId,
  attempt: started.attempt,
  at: instantOf(nowMillis),
  taskArn: task.taskArn,
  ...diagnose(task, started.containerName),
  ...(task.stopCode === undefined ? {} : { stopCode: task.stopCode }),
  ...(task.stoppedReason === undefined ? {} : { stoppedReason: task.stoppedReason }),
  containers: task.containers.map(({ name, exitCode, reason }) => ({
    name,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(reason === undefined ? {} : { reason })
  })),
  ...mayHaveRun(startedAt, exitCodeOf(started.containerName, task)),
  times: task.times
})

const mayHaveRun = (startedAt: number | undefined, exitCode: number | undefined): { readonly reachedRunning?: true } =>
  startedAt === undefined && exitCode === undefined ? {} : { reachedRunning: true }

/** What it means that ECS does not even know the task's cluster. */
export const judgeWithoutCluster = (before: Watched, askedAt: number): Judgement =>
  missing(before, askedAt, CLUSTER_GONE_SECONDS)

/** Missing right after the launch means "not yet"; later nobody can say how the program ended: never run it again. */
const missing = (before: Watched, askedAt: number, confirmSeconds: number): Judgement => {
  const { started, startedAt } = before
  const missingSince = before.missingSince ?? askedAt
  const watched = { ...before, missingSince }
  const isEarly = askedAt - millisOf(started.at) < MISSING_GRACE_SECONDS * 1000
  if (isEarly || askedAt - missingSince < confirmSeconds * 1000) return { watched, actions: [] }
  const fact: TaskStopped = {
    runId: started.runId,
    attempt: started.attempt,
    at: instantOf(askedAt),
    taskArn: started.taskArn,
    outcome: "crashed",
    problem: {
      code: "OutcomeUnknown",
      message: "ECS no longer knows the task, so nobody can say how the program ended.",
      advice: "Check what the program did, then request the run again."
    },
    containers: [],
    ...mayHaveRun(startedAt, undefined),
    times: {}
  }
  const end: ReadonlyArray<Action> = before.over ? [] : [{ _tag: "PublishStopped", fact }]
  const gone: Action = { _tag: "PublishChanged", fact: goneOf(before, askedAt) }
  return { watched: { ...watched, over: true }, actions: [...end, gone, { _tag: "Release" }] }
}

/** In ECS's word for it, as the version after the last one seen: whoever waits for the task to be gone need not any longer. */
const goneOf = ({ started, version }: Watched, askedAt: number): TaskChanged => ({
  runId: started.runId,
  attempt: started.attempt,
  at: instantOf(askedAt),
  taskArn: started.taskArn,
  lastStatus: "DELETED",
  version: version + 1,
  times: {}
})

/** What is known of the attempt that a stop order is for. */
export interface StopFacts {
  readonly started: TaskStarted | undefined
  readonly isStopped: boolean
  readonly isRejected: boolean
}

/**
 * What to do with a stop order. A task that exists is stopped, even if its attempt was rejected: then nobody waits for
 * it. One that appears after its order is done finds the order when it is taken over (`watch`).
 */
export const decideStop = (
  facts: StopFacts,
  deliveries: number
):
  | { readonly _tag: "Stop"; readonly started: TaskStarted }
  | { readonly _tag: "Done" }
  | { readonly _tag: "Later"; readonly delayMillis: number } => {
  if (facts.isStopped) return { _tag: "Done" }
  if (facts.started !== undefined) return { _tag: "Stop", started: facts.started }
  if (facts.isRejected) return { _tag: "Done" }
  return { _tag: "Later", delayMillis: Math.min(250 * 2 ** Math.min(deliveries - 1, 10), 10_000) }
}

/** A task that ECS does not find: within a minute of its launch it may still appear. */
export const stopAgainAfterNotFound = (started: TaskStarted, nowMillis: number): boolean =>
  nowMillis - millisOf(started.at) < MISSING_GRACE_SECONDS * 1000
