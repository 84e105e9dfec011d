import type { ContainerDefinition, RegisterTaskDefinitionRequest } from "@aws-sdk/client-ecs"
import { cpuUnits, memoryMiB } from "#ecs-core/FargateSizes.ts"
import { type AwsException, client, firstProblem } from "./AwsException.ts"
import { refuseDependencies } from "./dependencyRules.ts"
import { ephemeralStorageText, isEphemeralStorage, refuseForFargate } from "./fargateRules.ts"
import { refuseTags } from "./tagRules.ts"

/** Limits of a task definition (AWS service quotas, API reference). */
export const maxContainers = 10
export const maxDefinitionBytes = 65_536
export const maxFamilyLength = 255
export const maxPlacementConstraints = 10

type Input = RegisterTaskDefinitionRequest

/** What AWS would refuse in a registration: the first problem found, or undefined. */
export const refuseDefinition = (input: Input): AwsException | undefined =>
  firstProblem([
    () => refuseFamily(input.family),
    () => refuseChoices(input),
    () => refuseContainers(input),
    () => refuseSize(input),
    () => refuseSizes(input),
    () => refuseTags(input.tags),
    () => (requires(input, "FARGATE") ? refuseForFargate(input) : refuseForInstances(input)),
    () => refuseForExternal(input)
  ])

const requires = (input: Input, launchType: "FARGATE" | "EXTERNAL" | "EC2" | "MANAGED_INSTANCES"): boolean =>
  input.requiresCompatibilities?.includes(launchType) === true

const refuseFamily = (family: string | undefined): AwsException | undefined => {
  if (family === undefined || family === "") return client("Family should not be null or empty.")
  if (family.length > maxFamilyLength) return client("Family should not be longer than 255 characters.")
  return /^[\w-]+$/.test(family) ? undefined : client("Family contains invalid characters.")
}

const choices = {
  networkMode: ["awsvpc", "bridge", "host", "none"],
  requiresCompatibilities: ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"],
  cpuArchitecture: ["X86_64", "ARM64"]
}

const refuseChoices = (input: Input): AwsException | undefined => {
  const given: ReadonlyArray<readonly [keyof typeof choices, ReadonlyArray<string | undefined>]> = [
    ["networkMode", [input.networkMode]],
    ["requiresCompatibilities", input.requiresCompatibilities ?? []],
    ["cpuArchitecture", [input.runtimePlatform?.cpuArchitecture]]
  ]
  for (const [name, values] of given) {
    const wrong = values.find((value) => value !== undefined && !choices[name].includes(value))
    if (wrong !== undefined) return client(`${name} should be one of [${choices[name].join(",")}], not ${wrong}.`)
  }
  return (input.placementConstraints ?? []).length > maxPlacementConstraints
    ? client(`placementConstraints can have at most ${maxPlacementConstraints} items.`)
    : undefined
}

const refuseContainers = (input: Input): AwsException | undefined => {
  const containers = input.containerDefinitions ?? []
  if (containers.length === 0) return client("Container list cannot be empty.")
  if (containers.length > maxContainers) return client("Too many containers.")
  const names = containers.map((container) => container.name)
  if (new Set(names).size < names.length) return client("Container names must be unique.")
  if (containers.every((container) => container.essential === false)) {
    return client("A task definition must have at least one essential container.")
  }
  return firstProblem([
    ...containers.map((container) => () => refuseContainer(input, container)),
    () => refuseDependencies(containers)
  ])
}

const refuseContainer = (input: Input, container: ContainerDefinition): AwsException | undefined => {
  const { name, image, logConfiguration: logs } = container
  if (name === undefined || name === "") return client("Container.name should not be null or empty.")
  if (!/^[\w-]{1,255}$/.test(name)) return client("Container.name contains invalid characters.")
  if (image === undefined || image === "") return client("Container.image should not be null or empty.")
  if (logs?.logDriver === "awslogs" && !logs.options?.["awslogs-group"]) {
    return client("Log driver awslogs requires options: awslogs-group")
  }
  if ((container.secrets ?? []).length > 0 && !input.executionRoleArn) {
    return client("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
  }
  return input.networkMode === "awsvpc" ? refuseInAwsvpc(container) : undefined
}

const refuseInAwsvpc = (container: ContainerDefinition): AwsException | undefined => {
  if ((container.links ?? []).length > 0) return client("Links are not supported when networkMode=awsvpc.")
  const ports = container.portMappings ?? []
  return ports.every(({ containerPort, hostPort }) => !hostPort || hostPort === containerPort)
    ? undefined
    : client("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
}

const refuseSize = (input: Input): AwsException | undefined => {
  const length = Buffer.byteLength(JSON.stringify({ ...input, tags: undefined }))
  return length > maxDefinitionBytes
    ? client(`Actual length: '${length}'. Max allowed length is '${maxDefinitionBytes}' bytes.`)
    : undefined
}

const refuseSizes = (input: Input): AwsException | undefined => {
  for (const [name, value, size] of [
    ["cpu", input.cpu, cpuUnits(input.cpu)],
    ["memory", input.memory, memoryMiB(input.memory)]
  ] as const) {
    if (value !== undefined && size === undefined) return client(`Invalid '${name}' setting for task.`)
    const containers = input.containerDefinitions ?? []
    const sum = containers.reduce((total, container) => total + (sizeOf(container, name) ?? 0), 0)
    if (size !== undefined && sum > size) {
      return client(`Invalid '${name}' setting for task: its containers ask for ${sum}, the task has ${size}.`)
    }
  }
  return undefined
}

/** What a container asks for itself; of memory the part that is reserved. */
const sizeOf = (container: ContainerDefinition, name: "cpu" | "memory"): number | undefined =>
  name === "cpu" ? container.cpu : (container.memoryReservation ?? container.memory)

const refuseForInstances = (input: Input): AwsException | undefined => {
  if (input.ephemeralStorage !== undefined) {
    return isEphemeralStorage(input.ephemeralStorage.sizeInGiB)
      ? client("Tasks using the EC2 launch type do not support EphemeralStorage")
      : client(ephemeralStorageText)
  }
  const bare = input.containerDefinitions?.find(
    (container) =>
      input.memory === undefined && container.memory === undefined && container.memoryReservation === undefined
  )
  return bare === undefined
    ? undefined
    : client(
        `Invalid setting for container '${bare.name}'. At least one of 'memory' or 'memoryReservation' must be specified.`
      )
}

const refuseForExternal = (input: Input): AwsException | undefined =>
  requires(input, "EXTERNAL") && input.networkMode === "awsvpc"
    ? client("Tasks using the EXTERNAL launch type do not support network mode awsvpc.")
    : undefined
