import type * as Sdk from "@aws-sdk/client-ecs"
import { Result } from "effect"
import { type Answer, firstProblem, invalid } from "./AwsException.ts"
import { providerOf, refuseStrategy, refuseUnassociated } from "./capacityProviders.ts"
import type { ClusterRecord, ProviderKind, Region } from "./World.ts"

/** Where one task of a launch is to run. */
export interface LaunchPlan {
  readonly launchType: Sdk.LaunchType
  /** Name of the capacity provider, if one decides. */
  readonly provider: string | undefined
}

/**
 * Where each task of the call runs: by the capacity provider strategy, by the launch type, by the cluster's default
 * strategy, or on EC2 where nothing is said (RunTask, ECS API reference).
 */
export const planLaunches = (
  region: Region,
  { cluster }: ClusterRecord,
  input: Sdk.RunTaskRequest
): Answer<ReadonlyArray<LaunchPlan>> => {
  const { launchType, capacityProviderStrategy: given = [], count = 1 } = input
  if (given.length > 0 && launchType !== undefined) return Result.fail(bothGiven)
  if (launchType !== undefined) return plain(launchType, count)
  const strategy = given.length > 0 ? given : (cluster.defaultCapacityProviderStrategy ?? [])
  if (strategy.length === 0) return plain("EC2", count)
  const problem = firstProblem([() => refuseStrategy(region, strategy), () => refuseUnassociated(cluster, strategy)])
  if (problem !== undefined) return Result.fail(problem)
  const providers = shares(strategy, count).map(providerOf)
  return Result.succeed(
    providers.map((provider) => ({
      provider,
      launchType: launchTypes[region.capacityProviders.get(provider) ?? "FARGATE"]
    }))
  )
}

const bothGiven = invalid(
  "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
)

const plain = (launchType: Sdk.LaunchType, count: number): Answer<ReadonlyArray<LaunchPlan>> => {
  if (launchType === "MANAGED_INSTANCES") return Result.fail(onlyByStrategy)
  if (!["FARGATE", "EC2", "EXTERNAL"].includes(launchType)) {
    return Result.fail(invalid(`Launch type should be one of [EC2,FARGATE,EXTERNAL], not ${String(launchType)}.`))
  }
  return Result.succeed(Array.from({ length: count }, () => ({ launchType, provider: undefined })))
}

/** The API reference's own sentence; how AWS words the refusal is not known. */
const onlyByStrategy = invalid(
  "If you want to use Amazon ECS Managed Instances, you must use the capacityProviderStrategy request parameter and omit the " +
    "launchType request parameter."
)

const launchTypes: Readonly<Record<ProviderKind, Sdk.LaunchType>> = {
  FARGATE: "FARGATE",
  FARGATE_SPOT: "FARGATE",
  EC2_AUTOSCALING: "EC2",
  MANAGED_INSTANCES: "MANAGED_INSTANCES"
}

type Item = Sdk.CapacityProviderStrategyItem

/** Whose turn it is for each of `count` tasks: first the base, then always the one that lacks most of its weight's share. */
const shares = (strategy: ReadonlyArray<Item>, count: number): ReadonlyArray<Item> => {
  const based = strategy.flatMap((item) => Array.from({ length: Math.min(item.base ?? 0, count) }, () => item))
  const total = strategy.reduce((sum, { weight }) => sum + (weight ?? 0), 0)
  const turns = strategy.map(() => 0)
  const rest = Array.from({ length: count - based.length }, (_, turn) => {
    const lack = strategy.map(({ weight }, index) => ((turn + 1) * (weight ?? 0)) / (total || 1) - (turns[index] ?? 0))
    const next = lack.indexOf(Math.max(...lack))
    turns[next] = (turns[next] ?? 0) + 1
    return strategy[next] ?? {}
  })
  return [...based, ...rest].map((item) => ({ capacityProvider: undefined, ...item }))
}
