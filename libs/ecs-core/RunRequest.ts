import { Schema } from "effect"
import { Version } from "./Codec.ts"
import { PoolName } from "./Ids.ts"
import { Outcome } from "./RunState.ts"

const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const text = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(1024))
const seconds = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))
const strings = Schema.Record(Schema.String, Schema.String)

/** What a name in `env` and `secrets` must look like, in words. */
export const ENV_NAME_RULE = "1 to 512 characters without = and NUL"
const envName = Schema.String.check(Schema.isPattern(/^[^=\0]{1,512}$/u, { message: `must be ${ENV_NAME_RULE}` }))

/** Environment names that a launch sets itself; nobody else may. */
export const OWN_ENV_NAMES = ["FLEET_RUN_ID", "FLEET_ATTEMPT"] as const

/** Tags of one task, labels included. */
export const TAGS_MAX = 50
/** What ECS asks of a tag's key and value, also in words. */
export const TAG_KEY_PATTERN = /^(?![aA][wW][sS]:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u
export const TAG_KEY_RULE = "1 to 128 letters, digits, spaces or _ . : / = + - @, and must not begin with aws:"
export const TAG_VALUE_PATTERN = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u
export const TAG_VALUE_RULE = "up to 256 letters, digits, spaces or _ . : / = + - @"
const tagKey = Schema.String.check(Schema.isPattern(TAG_KEY_PATTERN, { message: `must be ${TAG_KEY_RULE}` }))
const tagValue = Schema.String.check(Schema.isPattern(TAG_VALUE_PATTERN, { message: `must be ${TAG_VALUE_RULE}` }))

/** What ECS calls a container (ContainerDefinition, `name`). */
const containerName = Schema.String.check(
  Schema.isPattern(/^[a-zA-Z0-9_-]{1,255}$/u, { message: "must be 1 to 255 letters, digits, hyphens or underscores" })
)

/** AwsVpcConfiguration's limits. */
export const SUBNETS_MAX = 16
export const SECURITY_GROUPS_MAX = 5

/** RunTask's `awsvpcConfiguration`: at most 16 subnets and 5 security groups. */
export const NetworkConfiguration = Schema.Struct({
  subnets: Schema.Array(text).check(Schema.isMinLength(1), Schema.isMaxLength(SUBNETS_MAX)),
  securityGroups: Schema.optionalKey(Schema.Array(text).check(Schema.isMaxLength(SECURITY_GROUPS_MAX))),
  assignPublicIp: Schema.optionalKey(Schema.Literals(["ENABLED", "DISABLED"]))
})
export type NetworkConfiguration = typeof NetworkConfiguration.Type

export const RuntimePlatform = Schema.Struct({
  cpuArchitecture: Schema.optionalKey(Schema.Literals(["X86_64", "ARM64"])),
  operatingSystemFamily: Schema.optionalKey(text)
})

/** CapacityProviderStrategyItem; to ECS an absent weight or base is 0. */
export const CapacityProviderStrategyItem = Schema.Struct({
  capacityProvider: text,
  weight: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))),
  base: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 })))
})

export const CapacityProviderStrategy = Schema.Array(CapacityProviderStrategyItem).check(Schema.isMaxLength(20))
export const isCapacityProviderStrategy = Schema.is(CapacityProviderStrategy)

/** ECS's launch types, and FARGATE_SPOT, which is a capacity provider to ECS. */
const LaunchType = Schema.Literals(["FARGATE", "FARGATE_SPOT", "EC2", "EXTERNAL", "MANAGED_INSTANCES"])
export const isLaunchType = Schema.is(LaunchType)

/** PlacementConstraint; `memberOf` needs an expression in ECS's cluster query language. */
export const PlacementConstraint = Schema.Struct({
  type: Schema.Literals(["distinctInstance", "memberOf"]),
  expression: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2000)))
})

/** PlacementStrategy; `spread` needs a field, `binpack` takes `cpu` or `memory`. */
export const PlacementStrategy = Schema.Struct({
  type: Schema.Literals(["random", "spread", "binpack"]),
  field: Schema.optionalKey(text)
})

export const Retry = Schema.Struct({
  /** New attempts after the program's own failures. */
  attempts: optional(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 }))),
  /** New attempts after the platform broke one (capacity, spot, host, pull). */
  platformAttempts: optional(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 }))),
  backoffSeconds: optional(seconds(86_400)),
  maxBackoffSeconds: optional(seconds(86_400)),
  onExitCodes: optional(Schema.Array(Schema.Int)),
  onOutcomes: optional(Schema.Array(Outcome)),
  rerunUnknown: optional(Schema.Boolean)
})

/** What both a request and a pool may say about how a run is launched. `null` removes what a lower level set. */
export const launchFields = {
  image: optional(text),
  /** Argument list, or one string that is split as a shell does. */
  command: optional(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  /** Environment variables; a null value unsets one that the pool set. */
  env: optional(Schema.Record(envName, Schema.NullOr(Schema.String))),
  /** Name → ARN in Secrets Manager or Parameter Store; ECS resolves them with the execution role. */
  secrets: optional(Schema.Record(envName, text)),
  /** CPU units; 1024 is one vCPU. */
  cpu: optional(Schema.Int.check(Schema.isBetween({ minimum: 128, maximum: 32_768 }))),
  /** MiB. */
  memory: optional(Schema.Int.check(Schema.isBetween({ minimum: 6, maximum: 249_856 }))),
  gpu: optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 64 }))),
  ephemeralStorageGiB: optional(Schema.Int.check(Schema.isBetween({ minimum: 21, maximum: 200 }))),
  runtimePlatform: optional(RuntimePlatform),
  family: optional(text),
  /** The container that runs the program; absent = `main`, else the definition's first. */
  containerName: optional(containerName),
  taskRoleArn: optional(text),
  executionRoleArn: optional(text),
  launchType: optional(LaunchType),
  capacityProviderStrategy: optional(CapacityProviderStrategy),
  platformVersion: optional(text),
  placementConstraints: optional(Schema.Array(PlacementConstraint).check(Schema.isMaxLength(10))),
  placementStrategy: optional(Schema.Array(PlacementStrategy).check(Schema.isMaxLength(5))),
  group: optional(text),
  propagateTags: optional(Schema.Literals(["TASK_DEFINITION", "NONE"])),
  enableExecuteCommand: optional(Schema.Boolean),
  /** Name or ARN; unset = the account's `default` cluster. */
  cluster: optional(text),
  region: optional(
    Schema.String.check(
      Schema.isPattern(/^[a-z]{2}(-[a-z]+)+-\d$/u, { message: "must be a region such as eu-central-1" })
    )
  ),
  vpcId: optional(text),
  networkConfiguration: optional(NetworkConfiguration),
  /** Unset follows a `streamOutput` that is set; with neither, output is logged where an execution role is known. */
  configureCloudwatchLogs: optional(Schema.Boolean),
  cloudwatchLogsOptions: optional(strings),
  cloudwatchLogsPrefix: optional(text),
  /** Publish the output on `logs.<runId>`; default true where there are logs. */
  streamOutput: optional(Schema.Boolean),
  /** From RunTask until RUNNING. */
  taskStartTimeoutSeconds: optional(seconds(86_400)),
  provisioningTimeoutSeconds: optional(seconds(86_400)),
  /** How long a launch may wait for capacity or quota; time without credentials does not count. */
  launchTimeoutSeconds: optional(seconds(604_800)),
  /** From RUNNING until the end. */
  runTimeoutSeconds: optional(seconds(2_592_000)),
  taskWatchPollIntervalSeconds: optional(Schema.Finite.check(Schema.isBetween({ minimum: 0.1, maximum: 300 }))),
  autoDeregisterTaskDefinition: optional(Schema.Boolean),
  matchLatestRevisionInFamily: optional(Schema.Boolean),
  /** ARN, `family` or `family:revision` of a definition kept elsewhere: it is used as it is. */
  taskDefinitionArn: optional(text),
  /** Free members of RegisterTaskDefinition, in ECS's own names. */
  taskDefinition: optional(Schema.Record(Schema.String, Schema.Unknown)),
  /** Free members of RunTask, in ECS's own names. */
  taskRunRequest: optional(Schema.Record(Schema.String, Schema.Unknown)),
  /** Become tags of the task, slugged as Prefect does (`slugTag`). */
  labels: optional(Schema.Record(Schema.String, Schema.NullOr(Schema.String))),
  /** Tags of the task, sent as written. */
  tags: optional(Schema.Record(tagKey, tagValue)),
  retry: optional(Retry)
}

/** The body of `run.requested`. Unknown fields are refused, so that a typing error is never silently ignored. */
export const RunRequest = Schema.Struct({
  v: Schema.optionalKey(Version),
  runId: optional(Schema.String),
  /** The job's name, shared by all its runs. */
  name: optional(text),
  pool: optional(PoolName),
  /** Values for the variables of the pool, any JSON; null = none, whatever the pool's default is. */
  variables: optional(Schema.Record(Schema.String, Schema.Unknown)),
  ...launchFields
})
export type RunRequest = typeof RunRequest.Type

export type LaunchFields = Pick<RunRequest, keyof typeof launchFields>

/** Known names below a path, places in lists left out: for "did you mean". */
export const knownFields: Readonly<Record<string, ReadonlyArray<string>>> = {
  retry: Object.keys(Retry.fields),
  runtimePlatform: Object.keys(RuntimePlatform.fields),
  networkConfiguration: Object.keys(NetworkConfiguration.fields),
  capacityProviderStrategy: Object.keys(CapacityProviderStrategyItem.fields),
  placementConstraints: Object.keys(PlacementConstraint.fields),
  placementStrategy: Object.keys(PlacementStrategy.fields)
}
