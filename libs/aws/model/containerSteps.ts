import type { Container, Task } from "@aws-sdk/client-ecs"
import { neverRanExitCode, nextStarts, nextStops } from "./dependencies.ts"
import {
  abandon,
  change,
  changeContainer,
  deprovision,
  endContainer,
  enter,
  hasRunning,
  isEssential,
  isStopping,
  type LifeOptions,
  type Step,
  stopAsked,
  type TaskEvent
} from "./taskChanges.ts"
import type { TaskRecord } from "./World.ts"

/**
 * What becomes of a task when one of its containers starts, is refused, is checked or ends. While the task is ACTIVATING,
 * `settle` looks after each such event which containers can start now; the task is RUNNING when all are past their start.
 */

/** States in which containers may still be on their way to their start. */
const mayHaveContainers = new Set(["ACTIVATING", "DEACTIVATING", "STOPPING"])

type ContainerEvent<Tag extends TaskEvent["_tag"]> = Extract<TaskEvent, { readonly _tag: Tag }>

export const containerStarted = (
  record: TaskRecord,
  { name }: ContainerEvent<"ContainerStarted">,
  now: number,
  options: LifeOptions
): Step => {
  const { lastStatus = "" } = record.task
  if (!mayHaveContainers.has(lastStatus)) return { record, command: abandon }
  if (!isPending(record, name)) return { record }
  const begun = changeContainer({ ...record, begunAt: { ...record.begunAt, [name]: now } }, name, () => ({
    lastStatus: "RUNNING",
    runtimeId: `${record.key.id}-${name}`
  }))
  if (lastStatus === "ACTIVATING") return settle(begun, now, options)
  return lastStatus === "STOPPING" ? stopNext({ ...begun, dueAt: undefined }) : { record: begun }
}

export const containerRefused = (
  record: TaskRecord,
  event: ContainerEvent<"ContainerRefused">,
  now: number,
  options: LifeOptions
): Step => {
  const { lastStatus = "" } = record.task
  if (!isPending(record, event.name) || !mayHaveContainers.has(lastStatus)) return { record }
  const ended = endContainer(record, event)
  if (lastStatus !== "ACTIVATING") return { record: ended }
  return isEssential(record, event.name) ? failedStart(ended, event.reason, now, options) : settle(ended, now, options)
}

const failedStart = (record: TaskRecord, reason: string, now: number, options: LifeOptions): Step => {
  const isStartFailure = reason.startsWith("CannotStartContainerError")
  const stop = {
    desiredStatus: "STOPPED",
    stopCode: "TaskFailedToStart",
    stoppedReason: isStartFailure ? "Task failed to start" : reason,
    stoppingAt: new Date(now)
  } as const
  const failed = isStopping(record.task) ? record : change(record, stop, undefined)
  return hasRunning(record.task)
    ? { record: enter(failed, "DEACTIVATING", now, options, {}) }
    : { record: deprovision(failed, now, options), command: abandon }
}

export const containerExited = (
  record: TaskRecord,
  event: ContainerEvent<"ContainerExited">,
  now: number,
  options: LifeOptions
): Step => {
  const container = record.task.containers?.find(({ name }) => name === event.name)
  if (container?.lastStatus !== "RUNNING") return { record }
  const ended = endContainer(record, event)
  if (record.task.lastStatus === "ACTIVATING") return settle(ended, now, options)
  if (isEssential(record, event.name) || !hasRunning(ended.task)) return endOfExecution(ended, now, options)
  return record.task.lastStatus === "STOPPING" ? stopNext(ended) : { record: ended }
}

/** HEALTHY and UNHEALTHY; the task is what its essential containers with a check are. */
export const containerChecked = (
  record: TaskRecord,
  { name, health }: ContainerEvent<"ContainerChecked">,
  now: number,
  options: LifeOptions
): Step => {
  const container = record.task.containers?.find((each) => each.name === name)
  if (container?.lastStatus !== "RUNNING" || container.healthStatus === health) return { record }
  const changed = changeContainer(record, name, () => ({ healthStatus: health }))
  const checked = change(changed, { healthStatus: healthOf(changed) }, record.dueAt)
  return record.task.lastStatus === "ACTIVATING" ? settle(checked, now, options) : { record: checked }
}

const healthOf = ({ containers, task }: TaskRecord): Task["healthStatus"] => {
  const counted = containers.filter(({ essential, healthCheck }) => essential && healthCheck !== undefined)
  const found = counted.map(
    ({ containerName }) => task.containers?.find(({ name }) => name === containerName)?.healthStatus
  )
  if (found.includes("UNHEALTHY")) return "UNHEALTHY"
  return found.length > 0 && found.every((health) => health === "HEALTHY") ? "HEALTHY" : "UNKNOWN"
}

/** In ACTIVATING: starts what can start now, gives up what never can, and goes on to RUNNING when none is left. */
export const settle = (record: TaskRecord, now: number, options: LifeOptions): Step => {
  const { asked = [] } = record
  const pending = (record.task.containers ?? []).filter(({ lastStatus }) => lastStatus === "PENDING")
  if (isStopping(record.task)) return pending.length > 0 ? { record } : running(record, now, options)
  const isStarting = pending.some(({ name = "" }) => asked.includes(name))
  if (hasEssentialEnd(record) && pending.length > 0) {
    return isStarting ? { record } : endOfExecution(record, now, options)
  }
  const { ready, impossible, nextTimeoutAt } = nextStarts(record, now)
  if (impossible !== undefined) {
    return containerRefused(
      record,
      { _tag: "ContainerRefused", ...impossible, exitCode: neverRanExitCode },
      now,
      options
    )
  }
  if (ready.length > 0) {
    const starting = { ...record, asked: [...asked, ...ready], dueAt: nextTimeoutAt }
    return { record: starting, command: { _tag: "Start", names: ready } }
  }
  return pending.length > 0 ? { record: { ...record, dueAt: nextTimeoutAt } } : running(record, now, options)
}

const running = (record: TaskRecord, now: number, options: LifeOptions): Step => {
  const dueAt = isStopping(record.task) ? now : undefined
  const started = change(record, { lastStatus: "RUNNING", startedAt: new Date(now) }, dueAt)
  const { fate } = record
  const fated =
    fate === undefined ? started : stopAsked(started, { stopCode: fate.stopCode, reason: fate.stoppedReason }, now)
  return hasRunning(fated.task) && !hasEssentialEnd(fated) ? { record: fated } : endOfExecution(fated, now, options)
}

/** An essential container has ended, or the last one: the task stops, unless it is on its way already. */
const endOfExecution = (record: TaskRecord, now: number, options: LifeOptions): Step => {
  const at = new Date(now)
  const marked = change(record, { executionStoppedAt: record.task.executionStoppedAt ?? at }, record.dueAt)
  if (!isStopping(record.task)) {
    const stop = { desiredStatus: "STOPPED", stopCode: "EssentialContainerExited", stoppingAt: at } as const
    const stoppedReason = "Essential container in task exited"
    return { record: enter(marked, "DEACTIVATING", now, options, { ...stop, stoppedReason }) }
  }
  if (record.task.lastStatus !== "STOPPING") return { record: marked }
  return hasRunning(record.task) ? stopNext(marked) : { record: deprovision(marked, now, options) }
}

/** Asks those to end that no other one still needs. */
export const stopNext = (record: TaskRecord): Step => ({
  record,
  command: { _tag: "Stop", names: nextStops(record) }
})

const hasEssentialEnd = (record: TaskRecord): boolean =>
  record.task.containers?.some(({ lastStatus, name }) => lastStatus === "STOPPED" && isEssential(record, name)) === true

const isPending = ({ task }: TaskRecord, name: string): boolean =>
  task.containers?.some((container: Container) => container.name === name && container.lastStatus === "PENDING") ===
  true
