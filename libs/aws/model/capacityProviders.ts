import type * as Sdk from "@aws-sdk/client-ecs"
import { Result } from "effect"
import { type Answer, type AwsException, firstProblem, invalid } from "./AwsException.ts"
import { activeCluster } from "./clusterRecords.ts"
import { ecsArn, nameOf, type ProviderKind, type Region, regionOf, type World } from "./World.ts"

/** Limits of a strategy (ECS API reference). */
export const maxStrategyItems = 20
export const maxWeight = 1000
export const maxBase = 100_000

type Strategy = ReadonlyArray<Sdk.CapacityProviderStrategyItem>

const isFargate = (kind: ProviderKind | undefined): boolean => kind === "FARGATE" || kind === "FARGATE_SPOT"

/** What AWS would refuse in a strategy, whatever cluster it is for. */
export const refuseStrategy = (region: Region, strategy: Strategy): AwsException | undefined =>
  firstProblem([
    () => refuseCounts(strategy),
    () => refuseProviders(region, strategy.map(providerOf)),
    () => refuseMix(region, strategy)
  ])

/** Every provider of the strategy must belong to the cluster. */
export const refuseUnassociated = (cluster: Sdk.Cluster, strategy: Strategy): AwsException | undefined =>
  strategy.every((item) => cluster.capacityProviders?.includes(providerOf(item)) === true)
    ? undefined
    : invalid(
        "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. " +
          "Associate the capacity provider with the cluster and try again."
      )

/** By name or ARN. */
export const providerOf = ({ capacityProvider }: Sdk.CapacityProviderStrategyItem): string =>
  nameOf(capacityProvider ?? "")

const refuseCounts = (strategy: Strategy): AwsException | undefined => {
  if (strategy.length > maxStrategyItems) {
    return invalid(`A capacity provider strategy can contain a maximum of ${maxStrategyItems} capacity providers.`)
  }
  const isWithin = (value: number | undefined, most: number) => value === undefined || (value >= 0 && value <= most)
  if (!strategy.every(({ weight }) => isWithin(weight, maxWeight))) {
    return invalid(`The weight of a capacity provider must be between 0 and ${maxWeight}.`)
  }
  if (!strategy.every(({ base }) => isWithin(base, maxBase))) {
    return invalid(`The base of a capacity provider must be between 0 and ${maxBase}.`)
  }
  if (strategy.filter(({ base }) => (base ?? 0) > 0).length > 1) {
    return invalid("Only one capacity provider in a capacity provider strategy can have a base defined.")
  }
  return strategy.length > 1 && strategy.every(({ weight }) => (weight ?? 0) === 0)
    ? invalid("At least one capacity provider in the strategy must have a weight greater than 0.")
    : undefined
}

const refuseProviders = (region: Region, names: ReadonlyArray<string>): AwsException | undefined =>
  names.every((name) => region.capacityProviders.has(name))
    ? undefined
    : invalid("The specified capacity provider was not found. Specify a valid name or ARN and try again.")

const refuseMix = (region: Region, strategy: Strategy): AwsException | undefined => {
  const onFargate = strategy.filter((item) => isFargate(region.capacityProviders.get(providerOf(item))))
  return onFargate.length > 0 && onFargate.length < strategy.length
    ? invalid(
        "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate providers. " +
          "Specify one or the other and try again."
      )
    : undefined
}

/** What a cluster gets by CreateCluster and PutClusterCapacityProviders; AWS's defaults are written into the strategy. */
export const associated = (
  region: Region,
  input: {
    readonly capacityProviders?: Array<string> | undefined
    readonly defaultCapacityProviderStrategy?: Array<Sdk.CapacityProviderStrategyItem> | undefined
  }
): Answer<Pick<Sdk.Cluster, "capacityProviders" | "defaultCapacityProviderStrategy">> => {
  const capacityProviders = (input.capacityProviders ?? []).map(nameOf)
  const strategy = input.defaultCapacityProviderStrategy ?? []
  const problem = firstProblem([
    () => refuseProviders(region, capacityProviders),
    () => refuseStrategy(region, strategy),
    () => refuseUnassociated({ capacityProviders }, strategy)
  ])
  if (problem !== undefined) return Result.fail(problem)
  const defaultCapacityProviderStrategy = strategy.map((item) => ({
    capacityProvider: providerOf(item),
    weight: item.weight ?? 0,
    base: item.base ?? 0
  }))
  return Result.succeed({ capacityProviders, defaultCapacityProviderStrategy })
}

export const putClusterCapacityProviders = (
  world: World,
  region: string,
  input: Sdk.PutClusterCapacityProvidersRequest
): Answer<Sdk.PutClusterCapacityProvidersResponse> => {
  const home = regionOf(world, region)
  return Result.flatMap(activeCluster(home, input.cluster), (record) =>
    Result.map(associated(home, input), (providers) => {
      record.cluster = { ...record.cluster, ...providers }
      return { cluster: record.cluster }
    })
  )
}

/** An Auto Scaling group's provider, or one of Managed Instances; the latter brings its instances itself. */
export const createCapacityProvider = (
  world: World,
  region: string,
  input: Sdk.CreateCapacityProviderRequest
): Answer<Sdk.CreateCapacityProviderResponse> => {
  const { capacityProviders, clusters } = regionOf(world, region)
  const name = input.name ?? ""
  const managed = input.managedInstancesProvider !== undefined
  if (!/^[\w-]{1,255}$/.test(name) || /^(aws|ecs|fargate)/i.test(name)) {
    return Result.fail(invalid("The specified capacity provider name is invalid. Specify a valid name and try again."))
  }
  if (managed === (input.autoScalingGroupProvider !== undefined)) {
    return Result.fail(invalid("Specify either an autoScalingGroupProvider or a managedInstancesProvider."))
  }
  const cluster = managed ? clusters.get(nameOf(input.cluster ?? "")) : undefined
  if (managed && cluster === undefined) {
    return Result.fail(invalid("A managedInstancesProvider needs the cluster that it is for."))
  }
  capacityProviders.set(name, managed ? "MANAGED_INSTANCES" : "EC2_AUTOSCALING")
  if (cluster !== undefined) {
    const capacityProviders = [...new Set([...(cluster.cluster.capacityProviders ?? []), name])]
    cluster.cluster = { ...cluster.cluster, capacityProviders }
  }
  return Result.succeed({ capacityProvider: described(world, region, name, capacityProviders.get(name)) })
}

export const describeCapacityProviders = (
  world: World,
  region: string,
  input: Sdk.DescribeCapacityProvidersRequest
): Answer<Sdk.DescribeCapacityProvidersResponse> => {
  const { capacityProviders } = regionOf(world, region)
  const names = input.capacityProviders?.map(nameOf) ?? [...capacityProviders.keys()]
  const known = names.filter((name) => capacityProviders.has(name))
  return Result.succeed({
    capacityProviders: known.map((name) => described(world, region, name, capacityProviders.get(name))),
    failures: names
      .filter((name) => !capacityProviders.has(name))
      .map((name) => ({ arn: ecsArn(world, region, `capacity-provider/${name}`), reason: "MISSING" }))
  })
}

const described = (
  world: World,
  region: string,
  name: string,
  kind: ProviderKind | undefined
): Sdk.CapacityProvider => ({
  capacityProviderArn: ecsArn(world, region, `capacity-provider/${name}`),
  name,
  status: "ACTIVE",
  ...(kind === undefined ? {} : { type: kind }),
  tags: []
})
