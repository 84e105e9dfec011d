import { compact } from "./Compact.ts"
import { cpuUnits, memoryMiB } from "./FargateSizes.ts"
import type { Job } from "./Job.ts"
import { isJson, type Json, listOf, objectsOf, textOf } from "./Json.ts"
import { shapeOf } from "./LaunchOn.ts"
import { logConfigurationOf } from "./LogPlan.ts"
import { DEFAULT_CONTAINER, DEFAULT_CPU, DEFAULT_MEMORY } from "./Pool.ts"
import { slugFamily } from "./Slug.ts"

/** RegisterTaskDefinition's input; member names and types are ECS's own, and what the fleet does not read travels along. */
export interface TaskDefinitionInput {
  readonly family: string
  readonly networkMode?: string
  readonly requiresCompatibilities?: ReadonlyArray<string>
  readonly containerDefinitions: ReadonlyArray<ContainerDefinitionInput>
  readonly [member: string]: unknown
}

export type ContainerDefinitionInput = Json

export interface PreparedDefinition {
  readonly definition: TaskDefinitionInput
  /** The container that runs the program: overrides, logs and the exit code are its. */
  readonly containerName: string
}

/**
 * The orchestration container of a definition: as configured, else `main` where there is one, else the first one, if it
 * has a name (peers 23). The same for prepared definitions and for those that ECS reads back.
 */
export const orchestrationContainer = (definition: object, configured: string | undefined): string => {
  const containers = containersOf(definition)
  if (configured !== undefined) return configured
  if (containers.some(({ name }) => name === DEFAULT_CONTAINER)) return DEFAULT_CONTAINER
  return textOf(containers[0]?.["name"]) ?? DEFAULT_CONTAINER
}

/** The container definitions of a definition, or none. */
export const containersOf = (definition: object): ReadonlyArray<Json> =>
  objectsOf(Reflect.get(definition, "containerDefinitions"))

/**
 * The definition of a job: its free members, and what they leave open filled from its fields. Command, environment,
 * labels, cluster and task role are given at launch, so that changing them registers nothing (peers 27); image, sizes,
 * logs and family make a new revision (peers 28). What is wrong with it is for `definitionProblems` to say.
 */
export const prepareTaskDefinition = (job: Job, region: string): PreparedDefinition => {
  const free = compact(job.taskDefinition)
  const containerName = orchestrationContainer(free, job.containerName)
  const containers = withContainer(containersOf(free), containerName)
  const container = (each: Json) =>
    each["name"] === containerName ? prepareContainer(job, free, each, region) : withIntegers(each)
  const definition = compact({
    ...free,
    ...launchMembers(job, free),
    executionRoleArn: free["executionRoleArn"] ?? job.executionRoleArn,
    ephemeralStorage: free["ephemeralStorage"] ?? { sizeInGiB: job.ephemeralStorageGiB },
    runtimePlatform: { ...job.runtimePlatform, ...(isJson(free["runtimePlatform"]) ? free["runtimePlatform"] : {}) }
  })
  return {
    definition: { ...definition, family: familyOf(job, free), containerDefinitions: containers.map(container) },
    containerName
  }
}

const familyOf = (job: Job, free: Json): string => slugFamily(textOf(free["family"]) ?? job.family ?? job.defaultName)

/**
 * The first container without a name takes the name that nobody has; where all have one, a container of the default name
 * is appended (peers 24). Another name that nobody has is left for `definitionProblems`, except in an empty list.
 */
const withContainer = (containers: ReadonlyArray<Json>, name: string): ReadonlyArray<Json> => {
  if (containers.some((each) => each["name"] === name)) return containers
  const unnamed = containers.findIndex((each) => textOf(each["name"]) === undefined)
  if (unnamed !== -1) return containers.map((each, index) => (index === unnamed ? { ...each, name } : each))
  return containers.length === 0 || name === DEFAULT_CONTAINER ? [...containers, { name }] : containers
}

/**
 * What depends on the launch type (peers 31–33). The sizes of a task are text, those of a container integers. A definition
 * that itself asks for FARGATE is made fit for it, wherever this run goes: ECS would refuse it otherwise.
 */
const launchMembers = (job: Job, free: Json): Json => {
  const { compatibility, networkMode, sizesAt } = shapeOf(job)
  const listed = listOf(free["requiresCompatibilities"])
  const isNew = compatibility !== undefined && !listed.includes(compatibility)
  const asksFargate = listed.includes("FARGATE")
  const atTask = sizesAt === "task" || asksFargate
  return {
    requiresCompatibilities: isNew ? [...listed, compatibility] : listed,
    networkMode: free["networkMode"] ?? (asksFargate ? "awsvpc" : networkMode),
    cpu: sizeText(free["cpu"] ?? (atTask ? (job.cpu ?? DEFAULT_CPU) : undefined)),
    memory: sizeText(free["memory"] ?? (atTask ? (job.memory ?? DEFAULT_MEMORY) : undefined))
  }
}

const sizeText = (size: unknown): string | undefined => (size === undefined ? undefined : String(size))

const prepareContainer = (job: Job, free: Json, container: Json, region: string): ContainerDefinitionInput => {
  const role = textOf(free["executionRoleArn"]) ?? job.executionRoleArn
  return compact({
    ...withSizes(job, free, container),
    image: container["image"] ?? job.image,
    essential: container["essential"] ?? true,
    environment: environmentOf(job, container),
    secrets: secretsOf(job, container),
    resourceRequirements: requirementsOf(job, container),
    logConfiguration: logConfigurationOf(job, { container, role, region })
  })
}

/**
 * Off Fargate a container's own sizes count, and only what is missing is filled in (peers 32). A reservation without a
 * limit stays one, unless a limit is asked for.
 */
const withSizes = (job: Job, free: Json, container: Json): Json => {
  const atContainer = shapeOf(job).sizesAt === "container"
  const reserves = container["memoryReservation"] !== undefined
  const cpu = cpuUnits(free["cpu"]) ?? job.cpu ?? DEFAULT_CPU
  const memory = memoryMiB(free["memory"]) ?? job.memory ?? (reserves ? undefined : DEFAULT_MEMORY)
  return {
    ...(atContainer ? { cpu, memory } : {}),
    ...withIntegers(container)
  }
}

/** Of a container, sizes are integers; ECS takes no text such as `"1024"` or `"1 GB"` there (peers 32). */
const withIntegers = (container: Json): Json =>
  compact({
    ...container,
    cpu: cpuUnits(container["cpu"]) ?? container["cpu"],
    memory: memoryMiB(container["memory"]) ?? container["memory"],
    memoryReservation: memoryMiB(container["memoryReservation"]) ?? container["memoryReservation"]
  })

/** The definition's own variables, in order, less those that are unset or that a secret replaces (peers 26, 36). */
const environmentOf = (job: Job, container: Json): ReadonlyArray<Json> =>
  objectsOf(container["environment"]).filter(
    ({ name, value }) =>
      value !== undefined && !job.unsetEnv.includes(String(name)) && !Object.hasOwn(job.secrets, String(name))
  )

const secretsOf = (job: Job, container: Json): ReadonlyArray<Json> => [
  ...objectsOf(container["secrets"]).filter(({ name }) => !Object.hasOwn(job.secrets, String(name))),
  ...Object.entries(job.secrets).map(([name, valueFrom]) => ({ name, valueFrom }))
]

const requirementsOf = (job: Job, container: Json): ReadonlyArray<Json> => {
  const listed = objectsOf(container["resourceRequirements"])
  const isOpen = job.gpu !== undefined && !listed.some(({ type }) => type === "GPU")
  return isOpen ? [...listed, { type: "GPU", value: String(job.gpu) }] : listed
}
