import { canonicalJson, digest } from "./Digest.ts"
import type { Job } from "./Job.ts"
import { DEFAULT_LOG_GROUP } from "./Pool.ts"

/** RegisterTaskDefinition's input as far as a run needs it; field names and types are ECS's own. */
export interface TaskDefinitionInput {
  readonly family: string
  readonly networkMode: "awsvpc"
  readonly requiresCompatibilities: ReadonlyArray<"FARGATE">
  readonly cpu: string
  readonly memory: string
  readonly executionRoleArn?: string
  readonly ephemeralStorage?: { readonly sizeInGiB: number }
  readonly runtimePlatform?: Readonly<Record<string, string>>
  readonly containerDefinitions: ReadonlyArray<ContainerDefinitionInput>
}

export interface ContainerDefinitionInput {
  readonly name: string
  readonly image: string
  readonly essential: true
  readonly secrets?: ReadonlyArray<{ readonly name: string; readonly valueFrom: string }>
  readonly logConfiguration?: { readonly logDriver: "awslogs"; readonly options: Readonly<Record<string, string>> }
}

/**
 * The definition of a job. Command, environment, labels, cluster and task role are given at launch, so that changing
 * them registers nothing (peers 27); image, size, logs and family make a new revision (peers 28).
 */
export const prepareTaskDefinition = (job: Job, region: string): TaskDefinitionInput => ({
  family: job.family,
  networkMode: "awsvpc",
  requiresCompatibilities: ["FARGATE"],
  cpu: String(job.cpu),
  memory: String(job.memory),
  ...(job.executionRoleArn === undefined ? {} : { executionRoleArn: job.executionRoleArn }),
  ...(job.ephemeralStorageGiB === undefined ? {} : { ephemeralStorage: { sizeInGiB: job.ephemeralStorageGiB } }),
  ...(job.runtimePlatform === undefined || job.runtimePlatform === null
    ? {}
    : { runtimePlatform: { ...job.runtimePlatform } }),
  containerDefinitions: [containerOf(job, region)]
})

const containerOf = (job: Job, region: string): ContainerDefinitionInput => {
  const secrets = Object.entries(job.secrets).map(([name, valueFrom]) => ({ name, valueFrom }))
  const options = logOptions(job, region)
  return {
    name: job.containerName,
    image: job.image,
    essential: true,
    ...(secrets.length === 0 ? {} : { secrets }),
    ...(options === undefined ? {} : { logConfiguration: { logDriver: "awslogs" as const, options } })
  }
}

/**
 * Options of the awslogs driver: ours, then the user's key by key (peers 29, 30). `mode` is set because ECS's default
 * has been non-blocking since June 2025, which drops lines when its buffer is full.
 */
export const logOptions = (job: Job, region: string): Readonly<Record<string, string>> | undefined =>
  job.logs.on
    ? {
        "awslogs-create-group": "true",
        "awslogs-group": DEFAULT_LOG_GROUP,
        "awslogs-region": region,
        "awslogs-stream-prefix": job.logs.prefix,
        mode: "blocking",
        ...job.logs.options
      }
    : undefined

/** Key of a definition in the shared cache: equal normalised definitions of one region share one revision. */
export const definitionKey = (definition: object, region: string): string =>
  digest("task-definition", region, canonicalJson(normalise(definition)))

/** Whether two definitions, prepared or read back, mean the same to ECS. */
export const equalDefinitions = (a: object, b: object): boolean =>
  canonicalJson(normalise(a)) === canonicalJson(normalise(b))

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

type Json = Readonly<Record<string, unknown>>

/**
 * A definition without what AWS adds when it is read back (peers 43–48): its own fields, empties, defaults, and the
 * order of lists that have none. Inputs are never changed (peers 49).
 */
export const normalise = (definition: object): Json => {
  const own = Object.fromEntries(Object.entries(definition).filter(([key]) => !READ_BACK_FIELDS.has(key)))
  const networkMode = typeof own["networkMode"] === "string" ? own["networkMode"] : "bridge"
  return compact({
    ...own,
    networkMode,
    cpu: normaliseSize(own["cpu"], "vCPU"),
    memory: normaliseSize(own["memory"], "GB"),
    enableFaultInjection: own["enableFaultInjection"] === true ? true : undefined,
    requiresCompatibilities: listOf(own["requiresCompatibilities"]).map(String).toSorted(),
    containerDefinitions: listOf(own["containerDefinitions"]).map((container) =>
      normaliseContainer(container, networkMode)
    )
  })
}

const normaliseContainer = (container: unknown, networkMode: string): unknown => {
  if (!isJson(container)) return container
  return {
    ...container,
    essential: container["essential"] !== false,
    cpu: container["cpu"] === 0 ? undefined : container["cpu"],
    environment: sortedBy(container["environment"], "name"),
    secrets: sortedBy(container["secrets"], "name"),
    environmentFiles: sortedBy(container["environmentFiles"], "value"),
    portMappings: listOf(container["portMappings"])
      .map((mapping) => normalisePort(mapping, networkMode))
      .toSorted((a, b) => canonicalJson(a).localeCompare(canonicalJson(b), "en"))
  }
}

const normalisePort = (mapping: unknown, networkMode: string): unknown => {
  if (!isJson(mapping)) return mapping
  const implied = networkMode === "awsvpc" || networkMode === "host" ? mapping["containerPort"] : 0
  const hostPort = mapping["hostPort"] === implied ? undefined : mapping["hostPort"]
  return { ...mapping, hostPort, protocol: mapping["protocol"] ?? "tcp" }
}

/** `"1 vCPU"` and `"2 GB"` are 1024 and 2048 once registered. */
const normaliseSize = (size: unknown, unit: "vCPU" | "GB"): string | undefined => {
  if (size === undefined || size === null) return undefined
  const match = new RegExp(`^\\s*([0-9.]+)\\s*${unit}\\s*$`, "i").exec(String(size))
  return match === null ? String(size).trim() : String(Math.round(Number(match[1]) * 1024))
}

const sortedBy = (list: unknown, key: string): ReadonlyArray<unknown> =>
  listOf(list).toSorted((a, b) => sortKey(a, key).localeCompare(sortKey(b, key), "en"))

const sortKey = (item: unknown, key: string): string => (isJson(item) ? String(item[key]) : String(item))

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Drops null, "", [] and {} at every depth; keeps `false` and 0, which can mean something (`stopTimeout: 0`), and "" in
 * a list, which is an argument (`["echo", ""]`).
 */
const compact = (value: Json): Json =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      const kept = compactValue(inner)
      return isEmpty(kept) ? [] : [[key, kept]]
    })
  )

const compactValue = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(compactValue).filter((item) => item === "" || !isEmpty(item))
  return isJson(value) ? compact(value) : value
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (isJson(value) && Object.keys(value).length === 0)
