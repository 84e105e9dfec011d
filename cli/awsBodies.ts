import { Result } from "effect"
import type { Problem } from "#ecs-core/errors.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { type Job, resolveJob } from "#ecs-core/Job.ts"
import { mask } from "#ecs-core/Mask.ts"
import type { Pool } from "#ecs-core/Pool.ts"
import { decodeRequest } from "#ecs-core/RequestProblems.ts"
import { runTaskInput } from "#ecs-core/RunTaskInput.ts"
import { prepareTaskDefinition } from "#ecs-core/TaskDefinition.ts"
import type { RequestBody } from "./request.ts"

export interface LaunchContext {
  readonly pool: Pool | undefined
  readonly region: string
  readonly runId: string
  readonly runTimeoutSecondsMax: number
}

export interface AwsBodies {
  /** The bodies of both AWS calls, values of environment variables masked. */
  readonly bodies: { readonly RegisterTaskDefinition: unknown; readonly RunTask: unknown }
  /** What only a launch can fill in. */
  readonly notes: ReadonlyArray<string>
}

/** What would be sent to AWS for a request, or all its problems. */
export const awsBodies = (
  body: RequestBody,
  context: LaunchContext
): Result.Result<AwsBodies, ReadonlyArray<Problem>> =>
  decodeRequest(body).pipe(
    Result.flatMap((request) => resolveJob(request, context.pool, context.runTimeoutSecondsMax)),
    Result.map((job) => ({ bodies: bodiesOf(job, context), notes: notesOf(job) }))
  )

const bodiesOf = (job: Job, context: LaunchContext): AwsBodies["bodies"] => {
  const region = job.region ?? context.region
  const launch = { runId: RunId.make(context.runId), attempt: 1, taskDefinitionArn: `${job.family}:<revision>` }
  return {
    RegisterTaskDefinition: mask(prepareTaskDefinition(job, region)),
    RunTask: mask(runTaskInput(job, launch))
  }
}

const notesOf = (job: Job): ReadonlyArray<string> => [
  "An equal definition that is registered already is used again instead of a new one.",
  ...(job.networkConfiguration === undefined
    ? [`The launcher adds the network: subnets of ${job.vpcId ?? "the default VPC"}.`]
    : []),
  "The launcher adds clientToken and startedBy (fleet id, run id, attempt).",
  ...(job.logs.on ? [] : [`No output can be read: ${job.logs.why}.`])
]
