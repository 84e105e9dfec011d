/**
 * Built-in < pool < request: how the levels of a run become one.
 *
 * A level says a thing by a named field (`image`) or by a member of a free object (`taskDefinition`'s
 * `containerDefinitions`, `taskRunRequest`'s `overrides`), and ECS obeys the one that stands in the stronger place: a
 * RunTask override beats the definition. So that the higher *level* decides instead, a level takes back from those below
 * what they said of the same thing in a stronger place (`SAID_IN`). What is then still in the free objects is meant, and
 * the named fields only fill what those leave open, save for `env`, `command`, `secrets`, `tags` and `labels`, which
 * come last within their own level (peers 67–69).
 */
import { mergeFree, orchestrationIndex, orchestrationName, withoutNulls } from "./FreeMerge.ts"
import { isJson, type Json, listOf, objectsOf, textOf } from "./Json.ts"
import { isCapacityProviderStrategy, isLaunchType, type LaunchFields } from "./RunRequest.ts"
import { slugTag } from "./Slug.ts"

/** What one level says: fields as in a pool or a request. */
export type Level = { readonly [K in keyof LaunchFields]?: LaunchFields[K] | undefined }

type Free = "taskDefinition" | "taskRunRequest"

/** All levels as one: no field is null, and neither is a member of the free objects. */
export type Merged = { readonly [K in Exclude<keyof Level, Free>]?: NonNullable<Level[K]> } & {
  readonly [K in Free]: Json
}

interface Thing {
  /** Paths, the strongest place first; `*` is the orchestration container's entry of a list. */
  readonly places: ReadonlyArray<string>
  /** What tells entries apart where a thing is said entry by entry; such entries are taken back one by one. */
  readonly by?: "name" | "key" | "type"
}

const container = "taskDefinition.containerDefinitions.*"
const override = "taskRunRequest.overrides.containerOverrides.*"

/** Everything that can be said in more than one place. */
export const SAID_IN: ReadonlyArray<Thing> = [
  { places: [`${container}.image`, "image"] },
  { places: ["taskRunRequest.overrides.cpu", "taskDefinition.cpu", "cpu"] },
  { places: [`${override}.cpu`, `${container}.cpu`, "cpu"] },
  { places: ["taskRunRequest.overrides.memory", "taskDefinition.memory", "memory"] },
  { places: [`${override}.memory`, `${container}.memory`, "memory"] },
  { places: [`${override}.memoryReservation`, `${container}.memoryReservation`, "memory"] },
  { places: [`${override}.resourceRequirements`, `${container}.resourceRequirements`, "gpu"], by: "type" },
  { places: ["taskRunRequest.overrides.ephemeralStorage", "taskDefinition.ephemeralStorage", "ephemeralStorageGiB"] },
  { places: ["taskDefinition.runtimePlatform", "runtimePlatform"] },
  { places: ["taskDefinition.family", "family"] },
  { places: ["taskRunRequest.overrides.executionRoleArn", "taskDefinition.executionRoleArn", "executionRoleArn"] },
  { places: ["taskRunRequest.overrides.taskRoleArn", "taskRoleArn", "taskDefinition.taskRoleArn"] },
  { places: ["configureCloudwatchLogs", `${container}.logConfiguration`] },
  { places: ["cloudwatchLogsOptions", `${container}.logConfiguration`] },
  { places: ["cloudwatchLogsPrefix", `${container}.logConfiguration`] },
  { places: ["taskRunRequest.cluster", "cluster"] },
  { places: ["taskRunRequest.networkConfiguration", "networkConfiguration"] },
  { places: ["taskRunRequest.platformVersion", "platformVersion"] },
  { places: ["taskRunRequest.placementConstraints", "placementConstraints"] },
  { places: ["taskRunRequest.placementStrategy", "placementStrategy"] },
  { places: ["taskRunRequest.group", "group"] },
  { places: ["taskRunRequest.propagateTags", "propagateTags"] },
  { places: ["taskRunRequest.enableExecuteCommand", "enableExecuteCommand"] },
  { places: ["command", `${override}.command`, `${container}.command`] },
  { places: ["env", `${override}.environment`, `${container}.environment`], by: "name" },
  { places: ["secrets", `${container}.secrets`], by: "name" },
  { places: ["labels", "tags", "taskRunRequest.tags"], by: "key" }
]

/** Maps that merge name by name; a null of the whole map removes it. */
const MAPS: ReadonlySet<string> = new Set(["env", "secrets", "labels", "tags", "retry"])

/** The levels as one, the lowest first. None of them is changed. */
export const mergeLevels = (levels: ReadonlyArray<Level>): Merged => {
  const lifted: ReadonlyArray<Json> = levels.map(lift)
  const configured = lifted.findLast(({ containerName }) => containerName !== undefined)?.["containerName"]
  const name = orchestrationName(typeof configured === "string" ? configured : undefined, lifted)
  const all = lifted.reduce((below, level) => onTop(takenBack(exclusive(below, level), level, name), level, name), {})
  const { taskDefinition, taskRunRequest, ...named } = all
  const said = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== null && value !== undefined))
  return { ...said, taskDefinition: freeOf(taskDefinition), taskRunRequest: freeOf(taskRunRequest) }
}

const freeOf = (value: unknown): Json => (isJson(value) ? withoutNulls(value) : {})

/** What decides where and what to run has one place each, so that nobody has to look for it in two. */
const lift = (level: Level): Level => {
  if (!isJson(level.taskRunRequest)) return level
  const { launchType, capacityProviderStrategy, taskDefinition, count: _one, ...rest } = level.taskRunRequest
  return {
    ...level,
    ...(launchType === null || isLaunchType(launchType) ? { launchType } : {}),
    ...(capacityProviderStrategy === null || isCapacityProviderStrategy(capacityProviderStrategy)
      ? { capacityProviderStrategy }
      : {}),
    ...(taskDefinition === null || textOf(taskDefinition) ? { taskDefinitionArn: textOf(taskDefinition) ?? null } : {}),
    taskRunRequest: rest
  }
}

/** Launch type and capacity strategy exclude each other: a higher level's choice of the one replaces a lower's of the other. */
const exclusive = (below: Json, level: Json): Json => {
  const launchType = typeof level["launchType"] === "string"
  const strategy = listOf(level["capacityProviderStrategy"]).length > 0
  if (launchType === strategy) return below
  const { [launchType ? "capacityProviderStrategy" : "launchType"]: _replaced, ...rest } = below
  return rest
}

const onTop = (below: Json, level: Json, containerName: string): Json => {
  const merged = new Map(Object.entries(below))
  for (const [field, value] of Object.entries(level)) {
    if (value === undefined) continue
    merged.set(field, joined(field, merged.get(field), value, containerName))
  }
  return Object.fromEntries(merged)
}

const joined = (field: string, below: unknown, value: unknown, containerName: string): unknown => {
  if (!isJson(below) || !isJson(value)) return value
  if (MAPS.has(field)) return { ...below, ...value }
  return field === "taskDefinition" || field === "taskRunRequest" ? mergeFree(below, value, containerName) : value
}

const takenBack = (below: Json, level: Json, containerName: string): Json =>
  SAID_IN.flatMap(({ places, by }) =>
    places.flatMap((place, rank) => {
      const value = readAt(level, place.split("."), containerName)
      if (value === undefined) return []
      const removal: Removal = { containerName, by, entries: value === null ? undefined : entriesSaid(value, by) }
      return places.filter((other, at) => yields(other, at - rank, value)).map((path) => ({ path, removal }))
    })
  ).reduce((kept, { path, removal }) => removeAt(kept, path.split("."), removal), below)

/**
 * Whether a place, so many ranks weaker, gives way to a value. A null takes back from free objects only, and also what
 * the next weaker place would say at launch; never from a definition, lest it be registered anew.
 */
const yields = (place: string, weaker: number, value: unknown): boolean => {
  if (value !== null) return weaker < 0
  return (weaker < 0 && place.includes(".")) || (weaker === 1 && place.startsWith("taskRunRequest."))
}

type Entries = ReadonlySet<string> | undefined

const entriesSaid = (value: unknown, by: Thing["by"]): Entries => {
  if (by === undefined) return undefined
  if (Array.isArray(value)) return new Set(objectsOf(value).map((entry) => String(entry[by])))
  return new Set(isJson(value) ? Object.keys(value) : ["GPU"])
}

const readAt = (value: unknown, [step, ...rest]: ReadonlyArray<string>, containerName: string): unknown => {
  if (step === undefined) return value
  if (step === "*") {
    const entries = listOf(value)
    return readAt(entries[orchestrationIndex(entries, containerName)], rest, containerName)
  }
  return isJson(value) ? readAt(value[step], rest, containerName) : undefined
}

interface Removal {
  readonly containerName: string
  readonly by: Thing["by"]
  /** Undefined = all of it. */
  readonly entries: Entries
}

const removeAt = (value: Json, [step = "", ...rest]: ReadonlyArray<string>, removal: Removal): Json => {
  if (!Object.hasOwn(value, step)) return value
  const { [step]: inner, ...others } = value
  if (rest.length === 0) {
    const left = removal.entries === undefined ? undefined : withoutEntries(inner, removal)
    return left === undefined ? others : { ...others, [step]: left }
  }
  return { ...value, [step]: removeWithin(inner, rest, removal) }
}

const removeWithin = (value: unknown, path: ReadonlyArray<string>, removal: Removal): unknown => {
  const [step, ...rest] = path
  if (step !== "*") return isJson(value) ? removeAt(value, path, removal) : value
  const entries = listOf(value)
  const index = orchestrationIndex(entries, removal.containerName)
  return entries.map((entry, at) => (at === index && isJson(entry) ? removeAt(entry, rest, removal) : entry))
}

const withoutEntries = (value: unknown, { by = "name", entries }: Removal): unknown => {
  if (Array.isArray(value)) return value.filter((entry) => !isJson(entry) || entries?.has(String(entry[by])) !== true)
  if (!isJson(value)) return value
  const isSaid = (name: string) => entries?.has(name) === true || (by === "key" && entries?.has(slugTag(name)) === true)
  return Object.fromEntries(Object.entries(value).filter(([name]) => !isSaid(name)))
}
