import {
  DescribeTaskDefinitionCommand,
  type DescribeTaskDefinitionRequest,
  type DescribeTaskDefinitionResponse,
  DescribeTasksCommand,
  type DescribeTasksRequest,
  type DescribeTasksResponse,
  type Failure,
  ListTasksCommand,
  type ListTasksRequest,
  type ListTasksResponse,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  type RegisterTaskDefinitionResponse,
  RunTaskCommand,
  type RunTaskCommandInput,
  type RunTaskResponse,
  StopTaskCommand,
  type StopTaskRequest,
  type StopTaskResponse,
  type Task,
  type TaskDefinition
} from "@aws-sdk/client-ecs"
import { Context, Effect, Layer } from "effect"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { type CallContext, classify } from "./AwsError.ts"
import { Clients } from "./Clients.ts"
import { type Call, regionOfModel, sender } from "./calls.ts"
import { EcsModel } from "./model/EcsModel.ts"
import type { AwsTarget } from "./Target.ts"

export interface TasksAndFailures {
  readonly tasks: ReadonlyArray<Task>
  readonly failures: ReadonlyArray<Failure>
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

interface EcsCalls {
  readonly region: (target: AwsTarget) => string | undefined
  readonly registerTaskDefinition: Call<RegisterTaskDefinitionCommandInput, RegisterTaskDefinitionResponse>
  readonly describeTaskDefinition: Call<DescribeTaskDefinitionRequest, DescribeTaskDefinitionResponse>
  readonly runTask: Call<RunTaskCommandInput, RunTaskResponse>
  readonly describeTasks: Call<DescribeTasksRequest, DescribeTasksResponse>
  readonly listTasks: Call<ListTasksRequest, ListTasksResponse>
  readonly stopTask: Call<StopTaskRequest, StopTaskResponse>
}

const sdkCalls = (clients: Clients["Service"]): EcsCalls => {
  const send = sender(clients.ecs)
  return {
    region: clients.region,
    registerTaskDefinition: send((client, input, options) =>
      client.send(new RegisterTaskDefinitionCommand(input), options)
    ),
    describeTaskDefinition: send((client, input, options) =>
      client.send(new DescribeTaskDefinitionCommand(input), options)
    ),
    runTask: send((client, input, options) => client.send(new RunTaskCommand(input), options)),
    describeTasks: send((client, input, options) => client.send(new DescribeTasksCommand(input), options)),
    listTasks: send((client, input, options) => client.send(new ListTasksCommand(input), options)),
    stopTask: send((client, input, options) => client.send(new StopTaskCommand(input), options))
  }
}

const modelCalls = ({ ecs }: EcsModel["Service"]): EcsCalls => ({
  region: regionOfModel,
  registerTaskDefinition: (target, input) => ecs.RegisterTaskDefinition(regionOfModel(target), input),
  describeTaskDefinition: (target, input) => ecs.DescribeTaskDefinition(regionOfModel(target), input),
  runTask: (target, input) => ecs.RunTask(regionOfModel(target), input),
  describeTasks: (target, input) => ecs.DescribeTasks(regionOfModel(target), input),
  listTasks: (target, input) => ecs.ListTasks(regionOfModel(target), input),
  stopTask: (target, input) => ecs.StopTask(regionOfModel(target), input)
})

const makeEcs = (calls: EcsCalls): Ecs["Service"] => ({
  registerTaskDefinition: (target, input) => registerTaskDefinition(calls, target, input),
  describeTaskDefinition: (target, ref) => describeTaskDefinition(calls, target, ref),
  runTask: (target, input) => runTask(calls, target, input),
  describeTasks: (target, cluster, arns) => describeTasks(calls, target, cluster, arns),
  listTasks: (target, cluster, startedBy) => listTasks(calls, target, cluster, startedBy),
  stopTask: (target, cluster, taskArn, reason) => stopTask(calls, target, { cluster, task: taskArn, reason })
})

const registerTaskDefinition = (calls: EcsCalls, target: AwsTarget, input: RegisterTaskDefinitionCommandInput) => {
  const context = { region: calls.region(target), taskDefinition: input.family }
  return calls.registerTaskDefinition(target, input).pipe(
    Effect.mapError((error) => classify("RegisterTaskDefinition", error, context)),
    Effect.flatMap(({ taskDefinition }) => present("RegisterTaskDefinition", taskDefinition, context))
  )
}

const describeTaskDefinition = (calls: EcsCalls, target: AwsTarget, ref: string) => {
  const context = { region: calls.region(target), taskDefinition: ref }
  return calls.describeTaskDefinition(target, { taskDefinition: ref }).pipe(
    Effect.mapError((error) => classify("DescribeTaskDefinition", error, context)),
    Effect.flatMap(({ taskDefinition }) => present("DescribeTaskDefinition", taskDefinition, context))
  )
}

const runTask = (calls: EcsCalls, target: AwsTarget, input: RunTaskCommandInput) => {
  const context = { region: calls.region(target), cluster: input.cluster, taskDefinition: input.taskDefinition }
  return calls.runTask(target, input).pipe(
    Effect.mapError((error) => classify("RunTask", error, context)),
    Effect.map(({ tasks = [], failures = [] }): TasksAndFailures => ({ tasks, failures }))
  )
}

const describeTasks = (calls: EcsCalls, target: AwsTarget, cluster: string, arns: ReadonlyArray<string>) => {
  if (arns.length === 0) return Effect.succeed<TasksAndFailures>({ tasks: [], failures: [] })
  const context = { region: calls.region(target), cluster }
  return calls.describeTasks(target, { cluster, tasks: [...arns] }).pipe(
    Effect.mapError((error) => classify("DescribeTasks", error, context)),
    Effect.map(({ tasks = [], failures = [] }): TasksAndFailures => ({ tasks, failures }))
  )
}

const listTasks = Effect.fnUntraced(function* (calls: EcsCalls, target: AwsTarget, cluster: string, startedBy: string) {
  const context = { region: calls.region(target), cluster }
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

const stopTask = (calls: EcsCalls, target: AwsTarget, input: StopTaskRequest) => {
  const context = { region: calls.region(target), cluster: input.cluster }
  return calls.stopTask(target, input).pipe(
    Effect.mapError((error) => classify("StopTask", error, context)),
    Effect.asVoid
  )
}

/** An answer without its one member is an answer lost: something between us and AWS said 200. */
const present = <A>(action: string, value: A | undefined, context: CallContext): Effect.Effect<A, AwsFailure> =>
  value === undefined
    ? Effect.fail(classify(action, { name: "ServiceUnavailable", message: "The answer was empty." }, context))
    : Effect.succeed(value)
