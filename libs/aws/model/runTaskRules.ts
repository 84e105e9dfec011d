import type { RunTaskRequest, TaskDefinition } from "@aws-sdk/client-ecs"
import type { AwsException } from "./AwsException.ts"
import { firstProblem, isFargateSize } from "./taskDefinitionRules.ts"
import type { World } from "./World.ts"

/** Limits of RunTask (API reference). */
export const maxOverridesLength = 8192
export const maxStartedByLength = 128
export const maxClientTokenLength = 64
export const maxCount = 10
export const maxSubnets = 16
export const maxSecurityGroups = 5
export const maxTags = 50

/** What AWS would refuse in a launch, the definition and the cluster aside. */
export const refuseRequest = (input: RunTaskRequest): AwsException | undefined =>
  firstProblem([
    () => refuseNumbers(input),
    () => refuseOverrides(input),
    () => refuseIdentity(input),
    () => refuseStrategy(input),
    () => refuseTags(input)
  ])

/** What AWS would refuse because of the definition that is to run. */
export const refuseForDefinition = (
  world: World,
  input: RunTaskRequest,
  definition: TaskDefinition
): AwsException | undefined =>
  firstProblem([
    () => refuseNetwork(world, input, definition),
    () => refuseContainerNames(input, definition),
    () => refuseFargate(input, definition)
  ])

/** FARGATE by launch type, by a FARGATE provider, or because nothing else is said and the definition is for Fargate. */
export const runsOnFargate = (input: RunTaskRequest, definition: TaskDefinition): boolean => {
  const provider = input.capacityProviderStrategy?.[0]?.capacityProvider
  if (provider !== undefined) return provider.startsWith("FARGATE")
  return input.launchType === undefined
    ? definition.requiresCompatibilities?.includes("FARGATE") === true
    : input.launchType === "FARGATE"
}

const invalid = (message: string): AwsException => ({ __type: "InvalidParameterException", message })

const refuseNumbers = ({ count }: RunTaskRequest): AwsException | undefined =>
  count !== undefined && (!Number.isInteger(count) || count < 1 || count > maxCount)
    ? invalid(`Count must be between 1 and ${maxCount}.`)
    : undefined

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

const refuseStrategy = ({
  launchType,
  capacityProviderStrategy: strategy = []
}: RunTaskRequest): AwsException | undefined => {
  if (strategy.length === 0) return undefined
  if (launchType !== undefined) {
    return invalid(
      "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
    )
  }
  const onFargate = strategy.filter(({ capacityProvider }) => capacityProvider?.startsWith("FARGATE"))
  if (onFargate.length > 0 && onFargate.length < strategy.length) {
    return invalid(
      "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate providers."
    )
  }
  return strategy.length > 1 && strategy.every(({ weight }) => (weight ?? 0) === 0)
    ? invalid("At least one capacity provider in the strategy must have a weight greater than 0.")
    : undefined
}

const refuseTags = ({ tags = [] }: RunTaskRequest): AwsException | undefined => {
  if (tags.length > maxTags) return invalid(`Tags can not have more than ${maxTags} elements.`)
  const bad = tags.find(
    ({ key, value }) => !key || key.length > 128 || (value?.length ?? 0) > 256 || /^aws:/i.test(key)
  )
  return bad === undefined ? undefined : invalid(`Invalid tag '${bad.key ?? ""}'.`)
}

const refuseNetwork = (world: World, input: RunTaskRequest, definition: TaskDefinition): AwsException | undefined => {
  const network = input.networkConfiguration?.awsvpcConfiguration
  if (definition.networkMode !== "awsvpc") {
    return network === undefined
      ? undefined
      : invalid("Network Configuration is not valid for the given networkMode of this task definition.")
  }
  if (network === undefined) {
    return invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
  }
  const subnets = network.subnets ?? []
  if (subnets.length === 0) return invalid("subnets can not be empty.")
  if (subnets.length > maxSubnets) return invalid(`subnets can have at most ${maxSubnets} items.`)
  if ((network.securityGroups ?? []).length > maxSecurityGroups) {
    return invalid(`securityGroups can have at most ${maxSecurityGroups} items.`)
  }
  const known = new Set(world.options.networks.flatMap(({ subnetIds }) => subnetIds))
  const alien = subnets.find((subnet) => !known.has(subnet))
  return alien === undefined
    ? undefined
    : invalid(`Error retrieving subnet information for [${alien}]: The subnet ID '${alien}' does not exist`)
}

const refuseContainerNames = (input: RunTaskRequest, definition: TaskDefinition): AwsException | undefined => {
  const names = new Set(definition.containerDefinitions?.map(({ name }) => name))
  const alien = input.overrides?.containerOverrides?.find(({ name }) => !names.has(name))
  return alien === undefined
    ? undefined
    : invalid(`Override for container named ${alien.name ?? ""} is not a container in the TaskDefinition.`)
}

const refuseFargate = (input: RunTaskRequest, definition: TaskDefinition): AwsException | undefined => {
  if (!runsOnFargate(input, definition)) return undefined
  if (!definition.compatibilities?.includes("FARGATE")) {
    return invalid("Task definition does not support launch_type FARGATE.")
  }
  const cpu = input.overrides?.cpu ?? definition.cpu ?? ""
  const memory = input.overrides?.memory ?? definition.memory ?? ""
  return isFargateSize(cpu, memory)
    ? undefined
    : {
        __type: "ClientException",
        message: `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory.`
      }
}
