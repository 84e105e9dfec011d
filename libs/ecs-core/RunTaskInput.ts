import { digest } from "./Digest.ts"
import type { Problem } from "./errors.ts"
import type { Attempt, FleetId, RunId } from "./Ids.ts"
import type { Job } from "./Job.ts"
import type { AwsvpcConfiguration } from "./Network.ts"
import { slugTag } from "./Slug.ts"

/** RunTask's input as it travels in `taskdef.ready`: complete but for token, `startedBy` and an inferred network. */
export interface RunTaskInput {
  readonly cluster: string
  readonly taskDefinition: string
  readonly launchType?: "FARGATE"
  readonly capacityProviderStrategy?: ReadonlyArray<{ readonly capacityProvider: string; readonly weight: number }>
  readonly platformVersion?: string
  readonly group?: string
  readonly propagateTags?: "TASK_DEFINITION" | "NONE"
  readonly enableExecuteCommand?: boolean
  readonly networkConfiguration?: { readonly awsvpcConfiguration: AwsvpcConfiguration }
  readonly overrides: {
    readonly containerOverrides: ReadonlyArray<ContainerOverride>
    readonly taskRoleArn?: string
  }
  readonly tags?: ReadonlyArray<{ readonly key: string; readonly value: string }>
}

export interface ContainerOverride {
  readonly name: string
  readonly command?: ReadonlyArray<string>
  readonly environment?: ReadonlyArray<{ readonly name: string; readonly value: string }>
}

/** What the program sees of its own run; a job cannot override these two. */
export const runEnvironment = (runId: string, attempt: number) => ({
  FLEET_RUN_ID: runId,
  FLEET_ATTEMPT: String(attempt)
})

/** The launch of one attempt. FARGATE_SPOT is a capacity provider to ECS, not a launch type (peers 62). */
export const runTaskInput = (
  job: Job,
  run: { readonly runId: RunId; readonly attempt: Attempt; readonly taskDefinitionArn: string }
): RunTaskInput => {
  const tags = tagsOf(job)
  return {
    cluster: job.cluster,
    taskDefinition: run.taskDefinitionArn,
    ...(job.launchType === "FARGATE_SPOT"
      ? { capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }] }
      : { launchType: "FARGATE" as const }),
    ...(job.platformVersion === undefined ? {} : { platformVersion: job.platformVersion }),
    ...(job.group === undefined ? {} : { group: job.group }),
    ...(job.propagateTags === undefined ? {} : { propagateTags: job.propagateTags }),
    ...(job.enableExecuteCommand === undefined ? {} : { enableExecuteCommand: job.enableExecuteCommand }),
    ...(job.networkConfiguration === undefined
      ? {}
      : { networkConfiguration: { awsvpcConfiguration: job.networkConfiguration } }),
    overrides: {
      containerOverrides: [overrideOf(job, runEnvironment(run.runId, run.attempt))],
      ...(job.taskRoleArn === undefined ? {} : { taskRoleArn: job.taskRoleArn })
    },
    ...(tags.length === 0 ? {} : { tags })
  }
}

const overrideOf = (job: Job, own: Readonly<Record<string, string>>): ContainerOverride => ({
  name: job.containerName,
  ...(job.command === undefined ? {} : { command: job.command }),
  environment: Object.entries({ ...job.env, ...own }).map(([name, value]) => ({ name, value }))
})

/** Tags as written, then labels slugged; a null label removes the tag of its key (peers 69, 70). */
const tagsOf = (job: Job): ReadonlyArray<{ readonly key: string; readonly value: string }> => {
  const tags = new Map(Object.entries(job.tags))
  for (const [key, value] of Object.entries(job.labels)) {
    if (value === null) tags.delete(key)
    else tags.set(slugTag(key), slugTag(value))
  }
  return [...tags].map(([key, value]) => ({ key, value }))
}

/** RunTask takes at most this many characters of overrides, JSON syntax included (API reference of RunTask). */
export const OVERRIDES_CHARACTERS_MAX = 8192

/** What is wrong with overrides that ECS would refuse for their size; the values are not shown. */
export const overridesProblem = ({ overrides }: RunTaskInput): Problem | undefined => {
  const characters = JSON.stringify(overrides).length
  if (characters <= OVERRIDES_CHARACTERS_MAX) return undefined
  const [container] = overrides.containerOverrides
  const commandIsLarger = jsonLength(container?.command) > jsonLength(container?.environment)
  return {
    code: "InvalidRequest",
    field: commandIsLarger ? "command" : "env",
    message: `Command and environment together are ${characters} characters of JSON; ECS takes at most ${OVERRIDES_CHARACTERS_MAX}.`,
    advice: "Put the payload into a store such as S3 and pass its address, or build it into the image."
  }
}

const jsonLength = (value: unknown): number => JSON.stringify(value)?.length ?? 0

/** RunTask's idempotency key (at most 64 ASCII characters): the same launch replays, another try is a new launch. */
export const clientToken = (fleetId: FleetId, runId: RunId, attempt: Attempt, tryNumber: number): string =>
  digest("run-task", fleetId, runId, String(attempt), String(tryNumber))

/** RunTask's `startedBy` (at most 128 of `[A-Za-z0-9_/-]`): whose task it is, found again by ListTasks. */
export const startedBy = (fleetId: FleetId, runId: RunId, attempt: Attempt): string => `${fleetId}/${runId}/${attempt}`
