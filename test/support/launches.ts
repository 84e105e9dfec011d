import type { RunTaskCommandInput } from "@aws-sdk/client-ecs"
import { Clock, Effect, Layer } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { Codecs, type TaskdefReady } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aRun, aTaskdefReady, aTaskStarted } from "./builders.ts"
import { keepRecord, published } from "./MemoryFleet.ts"
import { runId } from "./messages.ts"

/** Launches of a task in the memory's AWS, as a dispatcher orders them. */

export const region = "us-east-1"

/** Registers a definition whose program runs for ten minutes; its ARN. */
const registered = Effect.gen(function* () {
  const { taskDefinition } = yield* (yield* EcsModel).ecs.RegisterTaskDefinition(region, {
    family: "fleet_default",
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: "256",
    memory: "512",
    containerDefinitions: [{ name: "main", image: "alpine", command: ["simulate", "--seconds", "600"] }]
  })
  return taskDefinition?.taskDefinitionArn ?? ""
}).pipe(Effect.orDie)

/**
 * Keeps a record that waits for its launch, publishes the order for it and hands it out for the first time. The network
 * is inferred, unless the order has one.
 */
export const anOrder = (change: Partial<TaskdefReady> = {}, cluster = "default") =>
  Effect.gen(function* () {
    const order = aTaskdefReady({
      target: { region },
      ...(change.runTask?.networkConfiguration === undefined ? { inferNetwork: {} } : {}),
      runTask: {
        cluster,
        launchType: "FARGATE",
        taskDefinition: yield* registered,
        overrides: { containerOverrides: [] }
      },
      ...change
    })
    yield* keepRecord(aRun({ kind: "taskdef.ready", message: order }))
    return yield* published(Streams.fleet, Subjects.taskdefReady(runId, 1), Codecs.taskdefReady.encode(order))
  })

/** ARNs of all tasks that the default cluster knows, running or not. */
export const allTasks = Effect.gen(function* () {
  const { ecs } = yield* EcsModel
  const lists = yield* Effect.forEach(["RUNNING", "STOPPED"] as const, (desiredStatus) =>
    ecs.ListTasks(region, { desiredStatus })
  )
  return lists.flatMap(({ taskArns = [] }) => taskArns)
}).pipe(Effect.orDie)

/** What becomes of a RunTask call: its failure, and whether the call was carried out all the same, with which changes. */
export interface SpoiltLaunch {
  readonly failure: AwsFailure
  readonly carriedOut: boolean
  readonly group?: string
}

/** ECS whose first RunTask calls are spoilt. */
export const spoiltLaunches = (...launches: ReadonlyArray<SpoiltLaunch>) =>
  Layer.effect(
    Ecs,
    Effect.map(Ecs, (ecs) => {
      const left = [...launches]
      const runTask: typeof ecs.runTask = (target, input) =>
        Effect.suspend(() => {
          const spoilt = left.shift()
          if (spoilt === undefined) return ecs.runTask(target, input)
          const { failure, carriedOut, group } = spoilt
          const change = group === undefined ? {} : { group }
          return carriedOut
            ? Effect.andThen(ecs.runTask(target, { ...input, ...change }), Effect.fail(failure))
            : Effect.fail(failure)
        })
      return Ecs.of({ ...ecs, runTask })
    })
  )

/** ECS that keeps what RunTask is called with. */
export const recordedLaunches = (inputs: Array<RunTaskCommandInput>) =>
  Layer.effect(
    Ecs,
    Effect.map(Ecs, (ecs) => {
      const runTask: typeof ecs.runTask = (target, input) =>
        Effect.suspend(() => {
          inputs.push(input)
          return ecs.runTask(target, input)
        })
      return Ecs.of({ ...ecs, runTask })
    })
  )

/** The subnets of the default VPC. */
export const defaultSubnets = Effect.gen(function* () {
  const { ec2 } = yield* EcsModel
  const { Subnets = [] } = yield* ec2.DescribeSubnets(region, {
    Filters: [{ Name: "default-for-az", Values: ["true"] }]
  })
  return Subnets.flatMap(({ SubnetId }) => SubnetId ?? [])
}).pipe(Effect.orDie)

/** A task of attempt 1 that runs for ten minutes, and the published fact that it was started. */
export const aRunningTask = Effect.gen(function* () {
  const { ecs } = yield* EcsModel
  const { tasks = [] } = yield* ecs.RunTask(region, {
    taskDefinition: yield* registered,
    launchType: "FARGATE",
    networkConfiguration: { awsvpcConfiguration: { subnets: yield* defaultSubnets } }
  })
  const now = yield* Clock.currentTimeMillis
  const started = aTaskStarted({
    at: instantOf(now),
    target: { region },
    taskArn: tasks[0]?.taskArn ?? "",
    clusterArn: tasks[0]?.clusterArn ?? "",
    startDeadline: instantOf(now + 300_000)
  })
  yield* published(Streams.fleet, Subjects.taskStarted(runId, 1), Codecs.taskStarted.encode(started))
  return started
}).pipe(Effect.orDie)
