import { hash } from "node:crypto"
import type * as Sdk from "@aws-sdk/client-ecs"
import { Result } from "effect"
import type { Answer, AwsException } from "./AwsException.ts"
import { activeCluster } from "./clusters.ts"
import { containerSpecs } from "./containers.ts"
import { stateMillis } from "./lifecycle.ts"
import { refuseForDefinition, refuseRequest, runsOnFargate } from "./runTaskRules.ts"
import { findDefinition } from "./taskDefinitions.ts"
import {
  type ClusterRecord,
  clusterName,
  type DefinitionRecord,
  ecsArn,
  putTask,
  regionOf,
  type TaskKey,
  type World
} from "./World.ts"

/** A token is known this long when its launch started nothing; else as long as its task (AWS: at most 24 hours). */
export const emptyTokenSeconds = 86_400

/**
 * Launches, or gives the recorded answer when the token is known: failures included, so a new try needs a new token. The
 * same token with other parameters is a conflict that names the tasks of the first launch.
 */
export const runTask = (
  world: World,
  region: string,
  input: Sdk.RunTaskRequest,
  now: number
): Answer<Sdk.RunTaskResponse> => {
  const problem = refuseRequest(input)
  if (problem !== undefined) return Result.fail(problem)
  const home = regionOf(world, region)
  const cluster = activeCluster(home, input.cluster)
  if (Result.isFailure(cluster)) return Result.fail(cluster.failure)
  const token = input.clientToken
  const recorded = token === undefined ? undefined : cluster.success.tokens.get(token)
  const parameters = token === undefined ? "" : parameterHash(input)
  if (recorded !== undefined) return replay(recorded, parameters)
  const definition = findDefinition(home, input.taskDefinition)
  const refusal = refuseDefinition(world, input, definition)
  if (definition === undefined || refusal !== undefined) return Result.fail(refusal ?? notFound)
  const response = launch(world, region, { input, cluster: cluster.success, definition }, now)
  if (token !== undefined) {
    cluster.success.tokens.set(token, { hash: parameters, response })
    if ((response.tasks ?? []).length === 0) forgetTokenLater(world, { region, cluster: input.cluster, token }, now)
  }
  return Result.succeed(response)
}

const notFound: AwsException = { __type: "ClientException", message: "TaskDefinition not found." }

const refuseDefinition = (world: World, input: Sdk.RunTaskRequest, record: DefinitionRecord | undefined) => {
  if (record === undefined) return notFound
  if (record.definition.status !== "ACTIVE") {
    return { __type: "ClientException", message: "TaskDefinition is inactive" }
  }
  return refuseForDefinition(world, input, record.definition)
}

const replay = (
  recorded: { readonly hash: string; readonly response: Sdk.RunTaskResponse },
  parameters: string
): Answer<Sdk.RunTaskResponse> => {
  if (recorded.hash === parameters) return Result.succeed(recorded.response)
  const resourceIds = (recorded.response.tasks ?? []).flatMap(({ taskArn }) => taskArn ?? [])
  const message = "The request was made with a client token that was already used with different parameters."
  return Result.fail({ __type: "ConflictException", message, resourceIds })
}

interface Launch {
  readonly input: Sdk.RunTaskRequest
  readonly cluster: ClusterRecord
  readonly definition: DefinitionRecord
}

const launch = (world: World, region: string, order: Launch, now: number): Sdk.RunTaskResponse => {
  const failure = world.launchFailures.shift()
  if (failure !== undefined) return { tasks: [], failures: [failure] }
  const tasks = Array.from({ length: order.input.count ?? 1 }, () => launchOne(world, region, order, now))
  return { tasks, failures: [] }
}

const launchOne = (world: World, region: string, { input, cluster, definition }: Launch, now: number): Sdk.Task => {
  const key: TaskKey = { region, cluster: cluster.cluster.clusterName ?? "", id: world.options.newId() }
  const taskArn = ecsArn(world, region, `task/${key.cluster}/${key.id}`)
  const task = newTask(world, { input, cluster, definition }, key, now)
  const isHeld = world.heldLaunches > 0
  if (isHeld) world.heldLaunches -= 1
  putTask(world, {
    key,
    task,
    containers: containerSpecs(definition.definition, input.overrides, key, taskArn),
    sequence: world.sequence++,
    token: input.clientToken,
    isHeld,
    dueAt: isHeld ? undefined : now + stateMillis[world.options.timeScale].PROVISIONING
  })
  if (input.startedBy !== undefined) {
    const group = cluster.startedBy.get(input.startedBy) ?? new Set()
    cluster.startedBy.set(input.startedBy, group.add(key.id))
  }
  return task
}

const newTask = (world: World, { input, cluster, definition: record }: Launch, key: TaskKey, now: number): Sdk.Task => {
  const { definition } = record
  const taskArn = ecsArn(world, key.region, `task/${key.cluster}/${key.id}`)
  const provider = input.capacityProviderStrategy?.[0]?.capacityProvider
  const isFargate = runsOnFargate(input, definition)
  const copied = input.propagateTags === "TASK_DEFINITION" ? record.tags : []
  return {
    taskArn,
    clusterArn: cluster.cluster.clusterArn,
    taskDefinitionArn: definition.taskDefinitionArn,
    lastStatus: "PROVISIONING",
    desiredStatus: "RUNNING",
    version: 1,
    createdAt: new Date(now),
    group: input.group ?? `family:${definition.family}`,
    ...(input.startedBy === undefined ? {} : { startedBy: input.startedBy }),
    ...(provider === undefined
      ? { launchType: isFargate ? "FARGATE" : (input.launchType ?? "EC2") }
      : { capacityProviderName: provider, launchType: isFargate ? "FARGATE" : "EC2" }),
    ...(isFargate ? { platformVersion: "1.4.0", platformFamily: "Linux", ephemeralStorage: { sizeInGiB: 20 } } : {}),
    cpu: input.overrides?.cpu ?? definition.cpu ?? "0",
    memory: input.overrides?.memory ?? definition.memory ?? "0",
    availabilityZone: `${key.region}a`,
    attributes: [
      { name: "ecs.cpu-architecture", value: definition.runtimePlatform?.cpuArchitecture?.toLowerCase() ?? "x86_64" }
    ],
    attachments: attachments(input, key),
    containers: (definition.containerDefinitions ?? []).map((container) => newContainer(container, taskArn)),
    overrides: { containerOverrides: [], inferenceAcceleratorOverrides: [], ...input.overrides },
    enableExecuteCommand: input.enableExecuteCommand ?? false,
    healthStatus: "UNKNOWN",
    tags: [...copied, ...(input.tags ?? [])]
  }
}

const newContainer = (container: Sdk.ContainerDefinition, taskArn: string): Sdk.Container => ({
  containerArn: `${taskArn.replace(":task/", ":container/")}/${container.name}`,
  taskArn,
  name: container.name,
  image: container.image,
  lastStatus: "PENDING",
  networkInterfaces: [],
  healthStatus: "UNKNOWN",
  cpu: String(container.cpu ?? 0),
  ...(container.memory === undefined ? {} : { memory: String(container.memory) })
})

const attachments = (input: Sdk.RunTaskRequest, key: TaskKey): Array<Sdk.Attachment> => {
  const subnet = input.networkConfiguration?.awsvpcConfiguration?.subnets?.[0]
  if (subnet === undefined) return []
  const details = [
    { name: "subnetId", value: subnet },
    { name: "networkInterfaceId", value: `eni-${key.id.slice(0, 17)}` },
    { name: "privateIPv4Address", value: "10.0.0.10" }
  ]
  return [{ id: `attachment-${key.id}`, type: "ElasticNetworkInterface", status: "PRECREATED", details }]
}

const forgetTokenLater = (
  world: World,
  { region, cluster, token }: { readonly region: string; readonly cluster: string | undefined; readonly token: string },
  now: number
): void =>
  world.due.push(now + emptyTokenSeconds * 1000, { _tag: "Token", region, cluster: clusterName(cluster), token })

/** The parameters without the token, whatever the order of their members. */
const parameterHash = (input: Sdk.RunTaskRequest): string =>
  hash("sha256", JSON.stringify({ ...input, clientToken: undefined }, sortMembers), "base64")

const sortMembers = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value
