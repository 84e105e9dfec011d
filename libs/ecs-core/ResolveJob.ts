import { Result } from "effect"
import { split } from "shlex"
import type { Problem } from "./errors.ts"
import { fieldProblem } from "./FieldProblem.ts"
import { freeProblems } from "./FreeProblems.ts"
import type { Job, JobLogs } from "./Job.ts"
import { jobProblems } from "./JobProblems.ts"
import { type Merged, mergeLevels } from "./Levels.ts"
import { builtInPool, DEFAULT_POOL, DEFAULT_PROVISIONING_TIMEOUT_SECONDS, type Pool } from "./Pool.ts"
import { invalidPool, unknownVariables } from "./PoolVariables.ts"
import { RETRY_DEFAULTS, type RetryPolicy } from "./RetryPolicy.ts"
import type { RunRequest } from "./RunRequest.ts"
import { slugFamily } from "./Slug.ts"

/**
 * Applies pool and built-in defaults and checks what only the whole can show. All problems come at once. The request has
 * been through `decodeRequest`, the pool's placeholders are filled (`poolFor`). `runTimeoutSecondsMax` is the age of the stream less one day: no held message may
 * outlive its stream.
 */
export const resolveJob = (
  request: RunRequest,
  pool: Pool | undefined,
  runTimeoutSecondsMax: number
): Result.Result<Job, ReadonlyArray<Problem>> => {
  const builtIn = builtInPool(runTimeoutSecondsMax)
  const { v: _v, runId: _runId, name, pool: poolName, variables: _given, ...own } = request
  const {
    v: _poolV,
    maxRunning: _running,
    maxSubmitPerSecond: _submits,
    credentials,
    variables,
    ...pooled
  } = pool ?? {}
  const merged = mergeLevels([builtIn, pooled, own])
  const named = poolName ?? DEFAULT_POOL
  const problems = [
    ...(pool === undefined && named !== DEFAULT_POOL ? [unknownPool(named)] : []),
    ...unknownVariables(request, variables ?? {}),
    ...freeProblems(pooled).map(({ message, advice }) => invalidPool(named, message, advice)),
    ...jobProblems(merged, runTimeoutSecondsMax)
  ]
  if (problems.length > 0) return Result.fail(problems)
  const given = { pool: named, name: name ?? undefined, credentials: credentials ?? undefined }
  return Result.succeed(jobOf(merged, given, builtIn))
}

const jobOf = (
  merged: Merged,
  given: Pick<Job, "pool" | "name" | "credentials">,
  builtIn: ReturnType<typeof builtInPool>
): Job => ({
  ...given,
  defaultName: slugFamily(["fleet", given.pool, ...(given.name === undefined ? [] : [given.name])].join("_")),
  ...programOf(merged),
  ...definitionOf(merged),
  ...launchOf(merged),
  ...timesOf(merged, builtIn),
  logs: logsOf(merged),
  labels: merged.labels ?? {},
  tags: merged.tags ?? {},
  notices: noticesOf(merged)
})

const programOf = (merged: Merged) => ({
  image: merged.image,
  command: typeof merged.command === "string" ? split(merged.command) : merged.command,
  ...environmentOf(merged),
  secrets: merged.secrets ?? {},
  containerName: merged.containerName
})

const definitionOf = (merged: Merged) => ({
  linkedDefinition: merged.taskDefinitionArn,
  taskDefinition: merged.taskDefinition,
  cpu: merged.cpu,
  memory: merged.memory,
  gpu: merged.gpu,
  ephemeralStorageGiB: merged.ephemeralStorageGiB,
  runtimePlatform: merged.runtimePlatform,
  family: merged.family === undefined ? undefined : slugFamily(merged.family),
  taskRoleArn: merged.taskRoleArn,
  executionRoleArn: merged.executionRoleArn,
  autoDeregisterTaskDefinition: merged.autoDeregisterTaskDefinition ?? false,
  matchLatestRevisionInFamily: merged.matchLatestRevisionInFamily ?? false
})

const launchOf = (merged: Merged) => ({
  taskRunRequest: merged.taskRunRequest,
  launchType: merged.launchType,
  capacityProviderStrategy: merged.capacityProviderStrategy ?? [],
  platformVersion: merged.platformVersion,
  placementConstraints: merged.placementConstraints ?? [],
  placementStrategy: merged.placementStrategy ?? [],
  group: merged.group,
  propagateTags: merged.propagateTags,
  enableExecuteCommand: merged.enableExecuteCommand,
  cluster: merged.cluster,
  region: merged.region,
  vpcId: merged.vpcId,
  networkConfiguration: merged.networkConfiguration
})

const timesOf = (merged: Merged, builtIn: ReturnType<typeof builtInPool>) => ({
  taskStartTimeoutSeconds: merged.taskStartTimeoutSeconds ?? builtIn.taskStartTimeoutSeconds,
  provisioningTimeoutSeconds: merged.provisioningTimeoutSeconds ?? DEFAULT_PROVISIONING_TIMEOUT_SECONDS,
  launchTimeoutSeconds: merged.launchTimeoutSeconds ?? builtIn.launchTimeoutSeconds,
  runTimeoutSeconds: merged.runTimeoutSeconds ?? builtIn.runTimeoutSeconds,
  pollIntervalSeconds: merged.taskWatchPollIntervalSeconds ?? builtIn.taskWatchPollIntervalSeconds,
  retry: retryOf(merged)
})

/** A pause that is longer than the default maximum raises it. */
const retryOf = ({ retry }: Merged): RetryPolicy => {
  const said = {
    attempts: retry?.attempts ?? RETRY_DEFAULTS.attempts,
    platformAttempts: retry?.platformAttempts ?? RETRY_DEFAULTS.platformAttempts,
    backoffSeconds: retry?.backoffSeconds ?? RETRY_DEFAULTS.backoffSeconds,
    rerunUnknown: retry?.rerunUnknown ?? RETRY_DEFAULTS.rerunUnknown
  }
  return {
    ...said,
    maxBackoffSeconds: retry?.maxBackoffSeconds ?? Math.max(RETRY_DEFAULTS.maxBackoffSeconds, said.backoffSeconds),
    ...(retry?.onExitCodes ? { onExitCodes: retry.onExitCodes } : {}),
    ...(retry?.onOutcomes ? { onOutcomes: retry.onOutcomes } : {})
  }
}

/** Null unsets, also what the definition says (peers 26); a secret of the same name wins (peers 36). */
const environmentOf = ({ env = {}, secrets = {} }: Merged): Pick<Job, "env" | "unsetEnv"> => ({
  env: Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === null || Object.hasOwn(secrets, name) ? [] : [[name, value]]
    )
  ),
  unsetEnv: Object.keys(env).filter((name) => env[name] === null)
})

/** What is unset follows `streamOutput` where that is set (peers 7). */
const logsOf = (merged: Merged): JobLogs => ({
  configure: merged.configureCloudwatchLogs ?? merged.streamOutput,
  prefix: merged.cloudwatchLogsPrefix,
  options: merged.cloudwatchLogsOptions ?? {},
  stream: merged.streamOutput ?? true
})

const noticesOf = (merged: Merged): ReadonlyArray<string> => [...strategyNotices(merged), ...retryNotices(merged)]

/** Both at once come from one level only, as a higher level's choice replaces a lower's (peers 61, 75). */
const strategyNotices = ({ capacityProviderStrategy = [], launchType }: Merged): ReadonlyArray<string> =>
  launchType === undefined || capacityProviderStrategy.length === 0
    ? []
    : [`Found \`capacityProviderStrategy\`: \`launchType\` "${launchType}" is left out of the launch.`]

const retryNotices = ({ retry }: Merged): ReadonlyArray<string> =>
  (retry?.onExitCodes?.length ?? 0) > 0 && (retry?.attempts ?? 0) === 0
    ? ["`retry.onExitCodes` has no effect: `retry.attempts` is 0, so that no failure of the program is retried."]
    : []

const unknownPool = (pool: string): Problem =>
  fieldProblem(
    "pool",
    `Pool "${pool}" does not exist.`,
    `Leave "pool" out for the pool "${DEFAULT_POOL}", or create the pool first.`
  )
