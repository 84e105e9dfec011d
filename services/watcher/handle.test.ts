import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aTaskStop, aTaskStopped } from "#test/support/builders.ts"
import { aRunningTask, region } from "#test/support/launches.ts"
import { again, defaultsOf, inTime, layerMemoryFleet, processPorts, published } from "#test/support/MemoryFleet.ts"
import * as messages from "#test/support/messages.ts"
import { runId } from "#test/support/messages.ts"
import { watcherConfig } from "./config.ts"
import { makeFleet } from "./Fleet.ts"
import { handleStop } from "./handle.ts"

const watcher = Effect.provide(makeFleet(defaultsOf(watcherConfig)), processPorts())
const on = (subject: string, data: string) => published(Streams.fleet, subject, data)
const stopOrder = on(Subjects.taskStop(runId, 1), Codecs.taskStop.encode(aTaskStop({ reason: "fleet:cancelled" })))

const statusOf = (taskArn: string) =>
  Effect.gen(function* () {
    const { tasks = [] } = yield* (yield* EcsModel).ecs.DescribeTasks(region, { tasks: [taskArn] })
    return { desired: tasks[0]?.desiredStatus, reason: tasks[0]?.stoppedReason }
  })

describe("handleStop", () => {
  it.effect("stops the task with the order's reason; twice is once (peers 116, 118, 120, scenario 45)", () =>
    Effect.gen(function* () {
      const fleet = yield* watcher
      const { taskArn } = yield* aRunningTask
      const order = yield* stopOrder
      assert.deepStrictEqual(yield* handleStop(fleet, order), { _tag: "Ack" })
      const after = yield* statusOf(taskArn)
      assert.deepStrictEqual(after, { desired: "STOPPED", reason: "fleet:cancelled" })
      assert.deepStrictEqual(yield* handleStop(fleet, again(order)), { _tag: "Ack" })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect(
    "out of order: before the start it waits, longer each time, and stops the task once there is one (peers 119)",
    () =>
      Effect.gen(function* () {
        const fleet = yield* watcher
        const order = yield* stopOrder
        assert.deepStrictEqual(yield* handleStop(fleet, order), { _tag: "Nak", delayMillis: 250 })
        assert.deepStrictEqual(yield* handleStop(fleet, again(order)), { _tag: "Nak", delayMillis: 500 })
        const { taskArn } = yield* aRunningTask
        assert.deepStrictEqual(yield* handleStop(fleet, again(again(order))), { _tag: "Ack" })
        assert.strictEqual((yield* statusOf(taskArn)).desired, "STOPPED")
      }).pipe(Effect.provide(layerMemoryFleet()))
  )

  const stopped = on(Subjects.taskStopped(runId, 1), Codecs.taskStopped.encode(aTaskStopped()))
  const rejected = on(Subjects.taskRejected(runId, 1), Codecs.taskRejected.encode(messages.rejected(0).message))
  it.effect.each([
    { what: "the attempt is over", fact: stopped },
    { what: "the launch was rejected", fact: rejected }
  ])("late: $what: done without asking ECS", ({ fact }) =>
    Effect.gen(function* () {
      yield* fact
      assert.deepStrictEqual(yield* handleStop(yield* watcher, yield* stopOrder), { _tag: "Ack" })
    }).pipe(Effect.provideService(Ecs, forbidden), Effect.provide(layerMemoryFleet()))
  )

  it.effect("early: ECS does not find the task within its first minute: again; later: done", () =>
    Effect.gen(function* () {
      const fleet = yield* watcher
      const { taskArn } = yield* aRunningTask
      yield* (yield* EcsModel).faults.forget(taskArn)
      const order = yield* stopOrder
      assert.deepStrictEqual(yield* handleStop(fleet, order), { _tag: "Nak", delayMillis: 1000 })
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(yield* inTime(handleStop(fleet, again(order))), { _tag: "Ack" })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("what cannot be read is dead (peers 103)", () =>
    Effect.gen(function* () {
      const order = yield* on(Subjects.taskStop(runId, 1), "{")
      assert.strictEqual((yield* handleStop(yield* watcher, order))._tag, "Dead")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

const never = () => Effect.die("ECS was asked")
const forbidden = Ecs.of({
  registerTaskDefinition: never,
  deregisterTaskDefinition: never,
  describeCluster: never,
  describeTaskDefinition: never,
  runTask: never,
  describeTasks: never,
  listTasks: never,
  stopTask: never
})
