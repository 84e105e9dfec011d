import { compact } from "./Compact.ts"
import { canonicalJson, digest } from "./Digest.ts"
import { cpuUnits, memoryMiB } from "./FargateSizes.ts"
import { isJson, type Json, listOf, textOf } from "./Json.ts"

/**
 * When two task definitions are the same. ECS reads a definition back with its own members, defaults and an order of its
 * own (peers 43–48); whoever compares it literally registers a new revision for each run.
 */

/**
 * Key of a definition in the shared cache: equal normalised definitions of one region and set of credentials share one
 * revision. Without a set the key is what it was before there were any.
 */
export const definitionKey = (definition: object, region: string, credentials?: string): string => {
  const parts = ["task-definition", region, canonicalJson(normalise(definition))]
  return credentials === undefined ? digest(...parts) : digest(...parts, credentials)
}

/** Whether two definitions, prepared or read back, mean the same to ECS. */
export const equalDefinitions = (a: object, b: object): boolean =>
  canonicalJson(normalise(a)) === canonicalJson(normalise(b))

/** Paths at which two definitions differ once normalised, e.g. `containerDefinitions.0.image`; none where they are equal. */
export const differences = (a: object, b: object): ReadonlyArray<string> => differing(normalise(a), normalise(b), "")

const differing = (a: unknown, b: unknown, path: string): ReadonlyArray<string> => {
  if (Array.isArray(a) && Array.isArray(b)) {
    const longer = a.length > b.length ? a : b
    return longer.flatMap((_, index) => differing(a[index], b[index], `${path}.${index}`))
  }
  if (isJson(a) && isJson(b)) {
    const members = [...new Set([...Object.keys(a), ...Object.keys(b)])]
    return members.flatMap((name) => differing(a[name], b[name], path === "" ? name : `${path}.${name}`))
  }
  return canonicalJson(a ?? null) === canonicalJson(b ?? null) ? [] : [path]
}

/** What only ECS sets (peers 43), and tags, which it keeps beside the definition. */
const READ_BACK_FIELDS: ReadonlySet<string> = new Set([
  "compatibilities",
  "taskDefinitionArn",
  "revision",
  "status",
  "requiresAttributes",
  "registeredAt",
  "registeredBy",
  "deregisteredAt",
  "tags"
])

/**
 * A definition without what AWS adds when it is read back (peers 43–48): its own fields, empties, defaults, and the
 * order of lists that have none. Inputs are never changed (peers 49).
 */
export const normalise = (definition: object): Json => {
  const own = Object.fromEntries(Object.entries(definition).filter(([key]) => !READ_BACK_FIELDS.has(key)))
  const networkMode = textOf(own["networkMode"]) ?? "bridge"
  return compact({
    ...own,
    networkMode,
    cpu: taskSize(own["cpu"], cpuUnits),
    memory: taskSize(own["memory"], memoryMiB),
    enableFaultInjection: own["enableFaultInjection"] === true ? true : undefined,
    requiresCompatibilities: [...new Set(listOf(own["requiresCompatibilities"]).map(String))].toSorted(),
    containerDefinitions: eachObject(own["containerDefinitions"], (container) =>
      normaliseContainer(container, networkMode)
    )
  })
}

const normaliseContainer = (container: Json, networkMode: string): Json => ({
  ...container,
  essential: container["essential"] !== false,
  cpu: nonZero(containerSize(container["cpu"], cpuUnits)),
  memory: nonZero(containerSize(container["memory"], memoryMiB)),
  memoryReservation: nonZero(containerSize(container["memoryReservation"], memoryMiB)),
  environment: sortedBy(container["environment"], "name"),
  secrets: sortedBy(container["secrets"], "name"),
  environmentFiles: sortedBy(container["environmentFiles"], "value"),
  mountPoints: eachObject(container["mountPoints"], readWrite),
  volumesFrom: eachObject(container["volumesFrom"], readWrite),
  healthCheck: isJson(container["healthCheck"]) ? withoutDefaults(container["healthCheck"]) : undefined,
  portMappings: eachObject(container["portMappings"], (mapping) => normalisePort(mapping, networkMode)).toSorted(
    (a, b) => canonicalJson(a).localeCompare(canonicalJson(b), "en")
  )
})

const normalisePort = (mapping: Json, networkMode: string): Json => {
  const implied = networkMode === "awsvpc" || networkMode === "host" ? mapping["containerPort"] : 0
  const hostPort = mapping["hostPort"] === implied ? undefined : mapping["hostPort"]
  return { ...mapping, hostPort, protocol: mapping["protocol"] ?? "tcp" }
}

/** Mount points and borrowed volumes can be written to unless they say otherwise. */
const readWrite = (mount: Json): Json => ({ ...mount, readOnly: mount["readOnly"] === true ? true : undefined })

/** HealthCheck's defaults, in seconds and times (API reference). */
const HEALTH_CHECK_DEFAULTS: Json = { interval: 30, timeout: 5, retries: 3, startPeriod: 0 }

const withoutDefaults = (healthCheck: Json): Json =>
  Object.fromEntries(Object.entries(healthCheck).filter(([name, value]) => HEALTH_CHECK_DEFAULTS[name] !== value))

type Read = (size: unknown) => number | undefined

/** `"1 vCPU"` and `"2 GB"` are the texts 1024 and 2048 once registered. */
const taskSize = (size: unknown, read: Read): string | undefined => {
  if (size === undefined || size === null) return undefined
  return String(read(size) ?? size).trim()
}

const containerSize = (size: unknown, read: Read): unknown => read(size) ?? size

/** A container's size of 0 is no size. */
const nonZero = (size: unknown): unknown => (size === 0 ? undefined : size)

const eachObject = (list: unknown, change: (item: Json) => Json): ReadonlyArray<unknown> =>
  listOf(list).map((item) => (isJson(item) ? change(item) : item))

const sortedBy = (list: unknown, key: string): ReadonlyArray<unknown> =>
  listOf(list).toSorted((a, b) => sortKey(a, key).localeCompare(sortKey(b, key), "en"))

const sortKey = (item: unknown, key: string): string => (isJson(item) ? String(item[key]) : String(item))
