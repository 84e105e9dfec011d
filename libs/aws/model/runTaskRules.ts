import type { LaunchType, RunTaskRequest, TaskDefinition } from "@aws-sdk/client-ecs"
import { cpuUnits, isFargateSize, memoryMiB } from "#ecs-core/FargateSizes.ts"
import { type AwsException, client, firstProblem, invalid } from "./AwsException.ts"
import { ephemeralStorageText, isEphemeralStorage, noFargateSize } from "./fargateRules.ts"
import type { LaunchPlan } from "./launchPlan.ts"
import { refuseNetwork } from "./networkRules.ts"
import { refuseTags } from "./tagRules.ts"
import type { World } from "./World.ts"

/** Limits of RunTask (API reference). */
export const maxOverridesLength = 8192
export const maxStartedByLength = 128
export const maxClientTokenLength = 64
export const maxCount = 10
export const maxPlacementConstraints = 10
export const maxPlacementStrategies = 5

/** What AWS would refuse in a launch, the definition and the cluster aside. */
export const refuseRequest = (input: RunTaskRequest): AwsException | undefined =>
  firstProblem([
    () => refuseNumbers(input),
    () => refuseOverrides(input),
    () => refuseIdentity(input),
    () => refuseTags(input.tags)
  ])

/** What AWS would refuse because of the definition that is to run, and where. */
export const refuseForDefinition = (
  world: World,
  input: RunTaskRequest,
  definition: TaskDefinition,
  plan: LaunchPlan
): AwsException | undefined =>
  firstProblem([
    () => refuseCompatibility(definition, plan.launchType),
    () => refusePlatform(input, definition, plan.launchType),
    () => refuseNetwork(world, input, definition, plan.launchType),
    () => refuseContainerNames(input, definition),
    () => (plan.launchType === "FARGATE" ? refuseOnFargate(input, definition) : refuseOnInstances(input))
  ])

const refuseNumbers = (input: RunTaskRequest): AwsException | undefined => {
  const { count, placementConstraints = [], placementStrategy = [] } = input
  if (count !== undefined && (!Number.isInteger(count) || count < 1 || count > maxCount)) {
    return invalid(`Count must be between 1 and ${maxCount}.`)
  }
  if (placementConstraints.length > maxPlacementConstraints) {
    return invalid(`placementConstraints can have at most ${maxPlacementConstraints} items.`)
  }
  return placementStrategy.length > maxPlacementStrategies
    ? invalid(`placementStrategy can have at most ${maxPlacementStrategies} items.`)
    : undefined
}

const refuseOverrides = ({ overrides }: RunTaskRequest): AwsException | undefined =>
  overrides !== undefined && JSON.stringify(overrides).length > maxOverridesLength
    ? invalid(`Container Overrides length must be at most ${maxOverridesLength}`)
    : undefined

const refuseIdentity = ({ startedBy, clientToken }: RunTaskRequest): AwsException | undefined => {
  if (startedBy !== undefined && startedBy.length > maxStartedByLength) {
    return invalid(`startedBy must not be longer than ${maxStartedByLength} characters.`)
  }
  if (startedBy !== undefined && !/^[\w/-]*$/.test(startedBy)) return invalid("startedBy contains invalid characters.")
  if (clientToken !== undefined && !/^[!-~]{1,64}$/.test(clientToken)) {
    return invalid(`clientToken must be 1 to ${maxClientTokenLength} characters of ASCII 33 to 126.`)
  }
  return undefined
}

const refuseCompatibility = (definition: TaskDefinition, launchType: LaunchType): AwsException | undefined =>
  definition.compatibilities?.includes(launchType) === true
    ? undefined
    : invalid(`Task definition does not support launch_type ${launchType}.`)

/** Versions of Fargate's Linux platform that still run; Windows has 1.0.0 alone. */
const platformVersions = ["LATEST", "1.3.0", "1.4.0"]

const refusePlatform = (
  { platformVersion }: RunTaskRequest,
  definition: TaskDefinition,
  launchType: LaunchType
): AwsException | undefined => {
  if (platformVersion === undefined || platformVersion === "") return undefined
  if (launchType !== "FARGATE") return invalid("The platform version must be null when specifying an EC2 launch type.")
  const { operatingSystemFamily = "LINUX", cpuArchitecture } = definition.runtimePlatform ?? {}
  const known = operatingSystemFamily === "LINUX" ? platformVersions : ["LATEST", "1.0.0"]
  if (!known.includes(platformVersion)) {
    return { __type: "PlatformUnknownException", message: "The specified platform version doesn't exist." }
  }
  const isModern = cpuArchitecture === "ARM64" || Number(definition.cpu) > 4096 || definition.ephemeralStorage
  return platformVersion === "1.3.0" && isModern ? incompatiblePlatform : undefined
}

const incompatiblePlatform: AwsException = {
  __type: "PlatformTaskDefinitionIncompatibilityException",
  message: "One or more of the requested capabilities are not supported."
}

const refuseContainerNames = (input: RunTaskRequest, definition: TaskDefinition): AwsException | undefined => {
  const names = new Set(definition.containerDefinitions?.map(({ name }) => name))
  const alien = input.overrides?.containerOverrides?.find(({ name }) => !names.has(name))
  return alien === undefined
    ? undefined
    : invalid(`Override for container named ${alien.name ?? ""} is not a container in the TaskDefinition.`)
}

const refuseOnFargate = (input: RunTaskRequest, definition: TaskDefinition): AwsException | undefined => {
  if ((input.placementStrategy ?? []).length > 0) {
    return invalid("Placement strategies are not supported with FARGATE launch type.")
  }
  if ((input.placementConstraints ?? []).length > 0) {
    return invalid("Placement constraints are not supported with FARGATE launch type.")
  }
  const cpu = input.overrides?.cpu ?? definition.cpu ?? ""
  const memory = input.overrides?.memory ?? definition.memory ?? ""
  if (!isFargateSize(cpuUnits(cpu) ?? 0, memoryMiB(memory) ?? 0)) return noFargateSize(cpu, memory)
  const storage = input.overrides?.ephemeralStorage
  return storage === undefined || isEphemeralStorage(storage.sizeInGiB) ? undefined : client(ephemeralStorageText)
}

const refuseOnInstances = (input: RunTaskRequest): AwsException | undefined =>
  input.overrides?.ephemeralStorage === undefined
    ? undefined
    : invalid("Tasks using the EC2 launch type do not support EphemeralStorage")
