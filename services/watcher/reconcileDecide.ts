import { type Instant, instantOf, millisOf } from "#ecs-core/Instant.ts"
import type { TaskdefReady, TaskStarted } from "#ecs-core/Messages.ts"
import { type AttemptRecord, currentAttempt, isFinal, isTombstone, type Run } from "#ecs-core/Run.ts"
import type { SeenTask, Watched } from "./decide.ts"
import { watch } from "./decide.ts"

/**
 * What a task of this fleet, found in ECS, means beside the record of its run. Only what is certain is acted on: a task
 * is stopped where the record says that nobody waits for it, and goes on saying so; one without a record is told of, and
 * left alone, since the record may be what is missing.
 */

/** A cluster is compared for so long after the last run in it was seen, unless all watchers start anew. */
export const PLACE_SECONDS = 86_400

export type Finding =
  /** Watched, or about to be. */
  | "fine"
  /** Nobody knows its run. */
  | "unclaimed"
  /** Nobody waits for it. */
  | "orphan"
  /** Its launch was not told, and nobody is left to tell of it. */
  | "untold"
  /** It is the attempt's task, and nobody can be watching it: its `task.started` is gone. */
  | "unwatched"

export interface FoundTask {
  readonly attempt: number
  readonly taskArn: string
  readonly createdAt: Instant | undefined
}

export interface Looked {
  /** The attempt's order, or its start, is stored: a launcher or a watcher has it. */
  readonly isHeld: boolean
  /** From when on `FLEET` has lost nothing, epoch milliseconds. */
  readonly wholeSince: number
  readonly graceMillis: number
}

/** Whether messages about an attempt may be gone: then it has to be looked for them. */
export const mayHaveLost = (run: Run, attempt: number, wholeSince: number): boolean => {
  const known = run.attempts.find((each) => each.attempt === attempt)
  return known === undefined ? run.incomplete === true : millisOf(known.definedAt) < wholeSince
}

export const findingOf = (run: Run | undefined, task: FoundTask, looked: Looked, nowMillis: number): Finding => {
  if (run === undefined || isTombstone(run)) return "unclaimed"
  const known = run.attempts.find(({ attempt }) => attempt === task.attempt)
  const since = unwantedSince(run, known, task)
  if (since !== undefined) {
    const createdAt = task.createdAt === undefined ? nowMillis : millisOf(task.createdAt)
    return nowMillis - Math.max(since, createdAt) > looked.graceMillis ? "orphan" : "fine"
  }
  if (looked.isHeld || !mayHaveLost(run, task.attempt, looked.wholeSince)) return "fine"
  return known?.taskArn === undefined ? "untold" : "unwatched"
}

/** Since when nobody waits for the task; undefined = somebody does. */
const unwantedSince = (run: Run, known: AttemptRecord | undefined, task: FoundTask): number | undefined => {
  if (isFinal(run)) return millisOf(run.finishedAt ?? run.updatedAt)
  const current = currentAttempt(run)
  if (current !== undefined && task.attempt < current.attempt) return millisOf(current.definedAt)
  if (known?.over === true) return millisOf(known.endedAt ?? run.updatedAt)
  return known?.taskArn === undefined || known.taskArn === task.taskArn ? undefined : millisOf(known.definedAt)
}

/** The attempt whose task must be there; undefined = none is awaited. */
export const launchedOf = (run: Run | undefined): (AttemptRecord & { readonly taskArn: string }) | undefined => {
  if (run === undefined || isFinal(run) || isTombstone(run)) return undefined
  const current = currentAttempt(run)
  return current === undefined || current.over === true || current.taskArn === undefined
    ? undefined
    : { ...current, taskArn: current.taskArn }
}

/** The cluster's name where its ARN was not told; it is part of the task's. */
export const clusterOf = ({
  clusterArn,
  taskArn
}: {
  readonly clusterArn?: string
  readonly taskArn: string
}): string => clusterArn ?? taskArn.split("/")[1] ?? "default"

/** What the launcher told when it was, as far as the order and the record still know it. */
export const startedAgain = (
  run: Run,
  known: AttemptRecord & { readonly taskArn: string },
  order: TaskdefReady | undefined,
  { task, runTimeoutSeconds }: { readonly task: SeenTask | undefined; readonly runTimeoutSeconds: number }
): TaskStarted => {
  const createdAt = task?.times.createdAt
  const since = millisOf(createdAt ?? known.definedAt)
  const [only, ...others] = task?.containers ?? []
  const isKnown = task?.containers.some(({ name }) => name === known.containerName) === true
  return {
    runId: run.runId,
    attempt: known.attempt,
    at: createdAt ?? known.definedAt,
    try: known.try ?? 1,
    target: known.target,
    taskArn: known.taskArn,
    clusterArn: clusterOf(known),
    taskDefinitionArn: known.taskDefinitionArn,
    containerName: !isKnown && only !== undefined && others.length === 0 ? only.name : known.containerName,
    lastStatus: known.lastStatus ?? "PROVISIONING",
    logs: { sources: known.logs ?? [] },
    startDeadline: instantOf(since + 1000 * (startSeconds(order) ?? runTimeoutSeconds)),
    runTimeoutSeconds: order?.runTimeoutSeconds ?? runTimeoutSeconds,
    pollIntervalSeconds: order?.pollIntervalSeconds ?? 5
  }
}

const startSeconds = (order: TaskdefReady | undefined): number | undefined =>
  order === undefined ? undefined : order.taskStartTimeoutSeconds + (order.provisioningTimeoutSeconds ?? 0)

/** The task as a watcher would know it that had followed it until now. */
export const watchedAgain = (
  started: TaskStarted,
  known: AttemptRecord,
  stop: string | undefined,
  missingSince: number | undefined
): Watched => {
  const { runId, attempt, taskArn } = started
  const { lastStatus, taskVersion: version, times = {} } = known
  const changed =
    lastStatus === undefined || version === undefined
      ? undefined
      : { runId, attempt, at: started.at, taskArn, lastStatus, version, times }
  return { ...watch(started, { changed, stop }), missingSince }
}
