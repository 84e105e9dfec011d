import type { Container } from "@aws-sdk/client-ecs"
import type { ContainerSpec, Dependency } from "./Runtime.ts"
import type { TaskRecord } from "./World.ts"

/**
 * The order in which a task's containers start and stop (`dependsOn`), as the ECS agent has it: a container starts when
 * all conditions of it hold, and one whose condition can never hold is stopped without having run. At the end of a task
 * the order is reversed.
 */

/** What a container that never ran is said to have ended with (ECS agent). */
export const neverRanExitCode = 143

export interface NextStarts {
  /** Names of containers that can start now. */
  readonly ready: ReadonlyArray<string>
  /** A container that can never start, and why. */
  readonly impossible: { readonly name: string; readonly reason: string } | undefined
  /** Epoch milliseconds of the next time-out; undefined = nothing waits for one. */
  readonly nextTimeoutAt: number | undefined
}

export const nextStarts = (record: TaskRecord, now: number): NextStarts => {
  const judged = record.containers
    .filter(({ containerName }) => isUnasked(record, containerName))
    .map((spec) => judgeContainer(record, spec, now))
  const impossible = judged.find(({ reason }) => reason !== undefined)
  const timeouts = judged.flatMap(({ timeouts }) => timeouts)
  return {
    ready: judged.filter(({ isReady }) => isReady).map(({ name }) => name),
    impossible:
      impossible?.reason === undefined ? undefined : { name: impossible.name, reason: cannot(impossible.reason) },
    nextTimeoutAt: timeouts.length === 0 ? undefined : Math.min(...timeouts)
  }
}

const cannot = (reason: string): string => `CannotStartContainerError: dependency graph: ${reason}`

/** Names of containers that run and that no other one that runs depends on: they stop first. */
export const nextStops = ({ containers, task }: TaskRecord): ReadonlyArray<string> => {
  const running = new Set(task.containers?.filter(({ lastStatus }) => lastStatus === "RUNNING").map(({ name }) => name))
  const needed = new Set(
    containers
      .filter(({ containerName }) => running.has(containerName))
      .flatMap(({ dependsOn = [] }) => dependsOn.map(({ containerName }) => containerName))
  )
  return containers.map(({ containerName }) => containerName).filter((name) => running.has(name) && !needed.has(name))
}

const isUnasked = ({ asked = [], task }: TaskRecord, name: string): boolean =>
  !asked.includes(name) &&
  task.containers?.some((container) => container.name === name && container.lastStatus !== "STOPPED") === true

interface Judged {
  readonly name: string
  readonly isReady: boolean
  readonly reason: string | undefined
  readonly timeouts: ReadonlyArray<number>
}

const judgeContainer = (record: TaskRecord, spec: ContainerSpec, now: number): Judged => {
  const verdicts = (spec.dependsOn ?? []).map((dependency) => judge(record, spec, dependency, now))
  return {
    name: spec.containerName,
    isReady: verdicts.every(({ holds }) => holds),
    reason: verdicts.find(({ reason }) => reason !== undefined)?.reason,
    timeouts: verdicts.flatMap(({ waitsUntil }) => waitsUntil ?? [])
  }
}

interface Verdict {
  readonly holds: boolean
  /** It can never hold. */
  readonly reason?: string
  /** Epoch milliseconds. */
  readonly waitsUntil?: number
}

const judge = (
  record: TaskRecord,
  spec: ContainerSpec,
  { containerName, condition }: Dependency,
  now: number
): Verdict => {
  const container = record.task.containers?.find(({ name }) => name === containerName)
  if (container === undefined) return { holds: true }
  if (holds(container, condition)) return { holds: true }
  const isOver = container.lastStatus === "STOPPED"
  if (isOver) return { holds: false, reason: `failed to resolve ${unmet(container, spec)}${why[condition]}` }
  const waitsUntil = condition === "START" ? undefined : timeoutOf(record, containerName)
  if (waitsUntil === undefined) return { holds: false }
  return now < waitsUntil
    ? { holds: false, waitsUntil }
    : { holds: false, reason: `${unmet(container, spec)} has timed out.` }
}

const holds = ({ lastStatus, exitCode, healthStatus }: Container, condition: Dependency["condition"]): boolean => {
  switch (condition) {
    case "START":
      return lastStatus === "RUNNING" || lastStatus === "STOPPED"
    case "COMPLETE":
      return lastStatus === "STOPPED"
    case "SUCCESS":
      return lastStatus === "STOPPED" && exitCode === 0
    case "HEALTHY":
      return lastStatus === "RUNNING" && healthStatus === "HEALTHY"
  }
}

const why: Readonly<Record<Dependency["condition"], string>> = {
  START: ".",
  COMPLETE: ".",
  SUCCESS: " as dependency did not exit successfully.",
  HEALTHY: " as dependency ended before it was healthy."
}

/** The agent's words. */
const unmet = ({ name, image, exitCode, lastStatus }: Container, target: ContainerSpec): string => {
  const exit = exitCode === undefined ? "" : ` - Exit: ${exitCode}`
  return (
    `container ordering dependency [${name}(${image}) (${lastStatus}->RUNNING)${exit}] ` +
    `for target [${target.containerName}(${target.image}) (NONE->RUNNING)]`
  )
}

const timeoutOf = ({ begunAt, containers }: TaskRecord, name: string): number | undefined => {
  const begun = begunAt?.[name]
  const seconds = containers.find(({ containerName }) => containerName === name)?.startTimeoutSeconds
  return begun === undefined || seconds === undefined ? undefined : begun + seconds * 1000
}
