import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import type { Delivery } from "#bus/Message.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aLease, aTaskStop, aTaskStopped } from "#test/support/builders.ts"
import { aRunningTask, region } from "#test/support/launches.ts"
import {
  again,
  defaultsOf,
  inTime,
  layerMemoryFleet,
  messagesOf,
  processPorts,
  published
} from "#test/support/MemoryFleet.ts"
import * as messages from "#test/support/messages.ts"
import { runId } from "#test/support/messages.ts"
import { watcherConfig } from "./config.ts"
import { makeFleet } from "./Fleet.ts"
import { handleStop, noteOrder, own } from "./handle.ts"
import { leaseKey, noTasks, sweep } from "./sweep.ts"

const watcher = Effect.provide(makeFleet(defaultsOf(watcherConfig)), processPorts())
const on = (subject: string, data: string) => published(Streams.fleet, subject, data)
const stopOrder = on(Subjects.taskStop(runId, 1), Codecs.taskStop.encode(aTaskStop({ reason: "fleet:cancelled" })))

const rejected = on(Subjects.taskRejected(runId, 1), Codecs.taskRejected.encode(messages.rejected(0).message))

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

describe("a task that nobody waits for", () => {
  const reason = "fleet:cancelled: superseded"
  const order = on(Subjects.taskStop(runId, 1), Codecs.taskStop.encode(aTaskStop({ reason })))

  it.effect("out of order: an order after both the rejection and the start stops the task", () =>
    Effect.gen(function* () {
      yield* rejected
      const { taskArn } = yield* aRunningTask
      assert.deepStrictEqual(yield* handleStop(yield* watcher, yield* order), { _tag: "Ack" })
      assert.deepStrictEqual(yield* statusOf(taskArn), { desired: "STOPPED", reason })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect(
    "late: a task that starts when its order is done with is stopped by whoever takes it over (peers 119)",
    () =>
      Effect.gen(function* () {
        const fleet = yield* watcher
        yield* rejected
        assert.deepStrictEqual(yield* handleStop(fleet, yield* order), { _tag: "Ack" })
        const started = yield* aRunningTask
        const owned = noTasks()
        yield* own(fleet, owned, yield* startOf(started), aLease().lease)
        yield* sweep(fleet, owned)
        assert.deepStrictEqual(yield* statusOf(started.taskArn), { desired: "STOPPED", reason })
      }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

const startOf = (started: TaskStarted) => on(Subjects.taskStarted(runId, 1), Codecs.taskStarted.encode(started))

describe("own", () => {
  it.effect("what cannot be read is dead; what cannot be looked up goes to another replica", () =>
    Effect.gen(function* () {
      const fleet = yield* Effect.provide(makeFleet(defaultsOf(watcherConfig)), processPorts(0))
      const owned = noTasks()
      const [unreadable, unknown] = [aLease(), aLease()]
      yield* own(fleet, owned, yield* on(Subjects.taskStarted(runId, 1), "{"), unreadable.lease)
      yield* inTime(own(fleet, owned, yield* startOf(yield* aRunningTask), unknown.lease))
      assert.deepStrictEqual([unreadable.ended(), unknown.ended()], ["dead", "nak 1000"])
      assert.strictEqual(owned.tasks.size, 0)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("crash: what the owner before told is not told again (scenario 88)", () =>
    Effect.gen(function* () {
      const fleet = yield* watcher
      const delivery = yield* startOf(yield* aRunningTask)
      const lookAs = (one: Delivery) =>
        Effect.gen(function* () {
          const owned = noTasks()
          yield* own(fleet, owned, one, aLease().lease)
          yield* sweep(fleet, owned)
          const facts = yield* messagesOf(Streams.fleet, Subjects.taskChanged(runId, 1), Codecs.taskChanged)
          return facts.map(({ lastStatus }) => lastStatus)
        })
      assert.deepStrictEqual(yield* lookAs(delivery), ["RUNNING"])
      assert.deepStrictEqual(yield* lookAs(again(delivery)), ["RUNNING"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("noteOrder", () => {
  it.effect("an order for a task that is ours: it is asked about at once; for another's: nothing", () =>
    Effect.gen(function* () {
      const fleet = yield* watcher
      const started = yield* aRunningTask
      const owned = noTasks()
      yield* own(fleet, owned, yield* startOf(started), aLease().lease)
      yield* sweep(fleet, owned)
      const each = owned.tasks.get(leaseKey(started))
      assert.isAbove(each?.nextLookAt ?? 0, 0)
      yield* noteOrder(owned, yield* stopOrder)
      assert.deepInclude(each, { nextLookAt: 0 })
      assert.deepStrictEqual(each?.watched.stop, { reason: "fleet:cancelled", sentAt: 0 })
      yield* noteOrder(owned, yield* on(Subjects.taskStop(runId, 2), Codecs.taskStop.encode(aTaskStop({ attempt: 2 }))))
      assert.strictEqual(owned.tasks.size, 1)
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
  listRunning: never,
  stopTask: never
})
