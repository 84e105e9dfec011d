import type { Container, Task, TaskStopCode } from "@aws-sdk/client-ecs"
import type { StopFault } from "./Fault.ts"
import type { TaskRecord, TimeScale } from "./World.ts"

/**
 * The life of a task as a pure function: what is, what happened, when -> what is then, and what the shell must do.
 *
 * PROVISIONING -> PENDING -> ACTIVATING -> RUNNING -> DEACTIVATING -> STOPPING -> DEPROVISIONING -> STOPPED. A state ends
 * by time, except that ACTIVATING waits for the containers to start, RUNNING for one to end (or a stop), STOPPING for the
 * last one to end. A task that is stopped before it runs goes straight to DEPROVISIONING. A task without a network
 * interface of its own begins with PENDING, and has nothing to give back in DEPROVISIONING.
 */
export type TaskEvent =
  /** The time in the present state is over. */
  | { readonly _tag: "TimeOver" }
  /** All containers were started, or refused though not essential. */
  | { readonly _tag: "ContainersStarted" }
  | { readonly _tag: "ContainerRefused"; readonly name: string; readonly reason: string; readonly exitCode?: number }
  | { readonly _tag: "ContainerExited"; readonly name: string; readonly reason?: string; readonly exitCode?: number }
  | { readonly _tag: "StopAsked"; readonly stopCode: TaskStopCode; readonly reason: string }

/** What the shell must do about the containers after a step. */
export type Command =
  | "StartContainers"
  /** Ask those that still run to end. */
  | "StopContainers"
  /** Give up starting; what was started already is ended at once. */
  | "AbandonContainers"

export interface Step {
  readonly record: TaskRecord
  readonly command?: Command
}

type State = "PROVISIONING" | "PENDING" | "ACTIVATING" | "DEACTIVATING" | "STOPPING" | "DEPROVISIONING"

/** Milliseconds in each state. `fargate`: network interface 4 s, host 8 s, pull 6 s and start 1 s, tail after the exit 22 s. */
export const stateMillis: Readonly<Record<TimeScale, Readonly<Record<State, number>>>> = {
  instant: { PROVISIONING: 0, PENDING: 0, ACTIVATING: 0, DEACTIVATING: 0, STOPPING: 0, DEPROVISIONING: 0 },
  dev: { PROVISIONING: 50, PENDING: 50, ACTIVATING: 50, DEACTIVATING: 50, STOPPING: 50, DEPROVISIONING: 50 },
  fargate: {
    PROVISIONING: 4000,
    PENDING: 8000,
    ACTIVATING: 7000,
    DEACTIVATING: 500,
    STOPPING: 500,
    DEPROVISIONING: 22_000
  }
}

/** The last part of ACTIVATING: the image is there, the containers are being made. */
const startMillis: Readonly<Record<TimeScale, number>> = { instant: 0, dev: 10, fargate: 1000 }

export interface LifeOptions {
  readonly timeScale: TimeScale
  readonly stoppedTaskSeconds: number
}

export const step = (record: TaskRecord, event: TaskEvent, now: number, options: LifeOptions): Step => {
  switch (event._tag) {
    case "TimeOver":
      return timeOver(record, now, options)
    case "ContainersStarted":
      return started(record, now, options)
    case "ContainerRefused":
      return refused(record, event, now, options)
    case "ContainerExited":
      return exited(record, event, now, options)
    case "StopAsked":
      return stopAsked(record, event, now)
  }
}

/** The task is over, or on its way there. */
export const isStopping = (task: Task): boolean => task.desiredStatus === "STOPPED"

const timeOver = (record: TaskRecord, now: number, options: LifeOptions): Step => {
  const at = new Date(now)
  if (isStopping(record.task)) return stopFurther(record, now, options)
  switch (record.task.lastStatus) {
    case "PROVISIONING": {
      const attachments = record.task.attachments?.map((each) => ({ ...each, status: "ATTACHED" }))
      const connected = { connectivity: "CONNECTED" as const, connectivityAt: at, attachments: attachments ?? [] }
      return { record: enter(record, "PENDING", now, options, connected) }
    }
    case "PENDING":
      return { record: enter(record, "ACTIVATING", now, options, { pullStartedAt: at }) }
    case "ACTIVATING": {
      const pullStoppedAt = new Date(now - startMillis[options.timeScale])
      if (record.fate?.beforeRunning === true) return neverStarts(record, record.fate, pullStoppedAt, now, options)
      return { record: change(record, { pullStoppedAt }, undefined), command: "StartContainers" }
    }
    default:
      return { record }
  }
}

/** The platform stops the task instead of starting its containers. */
const neverStarts = (
  record: TaskRecord,
  fate: StopFault,
  pullStoppedAt: Date,
  now: number,
  options: LifeOptions
): Step => {
  const containers = record.task.containers?.map((container) => ({ ...container, ...fatalEnd(fate) }))
  const stop = { desiredStatus: "STOPPED", stopCode: fate.stopCode, stoppedReason: fate.stoppedReason } as const
  const failed = change(
    record,
    { ...stop, pullStoppedAt, stoppingAt: new Date(now), containers: containers ?? [] },
    undefined
  )
  return { record: deprovision(failed, now, options) }
}

const fatalEnd = ({ containerReason, exitCode }: StopFault): Pick<Container, "reason" | "exitCode"> => ({
  ...(containerReason === undefined ? {} : { reason: containerReason.slice(0, maxReasonLength) }),
  ...(exitCode === undefined ? {} : { exitCode })
})

const stopFurther = (record: TaskRecord, now: number, options: LifeOptions): Step => {
  switch (record.task.lastStatus) {
    case "PROVISIONING":
    case "PENDING":
    case "ACTIVATING":
      return { record: deprovision(record, now, options), command: "AbandonContainers" }
    case "RUNNING":
      return { record: enter(record, "DEACTIVATING", now, options, {}) }
    case "DEACTIVATING": {
      const stopping = enter(record, "STOPPING", now, options, {})
      return hasRunning(record.task)
        ? { record: { ...stopping, dueAt: undefined }, command: "StopContainers" }
        : { record: stopping }
    }
    case "STOPPING":
      return { record: deprovision(record, now, options) }
    case "DEPROVISIONING":
      return {
        record: change(
          record,
          { lastStatus: "STOPPED", stoppedAt: new Date(now) },
          now + options.stoppedTaskSeconds * 1000
        )
      }
    default:
      return { record }
  }
}

const started = (record: TaskRecord, now: number, options: LifeOptions): Step => {
  if (record.task.lastStatus !== "ACTIVATING") return { record }
  const containers = record.task.containers?.map((container) =>
    container.lastStatus === "STOPPED"
      ? container
      : { ...container, lastStatus: "RUNNING", runtimeId: runtimeId(record, container) }
  )
  const started = change(
    record,
    { lastStatus: "RUNNING", startedAt: new Date(now), containers: containers ?? [] },
    isStopping(record.task) ? now : undefined
  )
  const running = record.fate === undefined ? started : stopBy(started, record.fate, now)
  return hasRunning(running.task) ? { record: running } : endOfExecution(running, now, options)
}

const refused = (
  record: TaskRecord,
  event: Extract<TaskEvent, { _tag: "ContainerRefused" }>,
  now: number,
  options: LifeOptions
): Step => {
  if (record.task.lastStatus !== "ACTIVATING") return { record }
  const ended = endContainer(record, event)
  if (!isEssential(record, event.name)) return { record: ended }
  const isStartFailure = event.reason.startsWith("CannotStartContainerError")
  const failed = change(
    ended,
    isStopping(record.task)
      ? {}
      : {
          desiredStatus: "STOPPED",
          stopCode: "TaskFailedToStart",
          stoppedReason: isStartFailure ? "Task failed to start" : event.reason,
          stoppingAt: new Date(now)
        },
    undefined
  )
  return { record: deprovision(failed, now, options), command: "AbandonContainers" }
}

const exited = (
  record: TaskRecord,
  event: Extract<TaskEvent, { _tag: "ContainerExited" }>,
  now: number,
  options: LifeOptions
): Step => {
  const container = record.task.containers?.find(({ name }) => name === event.name)
  if (container?.lastStatus !== "RUNNING") return { record }
  const ended = endContainer(record, event)
  if (!isEssential(record, event.name) && hasRunning(ended.task)) return { record: ended }
  return endOfExecution(ended, now, options)
}

const stopBy = (record: TaskRecord, { stopCode, stoppedReason: reason }: StopFault, now: number): TaskRecord =>
  stopAsked(record, { _tag: "StopAsked", stopCode, reason }, now).record

/** An essential container has ended, or the last one: the task stops, unless it is on its way already. */
const endOfExecution = (record: TaskRecord, now: number, options: LifeOptions): Step => {
  const at = new Date(now)
  const marked = change(record, { executionStoppedAt: record.task.executionStoppedAt ?? at }, record.dueAt)
  if (!isStopping(record.task)) {
    const stop = { desiredStatus: "STOPPED", stopCode: "EssentialContainerExited", stoppingAt: at } as const
    return {
      record: enter(marked, "DEACTIVATING", now, options, {
        ...stop,
        stoppedReason: "Essential container in task exited"
      })
    }
  }
  const isLast = record.task.lastStatus === "STOPPING" && !hasRunning(record.task)
  return { record: isLast ? deprovision(marked, now, options) : marked }
}

/** A stop that is asked again, or after the end, changes nothing (StopTask is idempotent, and deletes the tags). */
const stopAsked = (record: TaskRecord, event: Extract<TaskEvent, { _tag: "StopAsked" }>, now: number): Step => {
  if (isStopping(record.task)) return { record }
  const isUsers = event.stopCode === "UserInitiated"
  const stop = {
    desiredStatus: "STOPPED",
    stopCode: event.stopCode,
    stoppedReason: event.reason,
    ...(isUsers ? { tags: [] } : {})
  }
  return { record: change(record, { ...stop, stoppingAt: new Date(now) }, now) }
}

const deprovision = (record: TaskRecord, now: number, options: LifeOptions): TaskRecord => {
  const containers = record.task.containers?.map((container) => ({ ...container, lastStatus: "STOPPED" }))
  const attachments = record.task.attachments?.map((each) => ({ ...each, status: "DETACHED" }))
  const ended = enter(record, "DEPROVISIONING", now, options, {
    containers: containers ?? [],
    attachments: attachments ?? []
  })
  const hasInterface = (attachments ?? []).length > 0
  return hasInterface ? ended : { ...ended, dueAt: now }
}

const enter = (
  record: TaskRecord,
  state: State,
  now: number,
  options: LifeOptions,
  fields: Partial<Task>
): TaskRecord => change(record, { ...fields, lastStatus: state }, now + stateMillis[options.timeScale][state])

const change = (record: TaskRecord, fields: Partial<Task>, dueAt: number | undefined): TaskRecord => ({
  ...record,
  task: { ...record.task, ...fields, version: (record.task.version ?? 0) + 1 },
  dueAt
})

const endContainer = (
  record: TaskRecord,
  event: { readonly name: string; readonly exitCode?: number; readonly reason?: string }
): TaskRecord => {
  const containers = record.task.containers?.map((container) =>
    container.name === event.name
      ? {
          ...container,
          lastStatus: "STOPPED",
          ...(event.exitCode === undefined ? {} : { exitCode: event.exitCode }),
          ...(event.reason === undefined ? {} : { reason: event.reason.slice(0, maxReasonLength) }),
          ...(record.fate === undefined ? {} : fatalEnd(record.fate))
        }
      : container
  )
  return change(record, { containers: containers ?? [] }, record.dueAt)
}

/** AWS cuts a container's `reason` here. */
export const maxReasonLength = 1024

const isEssential = (record: TaskRecord, name: string) =>
  record.containers.find((container) => container.containerName === name)?.essential === true

const hasRunning = (task: Task) => task.containers?.some((container) => container.lastStatus === "RUNNING") === true

const runtimeId = (record: TaskRecord, container: Container) => `${record.key.id}-${container.name}`
