import type * as Sdk from "@aws-sdk/client-ecs"
import { Result } from "effect"
import { type Answer, refuse } from "./AwsException.ts"
import { associated } from "./capacityProviders.ts"
import { activeCluster, isActive } from "./clusterRecords.ts"
import { page } from "./pages.ts"
import { refuseTags } from "./tagRules.ts"
import { type ClusterRecord, clusterName, ecsArn, makeCluster, regionOf, type World } from "./World.ts"

export const createCluster = (
  world: World,
  region: string,
  input: Sdk.CreateClusterRequest
): Answer<Sdk.CreateClusterResponse> => {
  const name = clusterName(input.clusterName)
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(name)) return refuse("InvalidParameterException", "Invalid cluster name.")
  const { clusters } = regionOf(world, region)
  const known = clusters.get(name)
  if (known?.cluster.status === "ACTIVE") return Result.succeed({ cluster: known.cluster })
  const problem = refuseTags(input.tags)
  if (problem !== undefined) return Result.fail(problem)
  return Result.map(associated(regionOf(world, region), input), (providers) => {
    const settings = input.settings === undefined ? {} : { settings: input.settings }
    const made = makeCluster(world, regionOf(world, region), name, {
      tags: input.tags ?? [],
      ...settings,
      ...providers
    })
    clusters.set(name, made)
    return { cluster: counted(made) }
  })
}

export const describeClusters = (
  world: World,
  region: string,
  input: Sdk.DescribeClustersRequest
): Answer<Sdk.DescribeClustersResponse> => {
  const { clusters } = regionOf(world, region)
  const names = (input.clusters ?? ["default"]).map(clusterName)
  if (names.length > 100) return refuse("InvalidParameterException", "Clusters can not have more than 100 elements.")
  const missing = names.filter((name) => !clusters.has(name))
  return Result.succeed({
    clusters: names.flatMap((name) => clusters.get(name) ?? []).map(counted),
    failures: missing.map((name) => ({ arn: ecsArn(world, region, `cluster/${name}`), reason: "MISSING" }))
  })
}

export const listClusters = (
  world: World,
  region: string,
  input: Sdk.ListClustersRequest
): Answer<Sdk.ListClustersResponse> => {
  const active = [...regionOf(world, region).clusters.values()].filter(isActive)
  return Result.map(page(active, input.nextToken, input.maxResults, 100), ({ items, nextToken }) => ({
    clusterArns: items.map((record) => record.cluster.clusterArn ?? ""),
    nextToken
  }))
}

export const deleteCluster = (
  world: World,
  region: string,
  input: Sdk.DeleteClusterRequest
): Answer<Sdk.DeleteClusterResponse> => {
  const found = activeCluster(regionOf(world, region), input.cluster)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const counts = counted(found.success)
  if ((counts.runningTasksCount ?? 0) + (counts.pendingTasksCount ?? 0) > 0) {
    return refuse("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
  }
  found.success.cluster = { ...found.success.cluster, status: "INACTIVE" }
  return Result.succeed({ cluster: found.success.cluster })
}

const counted = (record: ClusterRecord): Sdk.Cluster => {
  const statuses = [...record.tasks.values()].map(({ task }) => task.lastStatus)
  return {
    ...record.cluster,
    registeredContainerInstancesCount: record.instances.size,
    runningTasksCount: statuses.filter((status) => status === "RUNNING").length,
    pendingTasksCount: statuses.filter((status) => ["PROVISIONING", "PENDING", "ACTIVATING"].includes(status ?? ""))
      .length
  }
}
