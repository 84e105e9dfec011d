import {
  containerChecked,
  containerExited,
  containerRefused,
  containerStarted,
  settle,
  stopNext
} from "./containerSteps.ts"
import type { StopFault } from "./Fault.ts"
import {
  abandon,
  change,
  deprovision,
  enter,
  fatalEnd,
  hasRunning,
  isStopping,
  type LifeOptions,
  type Step,
  stopAsked,
  type TaskEvent
} from "./taskChanges.ts"
import type { TaskRecord, TimeScale } from "./World.ts"

/**
 * The life of a task as a pure function: what is, what happened, when -> what is then, and what the shell must do.
 *
 * PROVISIONING -> PENDING -> ACTIVATING -> RUNNING -> DEACTIVATING -> STOPPING -> DEPROVISIONING -> STOPPED. A state ends
 * by time, except that ACTIVATING waits for the containers to start, RUNNING for one to end (or a stop), STOPPING for the
 * last one to end. A task that is stopped before a container of it runs goes straight to DEPROVISIONING. A task without a
 * network interface of its own begins with PENDING, and has nothing to give back in DEPROVISIONING.
 */
export const step = (record: TaskRecord, event: TaskEvent, now: number, options: LifeOptions): Step => {
  const next = decide(record, event, now, options)
  if (next.record.task === record.task) return next
  const version = (record.task.version ?? 0) + 1
  return { ...next, record: { ...next.record, task: { ...next.record.task, version } } }
}

const decide = (record: TaskRecord, event: TaskEvent, now: number, options: LifeOptions): Step => {
  switch (event._tag) {
    case "TimeOver":
      return timeOver(record, now, options)
    case "ContainerStarted":
      return containerStarted(record, event, now, options)
    case "ContainerRefused":
      return containerRefused(record, event, now, options)
    case "ContainerExited":
      return containerExited(record, event, now, options)
    case "ContainerChecked":
      return containerChecked(record, event, now, options)
    case "StopAsked":
      return { record: stopAsked(record, event, now) }
  }
}

/** The last part of ACTIVATING: the image is there, the containers are being made. */
const startMillis: Readonly<Record<TimeScale, number>> = { instant: 0, dev: 10, fargate: 1000 }

const timeOver = (record: TaskRecord, now: number, options: LifeOptions): Step => {
  if (isStopping(record.task)) return stopFurther(record, now, options)
  switch (record.task.lastStatus) {
    case "PROVISIONING": {
      const attachments = record.task.attachments?.map((each) => ({ ...each, status: "ATTACHED" }))
      const connected = { connectivity: "CONNECTED" as const, connectivityAt: new Date(now) }
      return { record: enter(record, "PENDING", now, options, { ...connected, attachments: attachments ?? [] }) }
    }
    case "PENDING":
      return { record: enter(record, "ACTIVATING", now, options, { pullStartedAt: new Date(now) }) }
    case "ACTIVATING":
      return record.asked === undefined ? pulled(record, now, options) : settle(record, now, options)
    default:
      return { record }
  }
}

/** The image is there. */
const pulled = (record: TaskRecord, now: number, options: LifeOptions): Step => {
  const pullStoppedAt = new Date(now - startMillis[options.timeScale])
  if (record.fate?.beforeRunning === true) return neverStarts(record, record.fate, pullStoppedAt, now, options)
  return settle(change(record, { pullStoppedAt }, undefined), now, options)
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

const stopFurther = (record: TaskRecord, now: number, options: LifeOptions): Step => {
  switch (record.task.lastStatus) {
    case "PROVISIONING":
    case "PENDING":
    case "ACTIVATING":
      return hasRunning(record.task)
        ? { record: enter(record, "DEACTIVATING", now, options, {}) }
        : { record: deprovision(record, now, options), command: abandon }
    case "RUNNING":
      return { record: enter(record, "DEACTIVATING", now, options, {}) }
    case "DEACTIVATING": {
      const stopping = enter(record, "STOPPING", now, options, {})
      return hasRunning(record.task) ? stopNext({ ...stopping, dueAt: undefined }) : { record: stopping }
    }
    case "STOPPING":
      return { record: deprovision(record, now, options), ...abandonPending(record) }
    case "DEPROVISIONING": {
      const gone = { lastStatus: "STOPPED", stoppedAt: new Date(now) }
      return { record: change(record, gone, now + options.stoppedTaskSeconds * 1000) }
    }
    default:
      return { record }
  }
}

/** A container may still be on its way to its start. */
const abandonPending = ({ task }: TaskRecord): Pick<Step, "command"> =>
  task.containers?.some(({ lastStatus }) => lastStatus === "PENDING") === true ? { command: abandon } : {}
