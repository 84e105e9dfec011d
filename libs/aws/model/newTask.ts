import type * as Sdk from "@aws-sdk/client-ecs"
import { needsOf } from "./instances.ts"
import type { LaunchPlan } from "./launchPlan.ts"
import { type ClusterRecord, type DefinitionRecord, ecsArn, type TaskKey, type World } from "./World.ts"

/** A RunTask call that passed all checks. */
export interface Launch {
  readonly region: string
  readonly input: Sdk.RunTaskRequest
  readonly cluster: ClusterRecord
  readonly definition: DefinitionRecord
}

export const groupOf = (input: Sdk.RunTaskRequest, definition: Sdk.TaskDefinition): string =>
  input.group ?? `family:${definition.family}`

/** The task as RunTask answers it, before anything has begun. */
export const newTask = (
  world: World,
  { input, cluster, definition: record }: Launch,
  { launchType, provider }: LaunchPlan,
  key: TaskKey,
  now: number
): Sdk.Task => {
  const { definition } = record
  const taskArn = ecsArn(world, key.region, `task/${key.cluster}/${key.id}`)
  const copied = input.propagateTags === "TASK_DEFINITION" ? record.tags : []
  const own = new Set(input.tags?.map((tag) => tag.key))
  return {
    taskArn,
    clusterArn: cluster.cluster.clusterArn,
    taskDefinitionArn: definition.taskDefinitionArn,
    lastStatus: "PROVISIONING",
    desiredStatus: "RUNNING",
    version: 1,
    createdAt: new Date(now),
    group: groupOf(input, definition),
    ...(input.startedBy === undefined ? {} : { startedBy: input.startedBy }),
    ...(provider === undefined ? {} : { capacityProviderName: provider }),
    launchType,
    ...(launchType === "FARGATE" ? onFargate(input, definition) : {}),
    ...sizes(input, definition),
    availabilityZone: `${key.region}a`,
    attributes: [
      { name: "ecs.cpu-architecture", value: definition.runtimePlatform?.cpuArchitecture?.toLowerCase() ?? "x86_64" }
    ],
    attachments: definition.networkMode === "awsvpc" ? attachments(input, key) : [],
    containers: (definition.containerDefinitions ?? []).map((container) => newContainer(container, taskArn)),
    overrides: { containerOverrides: [], inferenceAcceleratorOverrides: [], ...input.overrides },
    enableExecuteCommand: input.enableExecuteCommand ?? false,
    healthStatus: "UNKNOWN",
    tags: [...copied.filter(({ key }) => !own.has(key)), ...(input.tags ?? [])]
  }
}

const onFargate = (input: Sdk.RunTaskRequest, definition: Sdk.TaskDefinition): Partial<Sdk.Task> => {
  const isLinux = (definition.runtimePlatform?.operatingSystemFamily ?? "LINUX") === "LINUX"
  const asked = input.platformVersion ?? "LATEST"
  return {
    platformVersion: asked === "LATEST" || asked === "" ? (isLinux ? "1.4.0" : "1.0.0") : asked,
    platformFamily: isLinux ? "Linux" : (definition.runtimePlatform?.operatingSystemFamily ?? ""),
    ephemeralStorage: input.overrides?.ephemeralStorage ?? definition.ephemeralStorage ?? { sizeInGiB: 20 }
  }
}

const sizes = (input: Sdk.RunTaskRequest, definition: Sdk.TaskDefinition): Pick<Sdk.Task, "cpu" | "memory"> => {
  const { cpu, memory } = needsOf(definition, input.overrides)
  return { cpu: String(cpu), memory: String(memory) }
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
  ...(container.memory === undefined ? {} : { memory: String(container.memory) }),
  ...(container.memoryReservation === undefined ? {} : { memoryReservation: String(container.memoryReservation) })
})

const attachments = (input: Sdk.RunTaskRequest, key: TaskKey): Array<Sdk.Attachment> => {
  const details = [
    { name: "subnetId", value: input.networkConfiguration?.awsvpcConfiguration?.subnets?.[0] ?? "" },
    { name: "networkInterfaceId", value: `eni-${key.id.slice(0, 17)}` },
    { name: "privateIPv4Address", value: "10.0.0.10" }
  ]
  return [{ id: `attachment-${key.id}`, type: "ElasticNetworkInterface", status: "PRECREATED", details }]
}
