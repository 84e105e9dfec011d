import { randomUUID } from "node:crypto"
import type { Failure, RunTaskRequest, StopTaskRequest, StopTaskResponse, TaskStopCode } from "@aws-sdk/client-ecs"
import { Clock, Context, Effect, Layer, Result } from "effect"
import type { Answer, AwsException } from "./AwsException.ts"
import * as providers from "./capacityProviders.ts"
import * as clusters from "./clusters.ts"
import * as instances from "./containerInstances.ts"
import { type Engine, forget, makeEngine, tell, wakeScheduler } from "./engine.ts"
import type { Fault, PageFault } from "./Fault.ts"
import type { InjectedFault } from "./FaultBook.ts"
import { allSpoilt, spoilt } from "./faults.ts"
import * as reads from "./logReads.ts"
import * as logs from "./logs.ts"
import { type LongRunning, launchLongRunning } from "./longRunning.ts"
import type { Ec2Operations, EcsOperations, LogsOperations, Operation } from "./Operations.ts"
import { Paging } from "./Paging.ts"
import { Runtime } from "./Runtime.ts"
import { runTask } from "./runTask.ts"
import * as definitions from "./taskDefinitions.ts"
import * as tasks from "./tasks.ts"
import * as vpc from "./vpc.ts"
import { defaultOptions, type EcsModelOptions, findTask, makeWorld, parseTaskArn, type World } from "./World.ts"

export type { EcsModelOptions, ModelNetwork, TimeScale } from "./World.ts"

/** What goes wrong, and what AWS does by itself; for a control API and for tests. */
export interface ModelFaults {
  /** Adds a fault; false = there are too many (`maxFaults`). */
  readonly inject: (fault: Fault) => Effect.Effect<boolean>
  /** Every fault so far, also those that are used up, and how often each met a call. */
  readonly list: Effect.Effect<ReadonlyArray<InjectedFault>>
  readonly clear: Effect.Effect<void>
  /** `inject` for the next `calls` launches (not replays of a token): they answer this failure and start nothing. */
  readonly failLaunches: (failure: Failure, calls: number) => Effect.Effect<void>
  /** Lets faults of the named action happen to an operation that is not the model's own. */
  readonly spoilt: <Input, Output>(action: string, operation: Operation<Input, Output>) => Operation<Input, Output>
  /** The platform ends a task, e.g. `SpotInterruption`, `Your Spot Task was interrupted.`; by ARN, false = no such task. */
  readonly stop: (taskArn: string, stopCode: TaskStopCode, reason: string) => Effect.Effect<boolean>
  /** The task vanishes from every answer, whatever its state, and its containers end; false = no such task. */
  readonly forget: (taskArn: string) => Effect.Effect<boolean>
}

export interface ModelOperations {
  readonly ecs: EcsOperations
  readonly ec2: Ec2Operations
  readonly logs: LogsOperations
}

/**
 * ECS, a default VPC and CloudWatch Logs in memory: behind the memory layers of the ports, and behind local-aws. What a
 * task's containers do is up to the `Runtime`. Requests are checked as AWS checks them, with AWS's errors and texts.
 */
export class EcsModel extends Context.Service<
  EcsModel,
  ModelOperations & {
    /** The same operations, except that no call fails or is lost by a fault: to look, and to build on. */
    readonly unspoilt: ModelOperations
    readonly faults: ModelFaults
    /** Tasks that run already, and for which nothing runs; their ARNs. */
    readonly launchLongRunning: (
      region: string,
      input: RunTaskRequest,
      wanted: LongRunning
    ) => Effect.Effect<ReadonlyArray<string>, AwsException>
  }
>()("aws/model/EcsModel") {
  static readonly layer = (options: Partial<EcsModelOptions> = {}): Layer.Layer<EcsModel, never, Runtime> =>
    Layer.effect(
      EcsModel,
      Effect.gen(function* () {
        const world = makeWorld({ ...defaultOptions, newId: randomId, ...options })
        const engine = yield* makeEngine(world, yield* Runtime, yield* Clock.Clock)
        const unspoilt = {
          ecs: ecsOperations(engine),
          ec2: ec2Operations(engine),
          logs: logsOperations(engine)
        }
        return EcsModel.of({
          ecs: allSpoilt(world, unspoilt.ecs),
          ec2: allSpoilt(world, unspoilt.ec2),
          logs: allSpoilt(world, unspoilt.logs),
          unspoilt,
          faults: faults(engine),
          launchLongRunning: (region, input, wanted) =>
            Effect.suspend(() => Effect.fromResult(launchLongRunning(engine, region, input, wanted)))
        })
      })
    )
}

const randomId = () => randomUUID().replaceAll("-", "")

const operation =
  <Input, Output>(
    engine: Engine,
    decide: (world: World, region: string, input: Input, now: number) => Answer<Output>
  ): Operation<Input, Output> =>
  (region, input) =>
    Effect.suspend(() => {
      const answer = decide(engine.world, region, input, engine.clock.currentTimeMillisUnsafe())
      wakeScheduler(engine)
      return Effect.fromResult(answer)
    })

const ecsOperations = (engine: Engine): EcsOperations => ({
  CreateCluster: operation(engine, clusters.createCluster),
  DescribeClusters: operation(engine, clusters.describeClusters),
  ListClusters: operation(engine, clusters.listClusters),
  DeleteCluster: operation(engine, clusters.deleteCluster),
  PutClusterCapacityProviders: operation(engine, providers.putClusterCapacityProviders),
  CreateCapacityProvider: operation(engine, providers.createCapacityProvider),
  DescribeCapacityProviders: operation(engine, providers.describeCapacityProviders),
  RegisterContainerInstance: operation(engine, instances.registerContainerInstance),
  ListContainerInstances: operation(engine, instances.listContainerInstances),
  DescribeContainerInstances: operation(engine, instances.describeContainerInstances),
  RegisterTaskDefinition: operation(engine, definitions.registerTaskDefinition),
  DescribeTaskDefinition: operation(engine, definitions.describeTaskDefinition),
  DeregisterTaskDefinition: operation(engine, definitions.deregisterTaskDefinition),
  ListTaskDefinitions: operation(engine, definitions.listTaskDefinitions),
  ListTaskDefinitionFamilies: operation(engine, definitions.listTaskDefinitionFamilies),
  RunTask: operation(engine, runTask),
  DescribeTasks: operation(engine, tasks.describeTasks),
  ListTasks: operation(engine, tasks.listTasks),
  StopTask: operation(engine, (world, region, input) => stopTask(engine, world, region, input)),
  TagResource: operation(engine, tasks.tagResource),
  ListTagsForResource: operation(engine, tasks.listTagsForResource)
})

const ec2Operations = (engine: Engine): Ec2Operations => ({
  DescribeVpcs: operation(engine, vpc.describeVpcs),
  DescribeSubnets: operation(engine, vpc.describeSubnets),
  DescribeSecurityGroups: operation(engine, vpc.describeSecurityGroups)
})

const logsOperations = (engine: Engine): LogsOperations => ({
  CreateLogGroup: operation(engine, logs.createLogGroup),
  CreateLogStream: operation(engine, logs.createLogStream),
  PutLogEvents: operation(engine, logs.putLogEvents),
  DescribeLogGroups: operation(engine, logs.describeLogGroups),
  DescribeLogStreams: operation(engine, logs.describeLogStreams),
  GetLogEvents: paged(engine, reads.getLogEvents),
  FilterLogEvents: paged(engine, reads.filterLogEvents)
})

/** The page is as the fault wants it that meets the call. */
const paged =
  <Input, Output>(
    engine: Engine,
    decide: (world: World, region: string, input: Input, now: number, fault: PageFault) => Answer<Output>
  ): Operation<Input, Output> =>
  (region, input) =>
    Effect.flatMap(Paging, (fault) =>
      Effect.fromResult(decide(engine.world, region, input, engine.clock.currentTimeMillisUnsafe(), fault))
    )

const stopTask = (engine: Engine, world: World, region: string, input: StopTaskRequest): Answer<StopTaskResponse> => {
  const found = tasks.taskToStop(world, region, input)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const { key } = found.success
  tell(engine, key, { _tag: "StopAsked", stopCode: "UserInitiated", reason: input.reason ?? "Task stopped by user" })
  return Result.succeed({ task: findTask(world, key)?.task })
}

const faults = (engine: Engine): ModelFaults => {
  const { faults: book } = engine.world
  const now = () => engine.clock.currentTimeMillisUnsafe()
  return {
    inject: (fault) => Effect.sync(() => book.inject(fault, now())),
    list: Effect.sync(() => book.list(now())),
    clear: Effect.sync(() => book.clear()),
    failLaunches: ({ reason = "", detail, arn }, times) =>
      Effect.sync(() => {
        const failure = { reason, ...(detail === undefined ? {} : { detail }), ...(arn === undefined ? {} : { arn }) }
        book.inject({ action: "RunTask", times, failures: [failure] }, now())
      }),
    spoilt: (action, operation) => spoilt(engine.world, action, operation),
    stop: (taskArn, stopCode, reason) =>
      Effect.sync(() => {
        const key = parseTaskArn(taskArn)
        return key !== undefined && tell(engine, key, { _tag: "StopAsked", stopCode, reason })
      }),
    forget: (taskArn) =>
      Effect.sync(() => {
        const key = parseTaskArn(taskArn)
        return key !== undefined && forget(engine, key)
      })
  }
}
