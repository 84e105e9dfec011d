import { diagnose } from "#ecs-core/Diagnosis.ts"
import { instantOf, millisOf } from "#ecs-core/Instant.ts"
import type { TaskChanged, TaskStarted, TaskStopped, TaskTimes } from "#ecs-core/Messages.ts"
import { StopCodes, stopReason } from "#ecs-core/StopReason.ts"

/**
 * Watching one task. Everything is judged from ECS's own description: its version orders answers (a repeated or older
 * one changes nothing), its times decide deadlines, and only on an answer that was obtained after the deadline, so
 * that a watcher which could not see for a while never stops a task for it. The attempt is over when the
 * orchestration container has its exit code and the task is being taken down, up to half a minute before STOPPED; the
 * lease is kept until STOPPED all the same.
 */

/** DescribeTasks is eventually consistent: for so long a launched task may be missing. */
export const MISSING_GRACE_SECONDS = 60

/** A task counts as young for so long and is asked about more often. */
export const YOUNG_SECONDS = 60

/** A stop that shows no effect is sent again after this time. */
export const STOP_AGAIN_SECONDS = 30

/** What one replica knows of a task it owns. */
export interface Watched {
  readonly started: TaskStarted
  /** Version and status last published. */
  readonly version: number
  readonly lastStatus: string | undefined
  readonly reachedRunning: boolean
  /** `task.stopped` is published. */
  readonly over: boolean
  /** When our own StopTask was last sent, epoch milliseconds. */
  readonly stopSentAt: number | undefined
}

export const watch = (started: TaskStarted): Watched => ({
  started,
  version: 0,
  lastStatus: undefined,
  reachedRunning: false,
  over: false,
  stopSentAt: undefined
})

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

/** What an answer of ECS means; `task` undefined = DescribeTasks does not know it. */
export const judge = (watched: Watched, task: SeenTask | undefined, nowMillis: number): Judgement => {
  if (task === undefined) return missing(watched, nowMillis)
  if (task.version < watched.version) return { watched, actions: [] }
  const changed = task.version > watched.version && task.lastStatus !== watched.lastStatus
  const known: Watched = {
    ...watched,
    version: task.version,
    lastStatus: task.lastStatus,
    reachedRunning: watched.reachedRunning || task.times.startedAt !== undefined
  }
  const changes: ReadonlyArray<Action> = changed
    ? [{ _tag: "PublishChanged", fact: changeOf(watched.started, task, nowMillis) }]
    : []
  const isOver = !watched.over && attemptIsOver(watched.started.containerName, task)
  const ends: ReadonlyArray<Action> = isOver
    ? [{ _tag: "PublishStopped", fact: endOf(watched.started, task, nowMillis) }]
    : []
  const release: ReadonlyArray<Action> = GONE.has(task.lastStatus) ? [{ _tag: "Release" }] : []
  const stop = known.over || isOver ? undefined : reasonToStop(known, task, nowMillis)
  return {
    watched: { ...known, over: watched.over || isOver, stopSentAt: stop === undefined ? known.stopSentAt : nowMillis },
    actions: [
      ...changes,
      ...(stop === undefined ? [] : [{ _tag: "StopTask" as const, reason: stop }]),
      ...ends,
      ...release
    ]
  }
}

const attemptIsOver = (containerName: string, task: SeenTask): boolean => {
  if (GONE.has(task.lastStatus)) return true
  const container = task.containers.find(({ name }) => name === containerName)
  return TAKEN_DOWN.has(task.lastStatus) && container?.exitCode !== undefined
}

const reasonToStop = (watched: Watched, task: SeenTask, nowMillis: number): string | undefined => {
  const sent = watched.stopSentAt
  if (sent !== undefined && nowMillis - sent < STOP_AGAIN_SECONDS * 1000) return undefined
  const { started } = watched
  const container = task.containers.find(({ name }) => name === started.containerName)
  if (task.lastStatus === "RUNNING" && container?.exitCode !== undefined) return stopReason(StopCodes.containerExited)
  if (BEFORE_RUNNING.has(task.lastStatus)) {
    const seconds = Math.round((millisOf(started.startDeadline) - millisOf(started.at)) / 1000)
    return nowMillis > millisOf(started.startDeadline) ? stopReason(StopCodes.startTimeout, `${seconds} s`) : undefined
  }
  const startedAt = task.times.startedAt
  const runDeadline = startedAt === undefined ? undefined : millisOf(startedAt) + started.runTimeoutSeconds * 1000
  return task.lastStatus === "RUNNING" && runDeadline !== undefined && nowMillis > runDeadline
    ? stopReason(StopCodes.runTimeout, `${started.runTimeoutSeconds} s`)
    : undefined
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

const endOf = (started: TaskStarted, task: SeenTask, nowMillis: number): TaskStopped => ({
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
  times: task.times
})

/** Missing right after the launch means "not yet"; later nobody can say how the program ended: never run it again. */
const missing = (watched: Watched, nowMillis: number): Judgement => {
  const { started } = watched
  if (nowMillis - millisOf(started.at) < MISSING_GRACE_SECONDS * 1000) return { watched, actions: [] }
  const fact: TaskStopped = {
    runId: started.runId,
    attempt: started.attempt,
    at: instantOf(nowMillis),
    taskArn: started.taskArn,
    outcome: "crashed",
    problem: {
      code: "OutcomeUnknown",
      message: "ECS no longer knows the task, so nobody can say how the program ended.",
      advice: "Check what the program did, then request the run again."
    },
    containers: [],
    times: {}
  }
  const end: ReadonlyArray<Action> = watched.over ? [] : [{ _tag: "PublishStopped", fact }]
  return { watched: { ...watched, over: true }, actions: [...end, { _tag: "Release" }] }
}

/** How long until the task is asked about again. */
export const pollMillis = (watched: Watched, youngPollSeconds: number, nowMillis: number): number => {
  const { at, pollIntervalSeconds } = watched.started
  const young = nowMillis - millisOf(at) < YOUNG_SECONDS * 1000
  return 1000 * (young ? Math.min(youngPollSeconds, pollIntervalSeconds) : pollIntervalSeconds)
}

/** What to do with a stop order, given the facts of its attempt and how long ago it was given. */
export const decideStop = (
  facts: { readonly started: TaskStarted | undefined; readonly ended: boolean },
  deliveries: number
):
  | { readonly _tag: "Stop"; readonly started: TaskStarted }
  | { readonly _tag: "Done" }
  | { readonly _tag: "Later"; readonly delayMillis: number } => {
  if (facts.ended) return { _tag: "Done" }
  if (facts.started !== undefined) return { _tag: "Stop", started: facts.started }
  return { _tag: "Later", delayMillis: Math.min(250 * 2 ** Math.min(deliveries - 1, 10), 10_000) }
}

/** A task that ECS does not find: within a minute of its launch it may still appear. */
export const stopAgainAfterNotFound = (started: TaskStarted, nowMillis: number): boolean =>
  nowMillis - millisOf(started.at) < MISSING_GRACE_SECONDS * 1000
