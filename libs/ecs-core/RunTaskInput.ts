import { compact } from "./Compact.ts"
import { digest } from "./Digest.ts"
import type { Problem } from "./errors.ts"
import { cpuUnits, memoryMiB } from "./FargateSizes.ts"
import { type Attempt, type FleetId, isRunId, type RunId } from "./Ids.ts"
import type { Job } from "./Job.ts"
import { isJson, type Json, objectsOf, textOf } from "./Json.ts"
import { type Compatibility, launchesOn, runsOnFargate } from "./LaunchOn.ts"
import { type AwsvpcConfiguration, networkOf } from "./Network.ts"
import { slugTag } from "./Slug.ts"

/** RunTask's input as it travels in `taskdef.ready`: complete but for token, `startedBy` and an inferred network. */
export interface RunTaskInput {
  readonly cluster: string
  readonly taskDefinition: string
  readonly launchType?: Compatibility
  readonly networkConfiguration?: { readonly awsvpcConfiguration: AwsvpcConfiguration }
  readonly overrides: TaskOverride
  readonly [member: string]: unknown
}

export interface TaskOverride {
  /** The orchestration container's comes first. */
  readonly containerOverrides: ReadonlyArray<ContainerOverride>
  readonly [member: string]: unknown
}

export interface ContainerOverride {
  readonly name: string
  readonly [member: string]: unknown
}

/** What a launch adds to the job: its own identity, and the definition that it launches. */
export interface Launch {
  readonly runId: RunId
  readonly attempt: Attempt
  readonly taskDefinitionArn: string
  readonly definition: object
  readonly containerName: string
  /** Known where the cluster was asked; absent = it has none. */
  readonly clusterHasDefaultStrategy?: boolean
}

/** What the program sees of its own run; a job cannot override these two. */
export const runEnvironment = (runId: string, attempt: number) => ({
  FLEET_RUN_ID: runId,
  FLEET_ATTEMPT: String(attempt)
})

/**
 * The launch of one attempt: the free run request, and what it leaves open filled from the job's fields. `count` is never
 * sent: one run is one task.
 */
export const runTaskInput = (job: Job, launch: Launch): RunTaskInput => {
  const { count: _one, tags, overrides, networkConfiguration: _network, ...free } = compact(job.taskRunRequest)
  const network = networkOf(job, launch.definition)
  const allTags = tagsOf(job, tags)
  return {
    ...namedMembers(job, launch.definition),
    ...free,
    cluster: textOf(free["cluster"]) ?? job.cluster ?? "default",
    taskDefinition: launch.taskDefinitionArn,
    ...launchMembers(job, launch),
    ...(network === undefined ? {} : { networkConfiguration: { awsvpcConfiguration: network } }),
    overrides: overridesOf(job, launch, isJson(overrides) ? overrides : {}),
    ...(allTags.length === 0 ? {} : { tags: allTags })
  }
}

/** Members that a field has of its own; a platform version is Fargate's alone (peers 77). */
const namedMembers = (job: Job, definition: object): Json =>
  compact({
    platformVersion: runsOnFargate(job, definition) ? job.platformVersion : undefined,
    group: job.group,
    propagateTags: job.propagateTags,
    enableExecuteCommand: job.enableExecuteCommand,
    placementConstraints: job.placementConstraints,
    placementStrategy: job.placementStrategy
  })

/**
 * Launch type or capacity strategy, never both (peers 61). FARGATE_SPOT is a provider to ECS, not a launch type (peers
 * 62). With neither, the cluster's default strategy decides, and where it has none, Fargate (peers 63, 76), unless the
 * definition demands something else (peers 17).
 */
const launchMembers = (
  job: Job,
  launch: Launch
): { readonly launchType?: Compatibility; readonly capacityProviderStrategy?: ReadonlyArray<object> } => {
  const { launchType, capacityProviderStrategy: strategy } = job
  if (strategy.length > 0) return { capacityProviderStrategy: strategy }
  if (launchType === "FARGATE_SPOT") {
    return { capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }] }
  }
  if (launchType !== undefined) return { launchType }
  const isOpen = launchesOn(job, launch.definition) === "cluster" && launch.clusterHasDefaultStrategy !== true
  return isOpen ? { launchType: "FARGATE" } : {}
}

const overridesOf = (job: Job, launch: Launch, free: Json): TaskOverride => {
  const { containerOverrides, ...task } = free
  const listed = objectsOf(containerOverrides).map((each, index) => named(each, index, launch.containerName))
  const own = listed.filter(({ name }) => name === launch.containerName)
  const others = listed.filter(({ name }) => name !== "" && name !== launch.containerName).map(otherOverride)
  const atTask = runsOnFargate(job, launch.definition)
  return {
    ...taskSizes(job, task, atTask),
    containerOverrides: [
      ownOverride(job, launch, Object.assign({}, ...own), atTask),
      ...others.filter((each) => Object.keys(each).length > 1)
    ]
  }
}

/** The first override may leave its name out: it is the orchestration container's (peers 65). */
const named = (override: Json, index: number, containerName: string): ContainerOverride => ({
  ...override,
  name: textOf(override["name"]) ?? (index === 0 ? containerName : "")
})

/**
 * Task level: sizes are text (peers 71). What a prepared definition has in itself, a linked one is given here, since it
 * is never changed.
 */
const taskSizes = (job: Job, free: Json, atTask: boolean): Json => {
  const linked = job.linkedDefinition !== undefined
  const given = {
    taskRoleArn: job.taskRoleArn,
    ...(linked ? { executionRoleArn: job.executionRoleArn } : {}),
    ...(linked && atTask ? { cpu: job.cpu, memory: job.memory } : {}),
    ...(linked ? { ephemeralStorage: { sizeInGiB: job.ephemeralStorageGiB } } : {})
  }
  const all = { ...compact(given), ...free }
  return { ...all, ...compact({ cpu: sizeText(all["cpu"]), memory: sizeText(all["memory"]) }) }
}

const sizeText = (size: unknown): string | undefined => (size === undefined ? undefined : String(size))

const otherOverride = ({ environment, ...override }: ContainerOverride): ContainerOverride => ({
  ...withIntegers(override),
  ...compact({ environment: valued(environment) })
})

/** Variables that have a value: ECS takes no null (peers 68). */
const valued = (environment: unknown): ReadonlyArray<Json> =>
  objectsOf(environment).filter(({ value }) => value !== undefined)

/** Container level: sizes are integers (peers 71); the command of the job, its environment and the run's own come last. */
const ownOverride = (job: Job, launch: Launch, free: Json, atTask: boolean): ContainerOverride => {
  const linked = job.linkedDefinition !== undefined
  const gpu = linked && job.gpu !== undefined ? [{ type: "GPU", value: String(job.gpu) }] : undefined
  return {
    ...compact({
      ...(linked && !atTask ? { cpu: job.cpu, memory: job.memory } : {}),
      resourceRequirements: gpu
    }),
    ...withIntegers({ ...free, name: launch.containerName }),
    ...compact({ command: job.command }),
    environment: environmentOf(job, launch, free["environment"])
  }
}

const withIntegers = (override: ContainerOverride): ContainerOverride => ({
  ...override,
  ...compact({
    cpu: cpuUnits(override["cpu"]),
    memory: memoryMiB(override["memory"]),
    memoryReservation: memoryMiB(override["memoryReservation"])
  })
})

/** Kept entries first, then the job's, then the run's own two (peers 68); nulls and names of secrets are left out. */
const environmentOf = (job: Job, launch: Launch, free: unknown): ReadonlyArray<Json> => {
  const own: Readonly<Record<string, string>> = runEnvironment(launch.runId, launch.attempt)
  const replaced = new Set([...Object.keys({ ...job.env, ...own }), ...job.unsetEnv, ...Object.keys(job.secrets)])
  return [
    ...valued(free).filter(({ name }) => !replaced.has(String(name))),
    ...Object.entries({ ...job.env, ...own }).map(([name, value]) => ({ name, value }))
  ]
}

/** The same launch for another attempt: the program sees its number. */
export const withAttempt = <A extends Pick<RunTaskInput, "overrides">>(input: A, runId: RunId, attempt: Attempt): A => {
  const [own, ...others] = input.overrides.containerOverrides
  if (own === undefined) return input
  const seen: Readonly<Record<string, string>> = runEnvironment(runId, attempt)
  const kept = objectsOf(own["environment"]).filter(({ name }) => seen[String(name)] === undefined)
  const environment = [...kept, ...Object.entries(seen).map(([name, value]) => ({ name, value }))]
  return { ...input, overrides: { ...input.overrides, containerOverrides: [{ ...own, environment }, ...others] } }
}

/** Tags of the run request and the job as written, then labels slugged; a null label removes its key (peers 69, 70). */
const tagsOf = (job: Job, free: unknown): ReadonlyArray<{ readonly key: string; readonly value: string }> => {
  const written = objectsOf(free).map(({ key, value }) => [String(key), textOf(value) ?? ""] as const)
  const tags = new Map([...written, ...Object.entries(job.tags)])
  for (const [key, value] of Object.entries(job.labels)) {
    if (value !== null) tags.set(slugTag(key), slugTag(value))
    else for (const each of [key, slugTag(key)]) tags.delete(each)
  }
  return [...tags].map(([key, value]) => ({ key, value }))
}

/** RunTask takes at most this many characters of overrides, JSON syntax included (API reference of RunTask). */
export const OVERRIDES_CHARACTERS_MAX = 8192

/** What is wrong with overrides that ECS would refuse for their size; the values are not shown. */
export const overridesProblem = ({ overrides }: RunTaskInput): Problem | undefined => {
  const characters = JSON.stringify(overrides).length
  if (characters <= OVERRIDES_CHARACTERS_MAX) return undefined
  const [own] = overrides.containerOverrides
  const [commandLength, environmentLength] = [jsonLength(own?.["command"]), jsonLength(own?.["environment"])]
  const rest = characters - commandLength - environmentLength
  const named = commandLength > environmentLength ? "command" : "env"
  return {
    code: "InvalidRequest",
    field: rest > Math.max(commandLength, environmentLength) ? "taskRunRequest.overrides" : named,
    message: `Command, environment and other overrides together are ${characters} characters of JSON; ECS takes at most ${OVERRIDES_CHARACTERS_MAX}.`,
    advice: "Put the payload into a store such as S3 and pass its address, or build it into the image."
  }
}

const jsonLength = (value: unknown): number => JSON.stringify(value)?.length ?? 0

/** RunTask's idempotency key (at most 64 ASCII characters): the same launch replays, another try is a new launch. */
export const clientToken = (fleetId: FleetId, runId: RunId, attempt: Attempt, tryNumber: number): string =>
  digest("run-task", fleetId, runId, String(attempt), String(tryNumber))

/** RunTask's `startedBy` (at most 128 of `[A-Za-z0-9_/-]`): whose task it is, found again by ListTasks. */
export const startedBy = (fleetId: FleetId, runId: RunId, attempt: Attempt): string => `${fleetId}/${runId}/${attempt}`

/** The inverse of `startedBy`; undefined where no fleet started the task. */
export const parseStartedBy = (
  text: string | undefined
): { readonly fleetId: string; readonly runId: RunId; readonly attempt: Attempt } | undefined => {
  const [fleetId = "", runId, attempt = "", ...more] = text?.split("/") ?? []
  if (!/^[0-9a-f]{8}$/u.test(fleetId) || !isRunId(runId) || !/^[1-9]\d*$/u.test(attempt) || more.length > 0)
    return undefined
  return { fleetId, runId, attempt: Number(attempt) }
}
