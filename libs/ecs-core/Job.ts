import type { Json } from "./Json.ts"
import type { RetryPolicy } from "./RetryPolicy.ts"
import type { CapacityProviderStrategyItem, NetworkConfiguration, RunRequest } from "./RunRequest.ts"

/** ECS's launch types, and FARGATE_SPOT, which is a capacity provider to ECS (peers 62). */
export type LaunchType = "FARGATE" | "FARGATE_SPOT" | "EC2" | "EXTERNAL" | "MANAGED_INSTANCES"

/**
 * A request with pool and defaults applied: all that is needed to prepare definition and launch. `undefined` = nothing
 * is said at any level. The two free objects hold what no named field of a higher level has taken back, so that
 * whatever is still in them is meant.
 */
export interface Job {
  readonly pool: string
  readonly name: string | undefined
  /** ARN, `family` or `family:revision` of a definition that somebody else keeps: it is used as it is. */
  readonly linkedDefinition: string | undefined
  /** Free members of RegisterTaskDefinition; `{}` where none are given. */
  readonly taskDefinition: Json
  /**
   * Free members of RunTask; `{}` where none are given. Its `launchType`, `capacityProviderStrategy` and `taskDefinition`
   * have become the fields of the same meaning, and `count` is gone.
   */
  readonly taskRunRequest: Json
  readonly image: string | undefined
  readonly command: ReadonlyArray<string> | undefined
  readonly env: Readonly<Record<string, string>>
  /** Names that a null in `env` unsets, also in the definition's own environment (peers 26). */
  readonly unsetEnv: ReadonlyArray<string>
  readonly secrets: Readonly<Record<string, string>>
  /** CPU units and MiB as said by a named field; the definition's own or the defaults hold where absent. */
  readonly cpu: number | undefined
  readonly memory: number | undefined
  readonly gpu: number | undefined
  readonly ephemeralStorageGiB: number | undefined
  readonly runtimePlatform: RunRequest["runtimePlatform"]
  /** As given, slugged; absent = the free definition's own, else `defaultName`. */
  readonly family: string | undefined
  /** `fleet_<pool>[_<name>]`, slugged: default of the family and of the logs' stream prefix. */
  readonly defaultName: string
  /** As configured; absent = found in the definition (peers 23). */
  readonly containerName: string | undefined
  readonly taskRoleArn: string | undefined
  readonly executionRoleArn: string | undefined
  /** Absent = neither named nor defaulted (a null): the definition or the cluster decides (peers 63, 76). */
  readonly launchType: LaunchType | undefined
  /** Non-empty: it decides, and `launchType` only says how the definition is prepared (peers 61). */
  readonly capacityProviderStrategy: ReadonlyArray<typeof CapacityProviderStrategyItem.Type>
  readonly platformVersion: string | undefined
  readonly placementConstraints: ReadonlyArray<Readonly<Record<string, string>>>
  readonly placementStrategy: ReadonlyArray<Readonly<Record<string, string>>>
  readonly group: string | undefined
  readonly propagateTags: "TASK_DEFINITION" | "NONE" | undefined
  readonly enableExecuteCommand: boolean | undefined
  /** Name or ARN; absent = the free run request's own, else `default`. */
  readonly cluster: string | undefined
  readonly region: string | undefined
  /** The pool's set of credentials; absent = those of the services' own process. */
  readonly credentials: string | undefined
  readonly vpcId: string | undefined
  readonly networkConfiguration: NetworkConfiguration | undefined
  readonly logs: JobLogs
  readonly taskStartTimeoutSeconds: number
  /** How long a task may be PROVISIONING where capacity providers of one's own place it. */
  readonly provisioningTimeoutSeconds: number
  readonly launchTimeoutSeconds: number
  readonly runTimeoutSeconds: number
  readonly pollIntervalSeconds: number
  readonly retry: RetryPolicy
  readonly labels: Readonly<Record<string, string | null>>
  readonly tags: Readonly<Record<string, string>>
  readonly autoDeregisterTaskDefinition: boolean
  readonly matchLatestRevisionInFamily: boolean
  /** What was accepted and has no effect, in words for the user. */
  readonly notices: ReadonlyArray<string>
}

/** What the request wants of logs; whether there are any is known with the definition. */
export interface JobLogs {
  /** Absent = where an execution role is known, logs are on. */
  readonly configure: boolean | undefined
  readonly prefix: string | undefined
  readonly options: Readonly<Record<string, string>>
  readonly stream: boolean
}
