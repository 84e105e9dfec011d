import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { anAwsFailure, aRun } from "#test/support/builders.ts"
import {
  aLauncher,
  allTasks,
  anOrder,
  deferrals,
  markers,
  region,
  rejections,
  startedFacts,
  untilDone
} from "#test/support/launches.ts"
import { again, inTime, keepRecord, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import * as messages from "#test/support/messages.ts"
import type { Fleet } from "./Fleet.ts"
import { handleOrder } from "./handle.ts"

/** Launchers that stand still for five minutes, each at another place, while others go on. */

type Thaw = Deferred.Deferred<void>
const aThaw = () => Deferred.makeUnsafe<void>()

const atMarker = (fleet: Fleet, thaw: Thaw): Fleet => ({
  ...fleet,
  publisher: {
    ...fleet.publisher,
    append: (...args) => Effect.andThen(Deferred.await(thaw), fleet.publisher.append(...args))
  }
})

const behindMarker = (fleet: Fleet, thaw: Thaw): Fleet => ({
  ...fleet,
  publisher: {
    ...fleet.publisher,
    append: (...args) => Effect.tap(fleet.publisher.append(...args), () => Deferred.await(thaw))
  }
})

const atRunTask = (fleet: Fleet, thaw: Thaw): Fleet => ({
  ...fleet,
  ecs: { ...fleet.ecs, runTask: (...args) => Effect.andThen(Deferred.await(thaw), fleet.ecs.runTask(...args)) }
})

/** ECS keeps nothing of a call that it refused: the same token later is a new one to it. */
const forgotten = (fleet: Fleet): Fleet => ({
  ...fleet,
  ecs: { ...fleet.ecs, runTask: (target, input) => fleet.ecs.runTask(target, { ...input, clientToken: "forgotten" }) }
})

/** Begins to handle the order; a second later, when this returns, it stands still. */
const frozen = (fleet: Fleet, order: Parameters<typeof handleOrder>[1]) =>
  Effect.gen(function* () {
    const handling = yield* Effect.forkChild(handleOrder(fleet, order), { startImmediately: true })
    yield* Effect.repeat(TestClock.adjust("100 millis"), { times: 9 })
    return handling
  })

/** Five minutes later it goes on. */
const thaws = <A, E>(handling: Fiber.Fiber<A, E>, thaw: Thaw) =>
  Effect.gen(function* () {
    yield* TestClock.adjust("5 minutes")
    yield* Deferred.succeed(thaw, undefined)
    return yield* inTime(Fiber.join(handling))
  })

const runningTasks = Effect.gen(function* () {
  const { ecs } = yield* EcsModel
  return (yield* ecs.ListTasks(region, { desiredStatus: "RUNNING" })).taskArns ?? []
}).pipe(Effect.orDie)

const noCapacity = { reason: "Capacity is unavailable at this time. Please try again later." }

describe("a launcher that was frozen", () => {
  it.effect("before it told of its call: it is refused, and calls nothing", () =>
    Effect.gen(function* () {
      const [order, thaw] = [yield* anOrder(), aThaw()]
      const handling = yield* frozen(atMarker(yield* aLauncher(), thaw), order)
      assert.deepStrictEqual(yield* untilDone(yield* aLauncher(), again(order)), { _tag: "Ack" })
      assert.deepStrictEqual(yield* thaws(handling, thaw), { _tag: "Nak", delayMillis: 1000 })
      assert.deepStrictEqual([(yield* allTasks).length, (yield* markers).length], [1, 1])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("behind that: what it read is too old to call RunTask on", () =>
    Effect.gen(function* () {
      const [order, thaw] = [yield* anOrder(), aThaw()]
      const handling = yield* frozen(behindMarker(yield* aLauncher(), thaw), order)
      assert.deepStrictEqual(yield* thaws(handling, thaw), { _tag: "Nak", delayMillis: 0 })
      assert.deepStrictEqual(yield* allTasks, [])
      assert.deepStrictEqual(yield* untilDone(yield* aLauncher(), again(order)), { _tag: "Ack" })
      assert.strictEqual((yield* startedFacts)[0]?.try, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("in RunTask, while the run was cancelled: its task is told, so that it can be stopped", () =>
    Effect.gen(function* () {
      const [order, thaw] = [yield* anOrder(), aThaw()]
      const handling = yield* frozen(atRunTask(yield* aLauncher(), thaw), order)
      yield* keepRecord(aRun(messages.ready(0), messages.cancel(1)))
      yield* untilDone(yield* aLauncher(), again(order))
      assert.deepInclude((yield* rejections)[0], { outcome: "cancelled" })
      assert.deepStrictEqual(yield* thaws(handling, thaw), { _tag: "Ack" })
      assert.deepStrictEqual(
        (yield* startedFacts).map(({ taskArn }) => taskArn),
        yield* runningTasks
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("in RunTask, while another launched with a newer token: it stops its own task", () =>
    Effect.gen(function* () {
      const [order, thaw] = [yield* anOrder(), aThaw()]
      const handling = yield* frozen(forgotten(atRunTask(yield* aLauncher(), thaw)), order)
      yield* Effect.flatMap(EcsModel, ({ faults }) => faults.failLaunches(noCapacity, 1))
      yield* untilDone(yield* aLauncher(), again(order))
      assert.deepStrictEqual(
        (yield* deferrals).map((deferral) => deferral.try),
        [1]
      )
      assert.deepStrictEqual(yield* thaws(handling, thaw), { _tag: "Ack" })
      assert.strictEqual((yield* allTasks).length, 2)
      const told = yield* startedFacts
      assert.deepStrictEqual(
        told.map(({ try: number }) => number),
        [2]
      )
      assert.deepStrictEqual(
        told.map(({ taskArn }) => taskArn),
        yield* runningTasks
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("in RunTask, and its refusal comes late: the call of another stays uncertain, and is replayed", () =>
    Effect.gen(function* () {
      const [order, thaw] = [yield* anOrder(), aThaw()]
      const one = yield* aLauncher()
      const refusal = Effect.andThen(Deferred.await(thaw), Effect.fail(anAwsFailure("credentials")))
      const handling = yield* frozen({ ...one, ecs: { ...one.ecs, runTask: () => refusal } }, order)
      const other = yield* aLauncher()
      const lost: Fleet["ecs"]["runTask"] = (...args) =>
        Effect.andThen(other.ecs.runTask(...args), Effect.fail(anAwsFailure("transient")))
      yield* handleOrder({ ...other, ecs: { ...other.ecs, runTask: lost } }, again(order))
      yield* thaws(handling, thaw)
      assert.strictEqual((yield* deferrals).at(-1)?.try, 1)
      assert.deepStrictEqual(yield* untilDone(other, again(order)), { _tag: "Ack" })
      assert.deepStrictEqual(
        (yield* startedFacts).map(({ taskArn }) => taskArn),
        yield* allTasks
      )
      assert.strictEqual((yield* allTasks).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
