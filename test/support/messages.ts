import type { RunMessage } from "#ecs-core/Evolve.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { type Instant, instantOf } from "#ecs-core/Instant.ts"

/**
 * Messages of one run, for tests of whatever folds, publishes or reads them. Times are seconds after nine o'clock, so
 * that a test shows only order and distance.
 */
export const runId = RunId.make("nightly")
export const taskArn = "arn:aws:ecs:eu-central-1:123456789012:task/batch/0123456789abcdef0123456789abcdef"
export const clusterArn = "arn:aws:ecs:eu-central-1:123456789012:cluster/batch"
export const taskDefinitionArn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/fleet_default:7"

type Of<Kind extends RunMessage["kind"]> = Extract<RunMessage, { readonly kind: Kind }>
type Change<Kind extends RunMessage["kind"]> = Partial<
  Of<Kind> extends { readonly message: infer M } ? M : Record<never, never>
>

export const at = (seconds: number): Instant => instantOf(Date.UTC(2026, 2, 1, 9) + seconds * 1000)

const logs = {
  sources: [{ container: "main", logGroup: "fleet", logStreamPrefix: "fleet_default", region: "eu-central-1" }]
}
const problem = { code: "NoCapacity", message: "ECS has no capacity.", advice: "It is tried again." } as const

export const requested = (seconds: number, change: Change<"run.requested"> = {}): Of<"run.requested"> => ({
  kind: "run.requested",
  message: {
    runId,
    at: at(seconds),
    sequence: 17,
    bodyDigest: "d1",
    pool: "default",
    request: { image: "alpine", env: { TOKEN: "***" } },
    notices: [],
    problems: [],
    ...change
  }
})

export const cancel = (seconds: number, reason?: string): Of<"run.cancel"> => ({
  kind: "run.cancel",
  runId,
  at: at(seconds),
  message: reason === undefined ? {} : { reason }
})

export const refused = (seconds: number): Of<"run.refused"> => ({
  kind: "run.refused",
  at: at(seconds),
  outcome: "rejected",
  problems: [{ code: "TaskDefinitionInvalid", message: "No such size.", advice: "Use another." }]
})

/** Its place in the queue, as a record learns of it that was made without. */
export const queued = (seconds: number, change: Change<"run.queued"> = {}): Of<"run.queued"> => ({
  kind: "run.queued",
  message: { runId, pool: "default", at: at(seconds), ...change }
})

/** Its turn in the queue has come. */
export const admitted = (seconds: number): Of<"run.admitted"> => ({ kind: "run.admitted", at: at(seconds) })

/** The definition cannot be made just now. */
export const delayed = (seconds: number): Of<"run.delayed"> => ({
  kind: "run.delayed",
  at: at(seconds),
  problem: { code: "Throttled", message: "AWS asks for patience.", advice: "It is tried again." }
})

/** The launch that fails because somebody deregistered the definition. */
export const definitionGone = (seconds: number, change: Change<"task.rejected"> = {}): Of<"task.rejected"> =>
  rejected(seconds, {
    problem: { code: "TaskDefinitionInactive", message: "The definition is inactive.", advice: "It is made again." },
    ...change
  })

export const ready = (seconds: number, change: Change<"taskdef.ready"> = {}): Of<"taskdef.ready"> => ({
  kind: "taskdef.ready",
  message: {
    runId,
    attempt: 1,
    at: at(seconds),
    target: { region: "eu-central-1" },
    runTask: { cluster: "batch", taskDefinition: taskDefinitionArn, overrides: { containerOverrides: [] } },
    containerName: "main",
    logs,
    launchDeadline: at(seconds + 3600),
    taskStartTimeoutSeconds: 300,
    runTimeoutSeconds: 3600,
    pollIntervalSeconds: 5,
    ...change
  }
})

export const started = (seconds: number, change: Change<"task.started"> = {}): Of<"task.started"> => ({
  kind: "task.started",
  message: {
    runId,
    attempt: 1,
    at: at(seconds),
    try: 1,
    target: { region: "eu-central-1" },
    taskArn,
    clusterArn,
    taskDefinitionArn,
    containerName: "main",
    lastStatus: "PROVISIONING",
    logs,
    startDeadline: at(seconds + 300),
    runTimeoutSeconds: 3600,
    pollIntervalSeconds: 5,
    ...change
  }
})

export const deferred = (seconds: number, change: Change<"task.deferred"> = {}): Of<"task.deferred"> => ({
  kind: "task.deferred",
  message: { runId, attempt: 1, at: at(seconds), try: 1, problem, nextTryAt: at(seconds + 10), ...change }
})

export const rejected = (seconds: number, change: Change<"task.rejected"> = {}): Of<"task.rejected"> => ({
  kind: "task.rejected",
  message: {
    runId,
    attempt: 1,
    at: at(seconds),
    outcome: "rejected",
    problem: { code: "ClusterNotFound", message: 'Cluster "batch" was not found.', advice: "Create it." },
    ...change
  }
})

export const changed = (
  seconds: number,
  lastStatus: string,
  version: number,
  change: Change<"task.changed"> = {}
): Of<"task.changed"> => ({
  kind: "task.changed",
  message: { runId, attempt: 1, at: at(seconds), taskArn, lastStatus, version, times: {}, ...change }
})

export const stopped = (seconds: number, change: Change<"task.stopped"> = {}): Of<"task.stopped"> => ({
  kind: "task.stopped",
  message: {
    runId,
    attempt: 1,
    at: at(seconds),
    taskArn,
    outcome: "succeeded",
    exitCode: 0,
    stopCode: "EssentialContainerExited",
    containers: [{ name: "main", exitCode: 0 }],
    times: {},
    ...change
  }
})

export const finished = (seconds: number, change: Change<"run.finished"> = {}): Of<"run.finished"> => ({
  kind: "run.finished",
  message: {
    runId,
    outcome: "succeeded",
    exitCode: 0,
    attempts: 1,
    requestedAt: at(0),
    finishedAt: at(seconds),
    ...change
  }
})

/** The program's own failure. */
export const failed = (seconds: number, change: Change<"task.stopped"> = {}): Of<"task.stopped"> =>
  stopped(seconds, {
    outcome: "failed",
    exitCode: 3,
    containers: [{ name: "main", exitCode: 3 }],
    problem: { code: "ProgramFailed", message: "The program ended with exit code 3.", advice: "Look at its output." },
    reachedRunning: true,
    ...change
  })

/** A task that the platform could not start, for a cause that passes. */
export const broken = (seconds: number, change: Change<"task.stopped"> = {}): Of<"task.stopped"> => {
  const { exitCode: _none, ...message } = stopped(seconds).message
  const words = { message: "The task failed to start: RESOURCE:ENI", advice: "It is tried again." }
  return {
    kind: "task.stopped",
    message: {
      ...message,
      outcome: "crashed",
      containers: [],
      stopCode: "TaskFailedToStart",
      passing: true,
      problem: { code: "NoCapacity", ...words },
      ...change
    }
  }
}
