import type * as Sdk from "@aws-sdk/client-ecs"
import { Result } from "effect"
import { type Answer, refuse } from "./AwsException.ts"
import { activeCluster } from "./clusterRecords.ts"
import { maxTags, refuseTags } from "./tagRules.ts"
import {
  type ClusterRecord,
  clusterName,
  ecsArn,
  parseTaskArn,
  putTask,
  type Region,
  regionOf,
  type TaskRecord,
  type World
} from "./World.ts"

/** DescribeTasks takes no more, ListTasks answers no more in a page (AWS). */
export const maxTasksPerCall = 100

export const describeTasks = (
  world: World,
  region: string,
  input: Sdk.DescribeTasksRequest,
  now: number
): Answer<Sdk.DescribeTasksResponse> => {
  const home = regionOf(world, region)
  const cluster = activeCluster(home, input.cluster)
  if (Result.isFailure(cluster)) return Result.fail(cluster.failure)
  const asked = input.tasks ?? []
  if (asked.length === 0) return refuse("InvalidParameterException", "Tasks cannot be empty.")
  if (asked.length > maxTasksPerCall) {
    return refuse("InvalidParameterException", `Tasks can not have more than ${maxTasksPerCall} elements.`)
  }
  const tasks: Array<Sdk.Task> = []
  const failures: Array<Sdk.Failure> = []
  for (const reference of asked) {
    const id = taskId(reference, input.cluster)
    if (Result.isFailure(id)) return Result.fail(id.failure)
    const record = cluster.success.tasks.get(id.success)
    if (record === undefined || !isVisible(world, record, now)) {
      const arn = ecsArn(world, region, `task/${clusterName(input.cluster)}/${id.success}`)
      failures.push({ arn, reason: "MISSING" })
    } else tasks.push(input.include?.includes("TAGS") === true ? record.task : withoutTags(record.task))
  }
  return Result.succeed({ tasks, failures })
}

const withoutTags = (task: Sdk.Task): Sdk.Task => (task.tags?.length === 0 ? task : { ...task, tags: [] })

const isVisible = (world: World, record: TaskRecord, now: number): boolean =>
  now >= (record.hiddenUntil ?? (record.task.createdAt?.getTime() ?? 0) + world.options.missingAfterRunSeconds * 1000)

/** Newest launches last. `startedBy` allows no other filter; without `desiredStatus` only RUNNING ones are listed. */
export const listTasks = (
  world: World,
  region: string,
  input: Sdk.ListTasksRequest,
  now: number
): Answer<Sdk.ListTasksResponse> => {
  const cluster = activeCluster(regionOf(world, region), input.cluster)
  if (Result.isFailure(cluster)) return Result.fail(cluster.failure)
  const { startedBy, family, desiredStatus, serviceName, launchType, containerInstance } = input
  if (startedBy !== undefined && [family, desiredStatus, serviceName, launchType, containerInstance].some(Boolean)) {
    return refuse("InvalidParameterException", "The startedBy filter cannot be combined with another filter.")
  }
  const after = input.nextToken === undefined ? -1 : Number(input.nextToken)
  if (!Number.isInteger(after)) return refuse("InvalidParameterException", "Invalid token.")
  const size = Math.max(1, Math.min(input.maxResults ?? maxTasksPerCall, maxTasksPerCall))
  const found: Array<TaskRecord> = []
  for (const record of candidates(cluster.success, startedBy)) {
    if (found.length > size) break
    if (record.sequence > after && isVisible(world, record, now) && isWanted(record, input)) found.push(record)
  }
  const items = found.slice(0, size)
  return Result.succeed({
    taskArns: items.map((record) => record.task.taskArn ?? ""),
    nextToken: found.length > size ? String(items.at(-1)?.sequence) : undefined
  })
}

function* candidates(cluster: ClusterRecord, startedBy: string | undefined): Generator<TaskRecord> {
  if (startedBy === undefined) return yield* cluster.tasks.values()
  for (const id of cluster.startedBy.get(startedBy) ?? []) {
    const record = cluster.tasks.get(id)
    if (record !== undefined) yield record
  }
}

const isWanted = ({ task }: TaskRecord, input: Sdk.ListTasksRequest): boolean =>
  task.desiredStatus === (input.desiredStatus ?? "RUNNING") &&
  (input.launchType === undefined || task.launchType === input.launchType) &&
  input.serviceName === undefined &&
  (input.family === undefined || task.taskDefinitionArn?.includes(`:task-definition/${input.family}:`) === true)

/** The task that StopTask names, or AWS's refusal. */
export const taskToStop = (world: World, region: string, input: Sdk.StopTaskRequest): Answer<TaskRecord> => {
  const cluster = activeCluster(regionOf(world, region), input.cluster)
  if (Result.isFailure(cluster)) return Result.fail(cluster.failure)
  const id = taskId(input.task ?? "", input.cluster)
  if (Result.isFailure(id)) return Result.fail(id.failure)
  const record = cluster.success.tasks.get(id.success)
  return record === undefined
    ? refuse("InvalidParameterException", "The referenced task was not found.")
    : Result.succeed(record)
}

const taskId = (reference: string, cluster: string | undefined): Answer<string> => {
  if (!reference.startsWith("arn:")) return Result.succeed(reference)
  const key = parseTaskArn(reference)
  if (key === undefined) return refuse("InvalidParameterException", "Invalid identifier: task ARN.")
  return key.cluster === clusterName(cluster)
    ? Result.succeed(key.id)
    : refuse("InvalidParameterException", `Identifier is for ${key.cluster}. Your cluster is ${clusterName(cluster)}`)
}

/** Tags of tasks, task definitions and clusters; a repeated key is replaced. */
export const tagResource = (
  world: World,
  region: string,
  input: Sdk.TagResourceRequest
): Answer<Sdk.TagResourceResponse> => {
  const resource = taggedResource(world, regionOf(world, region), input.resourceArn ?? "")
  if (resource === undefined) return noResource
  const added = input.tags ?? []
  const problem = refuseTags(added)
  if (problem !== undefined) return Result.fail(problem)
  const tags = [...resource.tags.filter((old) => !added.some(({ key }) => key === old.key)), ...added]
  if (tags.length > maxTags) return refuse("LimitExceededException", `A resource can have at most ${maxTags} tags.`)
  resource.replace(tags)
  return Result.succeed({})
}

export const listTagsForResource = (
  world: World,
  region: string,
  input: Sdk.ListTagsForResourceRequest
): Answer<Sdk.ListTagsForResourceResponse> => {
  const resource = taggedResource(world, regionOf(world, region), input.resourceArn ?? "")
  return resource === undefined ? noResource : Result.succeed({ tags: [...resource.tags] })
}

const noResource = refuse("ResourceNotFoundException", "The specified resource does not exist.")

interface Tagged {
  readonly tags: ReadonlyArray<Sdk.Tag>
  readonly replace: (tags: Array<Sdk.Tag>) => void
}

const taggedResource = (world: World, region: Region, arn: string): Tagged | undefined => {
  const [kind, name = "", last = ""] = arn
    .slice(arn.lastIndexOf(":task-definition/") + 1)
    .replace(/^arn:([^:]*:){4}/, "")
    .split("/")
  const task = kind === "task" ? region.clusters.get(name)?.tasks.get(last) : undefined
  if (task !== undefined) {
    return {
      tags: task.task.tags ?? [],
      replace: (tags) => putTask(world, { ...task, task: { ...task.task, tags } }, task.dueAt)
    }
  }
  const cluster = kind === "cluster" ? region.clusters.get(name) : undefined
  if (cluster !== undefined) {
    return {
      tags: cluster.cluster.tags ?? [],
      replace: (tags) => void (cluster.cluster = { ...cluster.cluster, tags })
    }
  }
  return kind === "task-definition" ? taggedDefinition(region, name) : undefined
}

const taggedDefinition = (region: Region, name: string): Tagged | undefined => {
  const [family = "", revision = ""] = name.split(":")
  const revisions = region.families.get(family)
  const index = Number(revision) - 1
  const record = revisions?.[index]
  if (revisions === undefined || record === undefined) return undefined
  return { tags: record.tags, replace: (tags) => void (revisions[index] = { ...record, tags }) }
}
