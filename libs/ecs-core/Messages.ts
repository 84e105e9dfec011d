import { Schema } from "effect"
import { codec, Version } from "./Codec.ts"
import { Problem } from "./errors.ts"
import { Attempt, PoolName, RunId } from "./Ids.ts"
import { INFRASTRUCTURE_ID_MAX } from "./InfrastructureId.ts"
import { Instant } from "./Instant.ts"
import { RetryPolicy } from "./RetryPolicy.ts"
import { NetworkConfiguration } from "./RunRequest.ts"
import { Outcome } from "./RunState.ts"

const version = { v: Schema.optionalKey(Version) }
const ofAttempt = { ...version, runId: RunId, attempt: Attempt, at: Instant }

/** Which AWS account and region a call goes to: region, and the name of a set of credentials. */
export const Target = Schema.Struct({
  region: Schema.optionalKey(Schema.String),
  credentials: Schema.optionalKey(Schema.String)
})
export type Target = typeof Target.Type

/** Which deadline a run missed. */
export const Phase = Schema.Literals(["launch", "start", "run"])
export type Phase = typeof Phase.Type

/**
 * `run.cancel.<runId>`, or `run.cancel.@<reference>` where only the task is known; `graceSeconds` is accepted and noted:
 * ECS stops with the container's own `stopTimeout`.
 */
export const RunCancel = Schema.Struct({
  ...version,
  /** `<cluster>::<task ARN>`: the run whose last task this is, and no other, is to be stopped. */
  infrastructure: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(INFRASTRUCTURE_ID_MAX))),
  reason: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
  graceSeconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 120 })))
})
export type RunCancel = typeof RunCancel.Type

/** `run.queued.<pool>.<runId>`: the un-acked message is the slot. */
export const RunQueued = Schema.Struct({ ...version, runId: RunId, pool: PoolName, at: Instant })
export type RunQueued = typeof RunQueued.Type

const free = [Schema.Record(Schema.String, Schema.Unknown)] as const

/** RunTask's input, ECS's own names; what the fleet does not read itself travels as it is. */
const RunTask = Schema.StructWithRest(
  Schema.Struct({
    cluster: Schema.String,
    taskDefinition: Schema.String,
    launchType: Schema.optionalKey(Schema.Literals(["EC2", "EXTERNAL", "FARGATE", "MANAGED_INSTANCES"])),
    networkConfiguration: Schema.optionalKey(Schema.Struct({ awsvpcConfiguration: NetworkConfiguration })),
    overrides: Schema.StructWithRest(
      Schema.Struct({
        containerOverrides: Schema.Array(Schema.StructWithRest(Schema.Struct({ name: Schema.String }), free))
      }),
      free
    )
  }),
  free
)

/** Where a container's lines will be: stream `<prefix>/<container>/<task id>` of the group. */
export const LogSource = Schema.Struct({
  container: Schema.String,
  logGroup: Schema.String,
  logStreamPrefix: Schema.String,
  region: Schema.String
})
export type LogSource = typeof LogSource.Type

const LogPlan = Schema.Struct({
  /** Every container whose lines can be read, the orchestration container first; `CONTAINERS_MAX` at most. */
  sources: Schema.Array(LogSource),
  /** Why there will be no lines of the orchestration container, in words for the user; others may have theirs. */
  notice: Schema.optionalKey(Schema.String),
  /** The same of other containers that log elsewhere, one notice each; `LOG_NOTICES_MAX` at most. */
  notices: Schema.optionalKey(Schema.Array(Schema.String))
})

/** Where a definition comes from; `linked` = somebody else keeps it, and it is never registered again. */
export const DefinitionSource = Schema.Literals(["registered", "reused", "linked"])
export type DefinitionSource = typeof DefinitionSource.Type

/** `taskdef.ready.<runId>.<attempt>`: launch this attempt. Holds environment values. */
export const TaskdefReady = Schema.Struct({
  ...ofAttempt,
  target: Target,
  runTask: RunTask,
  /** The network is missing in `runTask`: infer it from this VPC, or from the default one where `vpcId` is absent. */
  inferNetwork: Schema.optionalKey(
    Schema.Struct({
      vpcId: Schema.optionalKey(Schema.String),
      /** Off Fargate ECS takes no public IP. */
      assignPublicIp: Schema.optionalKey(Schema.Literal("DISABLED"))
    })
  ),
  /** The subnets given must belong to this VPC. */
  verifyNetwork: Schema.optionalKey(Schema.Struct({ vpcId: Schema.String })),
  definition: Schema.optionalKey(DefinitionSource),
  containerName: Schema.String,
  logs: LogPlan,
  /** Not to be launched earlier: the pause before a next attempt. */
  notBefore: Schema.optionalKey(Instant),
  /** For how long the launch may be tried; counts from `notBefore` where there is one. */
  launchDeadline: Instant,
  taskStartTimeoutSeconds: Schema.Int,
  /** How long the task may be PROVISIONING, where capacity providers of one's own place it; on top of the start's time. */
  provisioningTimeoutSeconds: Schema.optionalKey(Schema.Int),
  runTimeoutSeconds: Schema.Int,
  pollIntervalSeconds: Schema.Finite,
  /** What is done when the attempt fails. */
  retry: Schema.optionalKey(RetryPolicy),
  /** The run's notices up to this order: those about a linked definition stand in no other message. */
  notices: Schema.optionalKey(Schema.Array(Schema.String))
})
export type TaskdefReady = typeof TaskdefReady.Type

/** `task.stop.<runId>.<attempt>`; `reason` starts with our code, see `StopReason`. */
export const TaskStop = Schema.Struct({ ...ofAttempt, reason: Schema.String })
export type TaskStop = typeof TaskStop.Type

/** `task.launching.<runId>.<attempt>`: RunTask is about to be called; `since` = when it first was with the token of `try`. */
export const TaskLaunching = Schema.Struct({ ...ofAttempt, try: Schema.Int, since: Instant })
export type TaskLaunching = typeof TaskLaunching.Type

/** `task.started.<runId>.<attempt>`: RunTask accepted. Un-acked, it is the lease on the task. */
export const TaskStarted = Schema.Struct({
  ...ofAttempt,
  try: Schema.Int,
  target: Target,
  taskArn: Schema.String,
  clusterArn: Schema.String,
  taskDefinitionArn: Schema.String,
  containerName: Schema.String,
  lastStatus: Schema.String,
  /** When ECS accepted the task: earlier than `at` where an answer was lost. */
  createdAt: Schema.optionalKey(Instant),
  logs: LogPlan,
  /** Until when the task may be PROVISIONING; only where capacity providers of one's own place it. */
  provisioningDeadline: Schema.optionalKey(Instant),
  /** Until when it must be RUNNING. */
  startDeadline: Instant,
  runTimeoutSeconds: Schema.Int,
  pollIntervalSeconds: Schema.Finite
})
export type TaskStarted = typeof TaskStarted.Type

/** `task.deferred.<runId>.<attempt>`: `try` tries launched nothing for certain; the order is tried again at `nextTryAt`. */
export const TaskDeferred = Schema.Struct({
  ...ofAttempt,
  try: Schema.Int,
  problem: Problem,
  nextTryAt: Instant,
  /** Sequence of the last `task.launching`, where its RunTask launched nothing for certain. */
  settles: Schema.optionalKey(Schema.Int),
  /** How often the attempt found no capacity until now. */
  capacityFailures: Schema.optionalKey(Schema.Int),
  /** How long the attempt waited for credentials before this; that time does not count against `launchDeadline`. */
  blindSeconds: Schema.optionalKey(Schema.Finite)
})
export type TaskDeferred = typeof TaskDeferred.Type

/** `task.rejected.<runId>.<attempt>`: this attempt will never launch. */
export const TaskRejected = Schema.Struct({
  ...ofAttempt,
  outcome: Schema.Literals(["rejected", "cancelled", "crashed", "timed_out"]),
  problem: Problem,
  phase: Schema.optionalKey(Phase)
})
export type TaskRejected = typeof TaskRejected.Type

/** ECS's own timestamps of a task, as far as they are known. */
export const TaskTimes = Schema.Struct({
  createdAt: Schema.optionalKey(Instant),
  connectivityAt: Schema.optionalKey(Instant),
  pullStartedAt: Schema.optionalKey(Instant),
  pullStoppedAt: Schema.optionalKey(Instant),
  startedAt: Schema.optionalKey(Instant),
  executionStoppedAt: Schema.optionalKey(Instant),
  stoppingAt: Schema.optionalKey(Instant),
  stoppedAt: Schema.optionalKey(Instant)
})
export type TaskTimes = typeof TaskTimes.Type

/** `task.changed.<runId>.<attempt>`: ECS's `lastStatus` moved; `version` is ECS's. */
export const TaskChanged = Schema.Struct({
  ...ofAttempt,
  taskArn: Schema.String,
  lastStatus: Schema.String,
  version: Schema.Int,
  times: TaskTimes
})
export type TaskChanged = typeof TaskChanged.Type

export const ContainerEnd = Schema.Struct({
  name: Schema.String,
  exitCode: Schema.optionalKey(Schema.Int),
  reason: Schema.optionalKey(Schema.String)
})

/** `task.stopped.<runId>.<attempt>`: the attempt is over. */
export const TaskStopped = Schema.Struct({
  ...ofAttempt,
  taskArn: Schema.String,
  outcome: Outcome,
  exitCode: Schema.optionalKey(Schema.Int),
  stopCode: Schema.optionalKey(Schema.String),
  stoppedReason: Schema.optionalKey(Schema.String),
  containers: Schema.Array(ContainerEnd),
  problem: Schema.optionalKey(Problem),
  phase: Schema.optionalKey(Phase),
  /** ECS told a start time: the program may have run. */
  reachedRunning: Schema.optionalKey(Schema.Literal(true)),
  /** The cause lies with the platform and passes: another launch may help. */
  passing: Schema.optionalKey(Schema.Literal(true)),
  times: TaskTimes
})
export type TaskStopped = typeof TaskStopped.Type

/** `run.finished.<runId>`: exactly one per run. */
export const RunFinished = Schema.Struct({
  ...version,
  runId: RunId,
  outcome: Outcome,
  exitCode: Schema.optionalKey(Schema.Int),
  error: Schema.optionalKey(Problem),
  /** All problems of a refused request, or those of all attempts, the last one's first; `error` is the first. */
  errors: Schema.optionalKey(Schema.Array(Problem)),
  phase: Schema.optionalKey(Phase),
  /** Launches that were ordered. */
  attempts: Schema.Int,
  taskArn: Schema.optionalKey(Schema.String),
  requestedAt: Instant,
  startedAt: Schema.optionalKey(Instant),
  finishedAt: Instant
})
export type RunFinished = typeof RunFinished.Type

/** Text ↔ value for each message, built once. */
export const Codecs = {
  runCancel: codec(RunCancel),
  runQueued: codec(RunQueued),
  taskdefReady: codec(TaskdefReady),
  taskStop: codec(TaskStop),
  taskLaunching: codec(TaskLaunching),
  taskStarted: codec(TaskStarted),
  taskDeferred: codec(TaskDeferred),
  taskRejected: codec(TaskRejected),
  taskChanged: codec(TaskChanged),
  taskStopped: codec(TaskStopped),
  runFinished: codec(RunFinished)
} as const
