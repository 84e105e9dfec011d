import { Schema } from "effect"

/**
 * Every code a run may end with, or a command may answer with. A code is for programs; `message` says what happened,
 * `advice` what to do next.
 */
export const ErrorCode = Schema.Literals([
  "InvalidRequest",
  "InvalidJson",
  "ClusterNotFound",
  "NoContainerInstances",
  "NoCapacity",
  "VcpuQuotaReached",
  "Throttled",
  "AccessDenied",
  "CredentialsRejected",
  "LoggerPermissionMissing",
  "TaskDefinitionInvalid",
  "TaskDefinitionInactive",
  "TaskDefinitionNotFound",
  "TaskNotFound",
  "InvalidParameter",
  "PlacementUnsatisfied",
  "PlatformUnsupported",
  "NetworkInvalid",
  "NetworkNotFound",
  "LaunchConflict",
  "LogStreamNotFound",
  "ServiceUnavailable",
  "AwsError",
  "Cancelled",
  "OutcomeUnknown",
  "LaunchTimeout",
  "StartTimeout",
  "RunTimeout",
  "ImagePullFailed",
  "ProgramNotFound",
  "TaskFailedToStart",
  "OutOfMemory",
  "SpotInterrupted",
  "HostTerminated",
  "StoppedExternally",
  "ExitCodeMissing",
  "ProgramFailed",
  "InfrastructureInvalid",
  "InfrastructureNotAvailable",
  "ClusterHasNoTasks",
  "InternalError"
])
export type ErrorCode = typeof ErrorCode.Type

/** A problem as it travels in facts and is shown to people. */
export const Problem = Schema.Struct({
  code: ErrorCode,
  /** Path of the offending field of `run.requested`, e.g. `retry.attempts`. */
  field: Schema.optionalKey(Schema.String),
  message: Schema.String,
  advice: Schema.String,
  /** What ECS said of each place where the task could not be launched, in its own words (`RESOURCE:CPU`). */
  reasons: Schema.optionalKey(Schema.Array(Schema.String))
})
export type Problem = typeof Problem.Type

/** What a caller may do after an AWS call failed. */
export const RetryClass = Schema.Literals([
  /** Quota of calls exceeded: slow down, then the same call again. */
  "throttle",
  /** Answer lost or AWS's own fault: the same call with the same token again. */
  "transient",
  /** Nothing to run on right now: later, with a new token. */
  "capacity",
  /** Credentials missing, expired or rejected: keep everything, go on when they work again. */
  "credentials",
  /** The task definition is INACTIVE: register again, then launch with a new token. */
  "inactive",
  /** The client token was used with other parameters: adopt `resourceIds` or take a new token. */
  "conflict",
  /** The request or the set-up is at fault; repeating cannot help. */
  "never"
])
export type RetryClass = typeof RetryClass.Type

/** A failed AWS call, translated once at the edge (`libs/aws/AwsError.ts`). */
export class AwsFailure extends Schema.TaggedError<AwsFailure>()("AwsFailure", {
  code: ErrorCode,
  retry: RetryClass,
  message: Schema.String,
  advice: Schema.String,
  /** The API action, e.g. `RunTask`. */
  action: Schema.String,
  /** AWS's own error name, e.g. `ClusterNotFoundException`. */
  awsName: Schema.optionalKey(Schema.String),
  /** The different reasons of RunTask's `failures[]`, each with its detail. */
  reasons: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Task ARNs that a ConflictException names. */
  resourceIds: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The SDK had made the call before, without an answer that counts: this failure says nothing about that one. */
  repeated: Schema.optionalKey(Schema.Literal(true))
}) {}

/** The part of a failure that travels. */
export const problemOf = (failure: AwsFailure): Problem => ({
  code: failure.code,
  message: failure.message,
  advice: failure.advice,
  ...(failure.reasons === undefined ? {} : { reasons: failure.reasons })
})
