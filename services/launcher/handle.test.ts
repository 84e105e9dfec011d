import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import type { Delivery } from "#bus/Message.ts"
import type { Verdict } from "#bus/Verdict.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { FleetId } from "#ecs-core/Ids.ts"
import { Codecs, type TaskdefReady } from "#ecs-core/Messages.ts"
import { clientToken, startedBy } from "#ecs-core/RunTaskInput.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { anAwsFailure, aRun, aTaskdefReady } from "#test/support/builders.ts"
import {
  again,
  crashEverywhere,
  inTime,
  keepRecord,
  layerMemoryFleet,
  messagesOf,
  processPorts,
  published
} from "#test/support/MemoryFleet.ts"
import * as messages from "#test/support/messages.ts"
import { runId } from "#test/support/messages.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { handleOrder } from "./handle.ts"

const fleetId = FleetId.make("0f1ee7aa")
const region = "us-east-1"
const launcher = (requestsMax?: number) => Effect.provide(makeFleet(fleetId), processPorts(requestsMax))

/** Registers the definition, keeps a record that waits for its launch, and publishes the order for it. */
const anOrder = (change: Partial<TaskdefReady> = {}, cluster = "default") =>
  Effect.gen(function* () {
    const { taskDefinition } = yield* (yield* EcsModel).ecs.RegisterTaskDefinition(region, {
      family: "fleet_default",
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      cpu: "256",
      memory: "512",
      containerDefinitions: [{ name: "main", image: "alpine", command: ["simulate", "--seconds", "600"] }]
    })
    const order = aTaskdefReady({
      target: { region },
      inferNetwork: {},
      runTask: {
        cluster,
        launchType: "FARGATE",
        taskDefinition: taskDefinition?.taskDefinitionArn ?? "",
        overrides: { containerOverrides: [] }
      },
      ...change
    })
    yield* keepRecord(aRun({ kind: "taskdef.ready", message: order }))
    return yield* published(Streams.fleet, Subjects.taskdefReady(runId, 1), Codecs.taskdefReady.encode(order))
  })

const startedFacts = messagesOf(Streams.fleet, Filters.taskStarted, Codecs.taskStarted)
const rejections = messagesOf(Streams.fleet, Subjects.taskRejected(runId, 1), Codecs.taskRejected)
const deferrals = messagesOf(Streams.fleet, Subjects.taskDeferred(runId, 1), Codecs.taskDeferred)

const tasks = Effect.gen(function* () {
  const { ecs } = yield* EcsModel
  const lists = yield* Effect.forEach(["RUNNING", "STOPPED"] as const, (desiredStatus) =>
    ecs.ListTasks(region, { desiredStatus })
  )
  return lists.flatMap(({ taskArns = [] }) => taskArns)
})

/** ECS whose first RunTask calls are answered with these failures, after they were carried out as `change` makes them. */
const lostAnswers = (failures: ReadonlyArray<AwsFailure>, change: { readonly group?: string } = {}) =>
  Layer.effect(
    Ecs,
    Effect.map(Ecs, (ecs) => {
      const left = [...failures]
      const runTask: typeof ecs.runTask = (target, input) =>
        Effect.suspend(() => {
          const failure = left.shift()
          if (failure === undefined) return ecs.runTask(target, input)
          return Effect.andThen(ecs.runTask(target, { ...input, ...change }), Effect.fail(failure))
        })
      return Ecs.of({ ...ecs, runTask })
    })
  )

/** Hands the order out until it is acked or dead, each time after the delay that was asked for. */
const untilDone = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict> =>
  Effect.gen(function* () {
    const verdict = yield* Effect.orDie(inTime(handleOrder(fleet, delivery)))
    if (verdict._tag !== "Nak") return verdict
    yield* TestClock.adjust(verdict.delayMillis)
    return yield* untilDone(fleet, again(delivery))
  })

describe("handleOrder", () => {
  it.effect("launches the task with its network and tells of it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* handleOrder(yield* launcher(), yield* anOrder()), { _tag: "Ack" })
      const [taskArn] = yield* tasks
      assert.deepInclude((yield* startedFacts)[0], { runId, attempt: 1, try: 1, taskArn })
      const { ecs } = yield* EcsModel
      const owned = yield* ecs.ListTasks(region, { startedBy: startedBy(fleetId, runId, 1) })
      assert.deepStrictEqual(owned.taskArns, [taskArn])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("twice, and a third time when the record knows: one task, told once", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* launcher(), yield* launcher()]
      const order = yield* anOrder()
      for (const fleet of [one, other]) {
        assert.deepStrictEqual(yield* handleOrder(fleet, again(order)), { _tag: "Ack" })
      }
      const [message] = yield* startedFacts
      assert(message !== undefined)
      yield* keepRecord(aRun(messages.ready(0), { kind: "task.started", message }))
      assert.deepStrictEqual(yield* handleOrder(one, again(order)), { _tag: "Ack" })
      assert.strictEqual((yield* tasks).length, 1)
      assert.strictEqual((yield* startedFacts).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("crash between any two lines, then a redelivery: one task, told once", () =>
    Effect.gen(function* () {
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const order = yield* anOrder()
          const dying = Effect.flatMap(launcher(requestsMax), (fleet) => handleOrder(fleet, order))
          const result = yield* inTime(Effect.result(dying))
          assert.deepStrictEqual(yield* untilDone(yield* launcher(), again(order)), { _tag: "Ack" })
          const all = yield* tasks
          assert.deepStrictEqual(
            (yield* startedFacts).map(({ taskArn }) => taskArn),
            all
          )
          assert.strictEqual(all.length, 1)
          return result._tag === "Success"
        })
      )
      assert.isAbove(places, 2)
    })
  )

  it.effect("crash of an answer: RunTask has launched and failed to say so; the same task is told", () =>
    Effect.gen(function* () {
      const order = yield* anOrder()
      const fleet = yield* launcher()
      assert.deepStrictEqual(yield* handleOrder(fleet, order), { _tag: "Nak", delayMillis: 1000 })
      assert.deepStrictEqual(yield* handleOrder(fleet, again(order)), { _tag: "Ack" })
      assert.deepStrictEqual(
        (yield* startedFacts).map(({ taskArn }) => taskArn),
        yield* tasks
      )
      assert.strictEqual((yield* tasks).length, 1)
    }).pipe(Effect.provide(lostAnswers([anAwsFailure("transient")])), Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: an order too old to trust its token is answered by looking, never by a second launch", () =>
    Effect.gen(function* () {
      const order = yield* anOrder()
      const fleet = yield* launcher()
      yield* TestClock.adjust("46 minutes")
      assert.deepStrictEqual(yield* handleOrder(fleet, again(order)), { _tag: "Ack" })
      assert.deepStrictEqual(yield* tasks, [])
      assert.deepInclude((yield* rejections)[0], { outcome: "crashed" })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("out of order: without a record it waits for one", () =>
    Effect.gen(function* () {
      const order = aTaskdefReady()
      const data = Codecs.taskdefReady.encode({ ...order, runId: messages.requested(0).message.runId })
      const delivery = yield* published(Streams.fleet, Subjects.taskdefReady("unknown", 1), data)
      assert.deepStrictEqual(yield* handleOrder(yield* launcher(), delivery), { _tag: "Nak", delayMillis: 1000 })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("an order that cannot be read ends its attempt and is kept among the dead", () =>
    Effect.gen(function* () {
      const order = yield* published(Streams.fleet, Subjects.taskdefReady(runId, 1), "{")
      assert.strictEqual((yield* handleOrder(yield* launcher(), order))._tag, "Dead")
      assert.deepInclude((yield* rejections)[0], { runId, attempt: 1, outcome: "crashed" })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
