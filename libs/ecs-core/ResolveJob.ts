import { Result } from "effect"
import { split } from "shlex"
import type { Problem } from "./errors.ts"
import { builtInPool, DEFAULT_CONTAINER, DEFAULT_POOL, type Pool } from "./Pool.ts"
import { type NetworkConfiguration, type RunRequest, TAGS_MAX } from "./RunRequest.ts"
import { slugFamily } from "./Slug.ts"
import { unsupportedFields } from "./Unsupported.ts"

type Levels = { readonly [K in keyof Pool]?: Pool[K] }

/** Built-in < pool < request. A request's null removes; env, secrets, labels and tags merge name by name. */
export const mergeLevels = (levels: ReadonlyArray<Levels>): Levels => {
  const merged = Object.assign({}, ...levels) as Record<string, unknown>
  for (const field of ["env", "secrets", "labels", "tags"] as const) {
    const maps = levels.map((level) => level[field])
    if (maps.at(-1) !== null) merged[field] = Object.assign({}, ...maps)
  }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null && value !== undefined))
}

/**
 * Applies pool and built-in defaults and checks what only the whole can show. All problems come at once.
 * `runTimeoutSecondsMax` is the age of the stream less one day: no held message may outlive its stream.
 */
export const resolveJob = (
  request: RunRequest,
  pool: Pool | undefined,
  runTimeoutSecondsMax: number
): Result.Result<Job, ReadonlyArray<Problem>> => {
  const builtIn = builtInPool(runTimeoutSecondsMax)
  const { v: _v, runId: _runId, name, pool: poolName, ...own } = request
  const merged = mergeLevels([builtIn, pool ?? {}, own])
  const named = poolName ?? DEFAULT_POOL
  const problems = [
    ...(pool === undefined && named !== DEFAULT_POOL ? [unknownPool(named)] : []),
    ...unsupportedFields(merged),
    ...commandProblems(merged.command),
    ...jobProblems(merged, runTimeoutSecondsMax)
  ]
  if (problems.length > 0) return Result.fail(problems)
  return Result.succeed(jobOf(merged, named, name ?? undefined, builtIn))
}

const jobOf = (
  merged: Levels,
  pool: string,
  name: string | undefined,
  builtIn: ReturnType<typeof builtInPool>
): Job => {
  const family = merged.family ?? ["fleet", pool, ...(name === undefined ? [] : [name])].join("_")
  return {
    pool,
    name,
    image: merged.image ?? "",
    command: typeof merged.command === "string" ? split(merged.command) : (merged.command ?? undefined),
    env: plainEnv(merged.env ?? {}, merged.secrets ?? {}),
    secrets: merged.secrets ?? {},
    cpu: merged.cpu ?? builtIn.cpu,
    memory: merged.memory ?? builtIn.memory,
    ephemeralStorageGiB: merged.ephemeralStorageGiB ?? undefined,
    runtimePlatform: merged.runtimePlatform ?? undefined,
    family: slugFamily(family),
    containerName: merged.containerName ?? DEFAULT_CONTAINER,
    taskRoleArn: merged.taskRoleArn ?? undefined,
    executionRoleArn: merged.executionRoleArn ?? undefined,
    launchType: merged.launchType === "FARGATE_SPOT" ? "FARGATE_SPOT" : "FARGATE",
    platformVersion: merged.platformVersion ?? undefined,
    group: merged.group ?? undefined,
    propagateTags: merged.propagateTags ?? undefined,
    enableExecuteCommand: merged.enableExecuteCommand ?? undefined,
    cluster: merged.cluster ?? "default",
    region: merged.region ?? undefined,
    vpcId: merged.vpcId ?? undefined,
    networkConfiguration: merged.networkConfiguration ?? undefined,
    logs: logsOf(merged, slugFamily(["fleet", pool, ...(name === undefined ? [] : [name])].join("_"))),
    taskStartTimeoutSeconds: merged.taskStartTimeoutSeconds ?? builtIn.taskStartTimeoutSeconds,
    launchTimeoutSeconds: merged.launchTimeoutSeconds ?? builtIn.launchTimeoutSeconds,
    runTimeoutSeconds: merged.runTimeoutSeconds ?? builtIn.runTimeoutSeconds,
    pollIntervalSeconds: merged.taskWatchPollIntervalSeconds ?? builtIn.taskWatchPollIntervalSeconds,
    labels: merged.labels ?? {},
    tags: merged.tags ?? {}
  }
}

/** Null unsets; a secret of the same name wins (peers 36). */
const plainEnv = (
  env: Readonly<Record<string, string | null>>,
  secrets: Readonly<Record<string, string>>
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === null || Object.hasOwn(secrets, name) ? [] : [[name, value]]
    )
  )

/** Prefect's rule (peers 7): unset follows `streamOutput`; ours: where an execution role is known, logs are on. */
const logsOf = (merged: Levels, defaultPrefix: string): JobLogs => {
  const role = merged.executionRoleArn !== undefined
  if (merged.configureCloudwatchLogs === false) return { on: false, why: "configureCloudwatchLogs is false" }
  if (!role) {
    return {
      on: false,
      why: "no executionRoleArn is set, and ECS needs one to write logs: set it in the pool or the request"
    }
  }
  const prefix = merged.cloudwatchLogsPrefix ?? defaultPrefix
  return { on: true, prefix, options: merged.cloudwatchLogsOptions ?? {}, stream: merged.streamOutput ?? true }
}

const unknownPool = (pool: string): Problem => ({
  code: "InvalidRequest",
  field: "pool",
  message: `Pool "${pool}" does not exist.`,
  advice: `Leave "pool" out for the pool "${DEFAULT_POOL}", or create the pool first.`
})

const commandProblems = (command: Levels["command"]): ReadonlyArray<Problem> => {
  if (typeof command !== "string") return []
  try {
    split(command)
    return []
  } catch {
    return [
      {
        code: "InvalidRequest",
        field: "command",
        message: 'Field "command": the quotes of the string do not close (value not shown).',
        advice: 'Close the quote, or give a list: ["sh", "-c", "…"].'
      }
    ]
  }
}

const jobProblems = (merged: Levels, runTimeoutSecondsMax: number): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const add = (field: string, message: string, advice: string) =>
    problems.push({ code: "InvalidRequest", field, message, advice })
  if (merged.image === undefined) {
    add("image", "No image is set in the request or its pool.", 'Add "image" to the request or to the pool.')
  }
  if (merged.configureCloudwatchLogs === true && merged.executionRoleArn === undefined) {
    add(
      "executionRoleArn",
      "An `executionRoleArn` must be provided to use `configureCloudwatchLogs`.",
      "Set executionRoleArn in the request or its pool: ECS writes logs with that role."
    )
  }
  const withoutLogs = merged.executionRoleArn === undefined && merged.configureCloudwatchLogs === undefined
  const logsOff = merged.configureCloudwatchLogs === false || withoutLogs
  if (logsOff && Object.keys(merged.cloudwatchLogsOptions ?? {}).length > 0) {
    add(
      "cloudwatchLogsOptions",
      "`configureCloudwatchLogs` must be enabled to use `cloudwatchLogsOptions`.",
      withoutLogs ? "Set executionRoleArn, or remove the options." : "Enable it, or remove the options."
    )
  }
  if (merged.networkConfiguration !== undefined && merged.vpcId === undefined) {
    add(
      "vpcId",
      "You must provide a `vpcId` to enable custom `networkConfiguration`.",
      "Add the vpcId that the subnets belong to."
    )
  }
  for (const field of ["launchTimeoutSeconds", "runTimeoutSeconds"] as const) {
    if ((merged[field] ?? 0) <= runTimeoutSecondsMax) continue
    add(
      field,
      `Field "${field}": at most ${runTimeoutSecondsMax} (the stream's age less one day), got ${merged[field]}.`,
      "Lower it, or raise FLEET_STREAM_AGE_SECONDS on all services."
    )
  }
  const tagCount = Object.keys({ ...merged.tags, ...merged.labels }).length
  if (tagCount > TAGS_MAX) {
    add("tags", `Tags and labels together are ${tagCount}; ECS takes at most ${TAGS_MAX}.`, "Remove some.")
  }
  return problems
}
