import type * as Sdk from "@aws-sdk/client-ecs"
import { Result } from "effect"
import { type Answer, invalid } from "./AwsException.ts"
import { activeCluster } from "./clusterRecords.ts"
import { describeInstance, makeInstance } from "./instances.ts"
import { placeWaiting } from "./launch.ts"
import { page } from "./pages.ts"
import { ecsArn, nameOf, regionOf, type World } from "./World.ts"

/** DescribeContainerInstances takes no more, ListContainerInstances answers no more in a page (AWS). */
const maxInstancesPerCall = 100

/** An instance of EC2 with `CPU`, `MEMORY` and `GPU` of `totalResources` joins the cluster; what waits is placed on it. */
export const registerContainerInstance = (
  world: World,
  region: string,
  input: Sdk.RegisterContainerInstanceRequest,
  now: number
): Answer<Sdk.RegisterContainerInstanceResponse> =>
  Result.flatMap(activeCluster(regionOf(world, region), input.cluster), (record) => {
    const size = (name: string) => input.totalResources?.find((each) => each.name === name)?.integerValue ?? 0
    const gpus = input.totalResources?.find(({ name }) => name === "GPU")?.stringSetValue ?? []
    if (size("CPU") <= 0 || size("MEMORY") <= 0) {
      return Result.fail(invalid("totalResources must have CPU and MEMORY, each an INTEGER above 0."))
    }
    const cluster = record.cluster.clusterName ?? ""
    const arn = ecsArn(world, region, `container-instance/${cluster}/${world.options.newId()}`)
    const total = { cpu: size("CPU"), memory: size("MEMORY"), gpu: gpus.length }
    const instance = makeInstance(total, "EC2", arn, region, record.instances.size)
    record.instances.set(arn, instance)
    placeWaiting(world, region, record, now)
    return Result.succeed({ containerInstance: describeInstance(instance) })
  })

export const listContainerInstances = (
  world: World,
  region: string,
  input: Sdk.ListContainerInstancesRequest
): Answer<Sdk.ListContainerInstancesResponse> =>
  Result.flatMap(activeCluster(regionOf(world, region), input.cluster), ({ instances }) =>
    Result.map(
      page([...instances.keys()], input.nextToken, input.maxResults, maxInstancesPerCall),
      ({ items, nextToken }) => ({ containerInstanceArns: items, nextToken })
    )
  )

export const describeContainerInstances = (
  world: World,
  region: string,
  input: Sdk.DescribeContainerInstancesRequest
): Answer<Sdk.DescribeContainerInstancesResponse> =>
  Result.flatMap(activeCluster(regionOf(world, region), input.cluster), ({ cluster, instances }) => {
    const asked = input.containerInstances ?? []
    if (asked.length === 0 || asked.length > maxInstancesPerCall) {
      return Result.fail(invalid(`Container instances must be 1 to ${maxInstancesPerCall} elements.`))
    }
    const arns = asked.map((each) => ecsArn(world, region, `container-instance/${cluster.clusterName}/${nameOf(each)}`))
    return Result.succeed({
      containerInstances: arns.flatMap((arn) => instances.get(arn) ?? []).map(describeInstance),
      failures: arns.filter((arn) => !instances.has(arn)).map((arn) => ({ arn, reason: "MISSING" }))
    })
  })
