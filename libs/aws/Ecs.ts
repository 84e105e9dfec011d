import type {
  Cluster,
  Failure,
  RegisterTaskDefinitionCommandInput,
  RunTaskCommandInput,
  StopTaskRequest,
  Task,
  TaskDefinition
} from "@aws-sdk/client-ecs"
import { Context, Effect, Layer } from "effect"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { hideValues, maskedValues } from "#ecs-core/Mask.ts"
import { type CallContext, classify } from "./AwsError.ts"
import { Clients } from "./Clients.ts"
import { type EcsCalls, modelCalls, sdkCalls } from "./ecsCalls.ts"
import { EcsModel } from "./model/EcsModel.ts"
import type { AwsTarget } from "./Target.ts"

export interface TasksAndFailures {
  readonly tasks: ReadonlyArray<Task>
  readonly failures: ReadonlyArray<Failure>
}

export interface TaskPage {
  readonly arns: ReadonlyArray<string>
  /** Of the next page; absent = this was the last one. */
  readonly nextToken?: string
}

/** What the fleet asks of ECS. Calls are neither paced nor repeated here, beyond the SDK's one quick retry. */
export class Ecs extends Context.Service<
  Ecs,
  {
    readonly registerTaskDefinition: (
      target: AwsTarget,
      input: RegisterTaskDefinitionCommandInput
    ) => Effect.Effect<TaskDefinition, AwsFailure>
    /** `ref`: family (latest active revision), `family:revision` or ARN. An INACTIVE revision is answered too. */
    readonly describeTaskDefinition: (target: AwsTarget, ref: string) => Effect.Effect<TaskDefinition, AwsFailure>
    /** Makes a revision INACTIVE; `revision`: `family:revision` or ARN. No error if it is INACTIVE already. */
    readonly deregisterTaskDefinition: (target: AwsTarget, revision: string) => Effect.Effect<void, AwsFailure>
    /** By name or ARN; `ClusterNotFound` when ECS does not know it, or has it as INACTIVE (deleted). */
    readonly describeCluster: (target: AwsTarget, cluster: string) => Effect.Effect<Cluster, AwsFailure>
    /** Give a `clientToken`, or a repeated call launches again. Both lists may be non-empty, or both be empty. */
    readonly runTask: (target: AwsTarget, input: RunTaskCommandInput) => Effect.Effect<TasksAndFailures, AwsFailure>
    /** At most 100 ARNs of one cluster (AWS). An unknown task is a failure with reason `MISSING`. */
    readonly describeTasks: (
      target: AwsTarget,
      cluster: string,
      arns: ReadonlyArray<string>
    ) => Effect.Effect<TasksAndFailures, AwsFailure>
    /**
     * ARNs of the tasks with exactly this `startedBy`, all pages. AWS takes no other filter beside it, so only tasks whose
     * desired status is RUNNING can be found; those that stop or have stopped cannot.
     */
    readonly listTasks: (
      target: AwsTarget,
      cluster: string,
      startedBy: string
    ) => Effect.Effect<ReadonlyArray<string>, AwsFailure>
    /** A page of up to 100 ARNs of a cluster's tasks whose desired status is RUNNING, whoever started them. */
    readonly listRunning: (
      target: AwsTarget,
      cluster: string,
      nextToken?: string
    ) => Effect.Effect<TaskPage, AwsFailure>
    /** No error if the task stops or has stopped already; `TaskNotFound` if ECS does not know it (yet, or any more). */
    readonly stopTask: (
      target: AwsTarget,
      cluster: string,
      taskArn: string,
      reason: string
    ) => Effect.Effect<void, AwsFailure>
  }
>()("aws/Ecs") {
  /** Over the AWS SDK. */
  static readonly layer = Layer.effect(
    Ecs,
    Effect.map(Clients, (clients) => makeEcs(sdkCalls(clients)))
  )
  /** Over the model in memory. */
  static readonly layerMemory = Layer.effect(
    Ecs,
    Effect.map(EcsModel, (model) => makeEcs(modelCalls(model)))
  )
}

/** A chain of pages that does not end after this many is an error of the other side. */
export const maxPages = 1000

const makeEcs = (calls: EcsCalls): Ecs["Service"] => ({
  registerTaskDefinition: (target, input) => registerTaskDefinition(calls, target, input),
  describeTaskDefinition: (target, ref) => describeTaskDefinition(calls, target, ref),
  deregisterTaskDefinition: (target, revision) => deregisterTaskDefinition(calls, target, revision),
  describeCluster: (target, cluster) => describeCluster(calls, target, cluster),
  runTask: (target, input) => runTask(calls, target, input),
  describeTasks: (target, cluster, arns) => describeTasks(calls, target, cluster, arns),
  listTasks: (target, cluster, startedBy) => listTasks(calls, target, cluster, startedBy),
  listRunning: (target, cluster, nextToken) => listRunning(calls, target, cluster, nextToken),
  stopTask: (target, cluster, taskArn, reason) => stopTask(calls, target, { cluster, task: taskArn, reason })
})

const registerTaskDefinition = (calls: EcsCalls, target: AwsTarget, input: RegisterTaskDefinitionCommandInput) => {
  const context = { ...placeOf(calls, target), taskDefinition: input.family, secrets: maskedValues(input) }
  return calls.registerTaskDefinition(target, input).pipe(
    Effect.mapError((error) => classify("RegisterTaskDefinition", error, context)),
    Effect.flatMap(({ taskDefinition }) => present("RegisterTaskDefinition", taskDefinition, context))
  )
}

const describeTaskDefinition = (calls: EcsCalls, target: AwsTarget, ref: string) => {
  const context = { ...placeOf(calls, target), taskDefinition: ref }
  return calls.describeTaskDefinition(target, { taskDefinition: ref }).pipe(
    Effect.mapError((error) => classify("DescribeTaskDefinition", error, context)),
    Effect.flatMap(({ taskDefinition }) => present("DescribeTaskDefinition", taskDefinition, context))
  )
}

const deregisterTaskDefinition = (calls: EcsCalls, target: AwsTarget, revision: string) => {
  const context = { ...placeOf(calls, target), taskDefinition: revision }
  return calls.deregisterTaskDefinition(target, { taskDefinition: revision }).pipe(
    Effect.mapError((error) => classify("DeregisterTaskDefinition", error, context)),
    Effect.asVoid
  )
}

const describeCluster = Effect.fnUntraced(function* (calls: EcsCalls, target: AwsTarget, cluster: string) {
  const context = { ...placeOf(calls, target), cluster }
  const { clusters, failures } = yield* Effect.mapError(
    calls.describeClusters(target, { clusters: [cluster] }),
    (error) => classify("DescribeClusters", error, context)
  )
  const found = clusters?.[0]
  if (found?.status !== "INACTIVE" && failures?.[0]?.reason !== "MISSING") {
    return yield* present("DescribeClusters", found, context)
  }
  const missing = { name: "ClusterNotFoundException", message: "Cluster not found." }
  return yield* classify("DescribeClusters", missing, context)
})

const runTask = (calls: EcsCalls, target: AwsTarget, input: RunTaskCommandInput) => {
  const { cluster, taskDefinition } = input
  const secrets = maskedValues(input)
  const context = { ...placeOf(calls, target), cluster, taskDefinition, secrets }
  return calls.runTask(target, input).pipe(
    Effect.mapError((error) => classify("RunTask", error, context)),
    Effect.map(
      ({ tasks = [], failures = [] }): TasksAndFailures => ({
        tasks,
        failures: failures.map((failure) => harmlessFailure(failure, secrets))
      })
    )
  )
}

const harmlessFailure = ({ reason, detail, ...failure }: Failure, secrets: ReadonlyArray<string>): Failure => ({
  ...failure,
  ...(reason === undefined ? {} : { reason: hideValues(reason, secrets) }),
  ...(detail === undefined ? {} : { detail: hideValues(detail, secrets) })
})

const describeTasks = (calls: EcsCalls, target: AwsTarget, cluster: string, arns: ReadonlyArray<string>) => {
  if (arns.length === 0) return Effect.succeed<TasksAndFailures>({ tasks: [], failures: [] })
  const context = { ...placeOf(calls, target), cluster }
  return calls.describeTasks(target, { cluster, tasks: [...arns] }).pipe(
    Effect.mapError((error) => classify("DescribeTasks", error, context)),
    Effect.map(({ tasks = [], failures = [] }): TasksAndFailures => ({ tasks, failures }))
  )
}

const listTasks = Effect.fnUntraced(function* (calls: EcsCalls, target: AwsTarget, cluster: string, startedBy: string) {
  const context = { ...placeOf(calls, target), cluster }
  const arns: Array<string> = []
  let nextToken: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const answer = yield* Effect.mapError(
      calls.listTasks(target, { cluster, startedBy, ...(nextToken === undefined ? {} : { nextToken }) }),
      (error) => classify("ListTasks", error, context)
    )
    arns.push(...(answer.taskArns ?? []))
    nextToken = answer.nextToken
    if (nextToken === undefined) return arns
  }
  return yield* classify("ListTasks", new Error(`more than ${maxPages} pages`), context)
})

const listRunning = (calls: EcsCalls, target: AwsTarget, cluster: string, nextToken: string | undefined) => {
  const context = { region: calls.region(target), cluster }
  const more = nextToken === undefined ? {} : { nextToken }
  return calls.listTasks(target, { cluster, desiredStatus: "RUNNING", ...more }).pipe(
    Effect.mapError((error) => classify("ListTasks", error, context)),
    Effect.map(
      (answer): TaskPage => ({
        arns: answer.taskArns ?? [],
        ...(answer.nextToken === undefined ? {} : { nextToken: answer.nextToken })
      })
    )
  )
}

const stopTask = (calls: EcsCalls, target: AwsTarget, input: StopTaskRequest) => {
  const context = { ...placeOf(calls, target), cluster: input.cluster }
  return calls.stopTask(target, input).pipe(
    Effect.mapError((error) => classify("StopTask", error, context)),
    Effect.asVoid
  )
}

const placeOf = (calls: EcsCalls, target: AwsTarget): CallContext => ({
  region: calls.region(target),
  credentials: target.credentials
})

/** An answer without its one member is an answer lost: something between us and AWS said 200. */
const present = <A>(action: string, value: A | undefined, context: CallContext): Effect.Effect<A, AwsFailure> =>
  value === undefined
    ? Effect.fail(classify(action, { name: "ServiceUnavailable", message: "The answer was empty." }, context))
    : Effect.succeed(value)
