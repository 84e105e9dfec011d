import type { Container, Task, TaskStopCode } from "@aws-sdk/client-ecs"
import type { StopFault } from "./Fault.ts"
import type { TaskRecord, TimeScale } from "./World.ts"

/** What may happen to a task, and the changes of its record from which the steps of its life are made. */
export type TaskEvent =
  /** The time in the present state is over. */
  | { readonly _tag: "TimeOver" }
  | { readonly _tag: "ContainerStarted"; readonly name: string }
  | { readonly _tag: "ContainerRefused"; readonly name: string; readonly reason: string; readonly exitCode?: number }
  | { readonly _tag: "ContainerExited"; readonly name: string; readonly reason?: string; readonly exitCode?: number }
  | { readonly _tag: "ContainerChecked"; readonly name: string; readonly health: "HEALTHY" | "UNHEALTHY" }
  | { readonly _tag: "StopAsked"; readonly stopCode: TaskStopCode; readonly reason: string }

/** What the shell must do about the containers after a step. */
export type Command =
  | { readonly _tag: "Start"; readonly names: ReadonlyArray<string> }
  /** Ask them to end. */
  | { readonly _tag: "Stop"; readonly names: ReadonlyArray<string> }
  /** Give up starting; what was started already is ended at once. */
  | { readonly _tag: "Abandon" }

export const abandon: Command = { _tag: "Abandon" }

export interface Step {
  readonly record: TaskRecord
  readonly command?: Command
}

export interface LifeOptions {
  readonly timeScale: TimeScale
  readonly stoppedTaskSeconds: number
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

/** The task is over, or on its way there. */
export const isStopping = (task: Task): boolean => task.desiredStatus === "STOPPED"

export const hasRunning = (task: Task): boolean =>
  task.containers?.some((container) => container.lastStatus === "RUNNING") === true

export const isEssential = (record: TaskRecord, name: string | undefined): boolean =>
  record.containers.find((container) => container.containerName === name)?.essential === true

export const change = (record: TaskRecord, fields: Partial<Task>, dueAt: number | undefined): TaskRecord => ({
  ...record,
  task: { ...record.task, ...fields },
  dueAt
})

export const enter = (
  record: TaskRecord,
  state: State,
  now: number,
  options: LifeOptions,
  fields: Partial<Task>
): TaskRecord => change(record, { ...fields, lastStatus: state }, now + stateMillis[options.timeScale][state])

/** The containers are over, and what the task had on the network goes back. */
export const deprovision = (record: TaskRecord, now: number, options: LifeOptions): TaskRecord => {
  const containers = record.task.containers?.map((container) => ({ ...container, lastStatus: "STOPPED" }))
  const attachments = record.task.attachments?.map((each) => ({ ...each, status: "DETACHED" }))
  const ended = enter(record, "DEPROVISIONING", now, options, {
    containers: containers ?? [],
    attachments: attachments ?? []
  })
  const hasInterface = (attachments ?? []).length > 0
  return hasInterface ? ended : { ...ended, dueAt: now }
}

/** A stop that is asked again, or after the end, changes nothing (StopTask is idempotent, and deletes the tags). */
export const stopAsked = (
  record: TaskRecord,
  { stopCode, reason }: Pick<Extract<TaskEvent, { _tag: "StopAsked" }>, "stopCode" | "reason">,
  now: number
): TaskRecord => {
  if (isStopping(record.task)) return record
  const tags = stopCode === "UserInitiated" ? { tags: [] } : {}
  const stop = { desiredStatus: "STOPPED", stopCode, stoppedReason: reason, stoppingAt: new Date(now), ...tags }
  return change(record, stop, now)
}

/** One container of the task becomes another. */
export const changeContainer = (
  record: TaskRecord,
  name: string,
  fields: (container: Container) => Partial<Container>
): TaskRecord => {
  const containers = record.task.containers?.map((container) =>
    container.name === name ? { ...container, ...fields(container) } : container
  )
  return change(record, { containers: containers ?? [] }, record.dueAt)
}

/** AWS cuts a container's `reason` here. */
export const maxReasonLength = 1024

const cutReason = (reason: string) => reason.slice(0, maxReasonLength)

export const endContainer = (
  record: TaskRecord,
  { name, exitCode, reason }: { readonly name: string; readonly exitCode?: number; readonly reason?: string }
): TaskRecord =>
  changeContainer(record, name, () => ({
    lastStatus: "STOPPED",
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(reason === undefined ? {} : { reason: cutReason(reason) }),
    ...(record.fate === undefined ? {} : fatalEnd(record.fate))
  }))

/** What the platform says of containers that it ends. */
export const fatalEnd = ({ containerReason, exitCode }: StopFault): Pick<Container, "reason" | "exitCode"> => ({
  ...(containerReason === undefined ? {} : { reason: cutReason(containerReason) }),
  ...(exitCode === undefined ? {} : { exitCode })
})
