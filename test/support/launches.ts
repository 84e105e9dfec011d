import type { RunTaskCommandInput } from "@aws-sdk/client-ecs"
import { Clock, Effect, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import type { Delivery } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { FleetId, RunId } from "#ecs-core/Ids.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { Codecs, type TaskdefReady } from "#ecs-core/Messages.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { type Fleet, makeFleet } from "#services/launcher/Fleet.ts"
import { handleOrder } from "#services/launcher/handle.ts"
import { aRun, aTaskdefReady, aTaskStarted } from "./builders.ts"
import { again, inTime, keepRecord, messagesOf, processPorts, published } from "./MemoryFleet.ts"
import { requested, runId } from "./messages.ts"

/** Launches of a task in the memory's AWS, as a dispatcher orders them. */

export const region = "us-east-1"

export const fleetId = FleetId.make("0f1ee7aa")

/** A launcher of its own; it dies after so many requests to the bus. */
export const aLauncher = (requestsMax?: number) => Effect.provide(makeFleet(fleetId), processPorts(requestsMax))

/** Hands the order out until it is acked or dead, each time after the delay that was asked for, or a second. */
export const untilDone = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict> =>
  Effect.gen(function* () {
    const result = yield* inTime(Effect.result(handleOrder(fleet, delivery)))
    const verdict = Result.getOrElse(result, () => Verdict.nak(1000))
    if (verdict._tag !== "Nak") return verdict
    yield* TestClock.adjust(verdict.delayMillis)
    return yield* untilDone(fleet, again(delivery))
  })

export const startedFacts = messagesOf(Streams.fleet, Filters.taskStarted, Codecs.taskStarted)
export const markers = messagesOf(Streams.fleet, Subjects.taskLaunching(runId, 1), Codecs.taskLaunching)
export const rejections = messagesOf(Streams.fleet, Subjects.taskRejected(runId, 1), Codecs.taskRejected)
export const deferrals = messagesOf(Streams.fleet, Subjects.taskDeferred(runId, 1), Codecs.taskDeferred)

/** Registers a definition whose program runs for so long; its ARN. */
const registered = Effect.fnUntraced(function* (seconds: number, inRegion = region) {
  const { taskDefinition } = yield* (yield* EcsModel).ecs.RegisterTaskDefinition(inRegion, {
    family: "fleet_default",
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: "256",
    memory: "512",
    containerDefinitions: [{ name: "main", image: "alpine", command: ["simulate", "--seconds", String(seconds)] }]
  })
  return taskDefinition?.taskDefinitionArn ?? ""
}, Effect.orDie)

/**
 * Keeps a record that waits for its launch, publishes the order for it and hands it out for the first time. The network
 * is inferred, unless the order has one. The program runs for a day.
 */
export const anOrder = (change: Partial<TaskdefReady> = {}, cluster = "default") =>
  Effect.gen(function* () {
    const order = aTaskdefReady({
      target: { region },
      ...(change.runTask?.networkConfiguration === undefined ? { inferNetwork: {} } : {}),
      runTask: {
        cluster,
        launchType: "FARGATE",
        taskDefinition: yield* registered(86_400),
        overrides: { containerOverrides: [] }
      },
      ...change
    })
    yield* keepRecord(aRun({ kind: "taskdef.ready", message: order }))
    return yield* published(Streams.fleet, Subjects.taskdefReady(runId, 1), Codecs.taskdefReady.encode(order))
  })

/** Keeps a record and publishes the order for each of many runs, `<prefix>0` first. */
export const publishOrders = (prefix: string, count: number, inRegion = region) =>
  Effect.gen(function* () {
    const taskDefinition = yield* registered(86_400, inRegion)
    for (let number = 0; number < count; number++) {
      const order = aTaskdefReady({
        runId: RunId.make(`${prefix}${number}`),
        target: { region: inRegion },
        inferNetwork: {},
        runTask: { cluster: "default", launchType: "FARGATE", taskDefinition, overrides: { containerOverrides: [] } }
      })
      const request = requested(0, { runId: order.runId })
      yield* keepRecord(aRun(request, { kind: "taskdef.ready", message: order }))
      yield* published(Streams.fleet, Subjects.taskdefReady(order.runId, 1), Codecs.taskdefReady.encode(order))
    }
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

/** A task of attempt 1 that runs for ten minutes, as `startedBy` says; the fact that it was started is not published. */
export const aLaunchedTask = (startedBy?: string) =>
  Effect.gen(function* () {
    const { ecs } = yield* EcsModel
    const { tasks = [] } = yield* ecs.RunTask(region, {
      taskDefinition: yield* registered(600),
      launchType: "FARGATE",
      networkConfiguration: { awsvpcConfiguration: { subnets: yield* defaultSubnets } },
      ...(startedBy === undefined ? {} : { startedBy })
    })
    const now = yield* Clock.currentTimeMillis
    return aTaskStarted({
      at: instantOf(now),
      target: { region },
      taskArn: tasks[0]?.taskArn ?? "",
      clusterArn: tasks[0]?.clusterArn ?? "",
      startDeadline: instantOf(now + 300_000)
    })
  }).pipe(Effect.orDie)

/** The same, its start published. */
export const aRunningTask = Effect.gen(function* () {
  const started = yield* aLaunchedTask()
  yield* published(Streams.fleet, Subjects.taskStarted(runId, 1), Codecs.taskStarted.encode(started))
  return started
})
