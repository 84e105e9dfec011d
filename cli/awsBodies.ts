import { Result } from "effect"
import { definitionProblems } from "#ecs-core/DefinitionProblems.ts"
import type { Problem } from "#ecs-core/errors.ts"
import { RunId } from "#ecs-core/Ids.ts"
import type { Job } from "#ecs-core/Job.ts"
import type { Json } from "#ecs-core/Json.ts"
import { launchesOn, runsOnFargate } from "#ecs-core/LaunchOn.ts"
import { logNotices, logPlan } from "#ecs-core/LogPlan.ts"
import { mask } from "#ecs-core/Mask.ts"
import { networkPlan } from "#ecs-core/Network.ts"
import { poolFor } from "#ecs-core/PoolVariables.ts"
import { orchestrationContainer, prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { decodeRequest } from "#ecs-core/RequestProblems.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import { overridesProblem, runTaskInput } from "#ecs-core/RunTaskInput.ts"
import type { RequestBody } from "./request.ts"

export interface LaunchContext {
  /** As it is written: the request fills its placeholders. */
  readonly pool: Json | undefined
  readonly region: string
  readonly runId: string
  readonly runTimeoutSecondsMax: number
}

export interface AwsBodies {
  /** The bodies of the AWS calls, values of environment variables masked; a linked definition is not registered. */
  readonly bodies: { readonly RegisterTaskDefinition?: unknown; readonly RunTask: unknown }
  /** What only a launch can fill in. */
  readonly notes: ReadonlyArray<string>
}

/** What would be sent to AWS for a request, or all its problems. */
export const awsBodies = (
  body: RequestBody,
  context: LaunchContext
): Result.Result<AwsBodies, ReadonlyArray<Problem>> =>
  decodeRequest(body).pipe(
    Result.flatMap((request) => {
      const pool = context.pool === undefined ? Result.succeed(undefined) : poolFor(context.pool, request)
      return Result.flatMap(pool, (filled) => resolveJob(request, filled, context.runTimeoutSecondsMax))
    }),
    Result.flatMap((job) => (job.linkedDefinition === undefined ? prepared(job, context) : linked(job, context)))
  )

const REUSED = "An equal definition that is registered already is used again instead of a new one."
const IDENTITY = "The launcher adds clientToken and startedBy (fleet id, run id, attempt)."

const prepared = (job: Job, context: LaunchContext): Result.Result<AwsBodies, ReadonlyArray<Problem>> => {
  const region = job.region ?? context.region
  const { definition, containerName } = prepareTaskDefinition(job, region)
  const runTask = runTaskOf(job, context, {
    taskDefinitionArn: `${definition.family}:<revision>`,
    definition,
    containerName
  })
  const tooLarge = overridesProblem(runTask)
  const problems = [
    ...definitionProblems(job, definition, containerName),
    ...(tooLarge === undefined ? [] : [tooLarge])
  ]
  if (problems.length > 0) return Result.fail(problems)
  const notices = logNotices(logPlan(job, definition, containerName, region))
  return Result.succeed({
    bodies: { RegisterTaskDefinition: mask(definition), RunTask: mask(runTask) },
    notes: [REUSED, ...launchNotes(job, definition), ...notices, ...job.notices]
  })
}

/** What a linked definition holds is known to AWS alone, so that its checks wait for the launch. */
const linked = (job: Job, context: LaunchContext): Result.Result<AwsBodies, ReadonlyArray<Problem>> => {
  const taskDefinitionArn = job.linkedDefinition ?? ""
  const definition = runsOnFargate(job, {}) ? { networkMode: "awsvpc" } : {}
  const containerName = orchestrationContainer(definition, job.containerName)
  const runTask = runTaskOf(job, context, { taskDefinitionArn, definition, containerName })
  const tooLarge = overridesProblem(runTask)
  if (tooLarge !== undefined) return Result.fail([tooLarge])
  const read = `Task definition ${taskDefinitionArn} is used as it is and read at the launch: nothing is registered.`
  const found = `The container is "${containerName}" if the definition has it, else its first one.`
  return Result.succeed({
    bodies: { RunTask: mask(runTask) },
    notes: [read, ...(job.containerName === undefined ? [found] : []), ...launchNotes(job, definition), ...job.notices]
  })
}

const runTaskOf = (
  job: Job,
  context: LaunchContext,
  launch: { readonly taskDefinitionArn: string; readonly definition: object; readonly containerName: string }
) => runTaskInput(job, { runId: RunId.make(context.runId), attempt: 1, ...launch })

const launchNotes = (job: Job, definition: object): ReadonlyArray<string> => {
  const { inferNetwork } = networkPlan(job, definition)
  const vpc = inferNetwork?.vpcId ?? "the default VPC"
  return [
    ...(launchesOn(job, definition) === "cluster"
      ? ["Where the cluster has a default capacity provider strategy, it decides instead of launchType FARGATE."]
      : []),
    ...(inferNetwork === undefined ? [] : [`The launcher adds the network: subnets of ${vpc}.`]),
    IDENTITY
  ]
}
