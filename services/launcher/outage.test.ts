import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { behindGate } from "#test/support/behindGate.ts"
import { anAwsFailure, aRun } from "#test/support/builders.ts"
import {
  aLauncher,
  allTasks,
  anOrder,
  deferrals,
  region,
  rejections,
  startedFacts,
  untilDone
} from "#test/support/launches.ts"
import { again, inTime, keepRecord, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import * as messages from "#test/support/messages.ts"
import { NAK_SECONDS_MAX } from "./decide.ts"
import { handleOrder } from "./handle.ts"

/** Whether AWS takes our credentials, and what it was asked. */
const outage = () => {
  const state = { isOut: true, asked: Array<string>() }
  const during = <A>(action: string, call: Effect.Effect<A, ReturnType<typeof anAwsFailure>>) =>
    Effect.suspend(() => {
      state.asked.push(action)
      return state.isOut ? Effect.fail(anAwsFailure("credentials", { action })) : call
    })
  const layer = Layer.effect(
    Ecs,
    Effect.map(Ecs, (ecs) =>
      Ecs.of({
        ...ecs,
        describeCluster: (...args) => during("DescribeClusters", ecs.describeCluster(...args)),
        runTask: (...args) => during("RunTask", ecs.runTask(...args)),
        listTasks: (...args) => during("ListTasks", ecs.listTasks(...args))
      })
    )
  )
  return { state, layer: Layer.provideMerge(behindGate(layer), layerMemoryFleet()) }
}

/** Hands the order out for so many minutes, each time after the delay that was asked for; then once more. */
const handOutFor = Effect.fnUntraced(function* (
  fleet: Parameters<typeof handleOrder>[0],
  order: Parameters<typeof handleOrder>[1],
  minutes: number
) {
  let [delivery, waited] = [order, 0]
  while (waited < minutes * 60_000) {
    const verdict = yield* inTime(Effect.result(handleOrder(fleet, delivery)))
    const delayMillis =
      verdict._tag === "Success" && verdict.success._tag === "Nak" ? verdict.success.delayMillis : 30_000
    assert.isAtMost(delayMillis, NAK_SECONDS_MAX * 1000)
    yield* TestClock.adjust(delayMillis)
    waited += delayMillis
    delivery = again(delivery)
  }
  return delivery
})

describe("credentials that are refused for hours", () => {
  it.effect(
    "keep the run waiting beyond its deadline, and it is launched once when they work: its outcome was never unknown (peers 83, scenario 71)",
    () => {
      const { state, layer } = outage()
      return Effect.gen(function* () {
        const fleet = yield* aLauncher()
        const launchDeadline = instantOf(60_000)
        const delivery = yield* handOutFor(fleet, yield* anOrder({ launchDeadline }), 90)
        const told = (yield* deferrals).map(({ problem, try: tryNumber }) => [problem.message, tryNumber])
        assert.deepStrictEqual(told, [["RunTask said no.", 1]])
        assert.deepStrictEqual([state.asked.filter((action) => action === "RunTask").length], [1])
        const probes = state.asked.filter((action) => action === "DescribeClusters").length
        assert.isAtMost(probes, 6 + (yield* Clock.currentTimeMillis) / 30_000)
        state.isOut = false
        assert.deepStrictEqual(yield* untilDone(fleet, delivery), { _tag: "Ack" })
        assert.strictEqual((yield* allTasks).length, 1)
        assert.deepStrictEqual([(yield* startedFacts).length, (yield* rejections).length], [1, 0])
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("of an order that comes when its time is over already: it gets its try all the same", () => {
    const { state, layer } = outage()
    return Effect.gen(function* () {
      const fleet = yield* aLauncher()
      yield* inTime(Effect.ignore(fleet.ecs.listTasks({ region }, "default", "any")))
      const order = yield* anOrder({ at: instantOf(0), launchDeadline: instantOf(20_000) })
      yield* TestClock.adjust("1 minute")
      const delivery = yield* handOutFor(fleet, order, 5)
      assert.deepStrictEqual(yield* rejections, [])
      state.isOut = false
      assert.deepStrictEqual(yield* untilDone(fleet, delivery), { _tag: "Ack" })
      assert.deepStrictEqual([(yield* startedFacts).length, (yield* rejections).length], [1, 0])
    }).pipe(Effect.provide(layer))
  })

  it.effect("after a lost answer: nothing is judged while ECS cannot be asked, then the task is found", () => {
    const { state, layer } = outage()
    return Effect.gen(function* () {
      const order = yield* anOrder()
      const fleet = yield* aLauncher()
      state.isOut = false
      const lost: typeof fleet.ecs.runTask = (...args) =>
        Effect.andThen(fleet.ecs.runTask(...args), Effect.fail(anAwsFailure("transient")))
      yield* handleOrder({ ...fleet, ecs: { ...fleet.ecs, runTask: lost } }, order)
      state.isOut = true
      const delivery = yield* handOutFor(fleet, again(order), 90)
      assert.deepStrictEqual(yield* rejections, [])
      state.isOut = false
      const calls = state.asked.filter((action) => action === "RunTask").length
      assert.deepStrictEqual(yield* untilDone(fleet, delivery), { _tag: "Ack" })
      assert.strictEqual(state.asked.filter((action) => action === "RunTask").length, calls)
      assert.deepStrictEqual(
        (yield* startedFacts).map(({ taskArn }) => taskArn),
        yield* allTasks
      )
    }).pipe(Effect.provide(layer))
  })
})

describe("a cancel of a launch that waits", () => {
  it.effect("is answered when the order comes again, within 30 s, without asking ECS (peers 119)", () => {
    const { state, layer } = outage()
    return Effect.gen(function* () {
      const fleet = yield* aLauncher()
      const delivery = yield* handOutFor(fleet, yield* anOrder(), 10)
      const asked = state.asked.length
      yield* keepRecord(aRun(messages.ready(0), messages.cancel(1)))
      assert.deepStrictEqual(yield* handleOrder(fleet, delivery), { _tag: "Ack" })
      assert.deepInclude((yield* rejections)[0], { outcome: "cancelled" })
      assert.strictEqual(state.asked.length, asked)
    }).pipe(Effect.provide(layer))
  })
})

describe("nats-server 2.9, which may call a redelivered order new", () => {
  const lostOnce = Effect.gen(function* () {
    const order = yield* anOrder()
    const dead = yield* aLauncher()
    const called = yield* Deferred.make<void>()
    const lost: typeof dead.ecs.runTask = (...args) =>
      Effect.andThen(dead.ecs.runTask(...args), Effect.andThen(Deferred.succeed(called, undefined), Effect.never))
    const handling = yield* Effect.forkChild(handleOrder({ ...dead, ecs: { ...dead.ecs, runTask: lost } }, order))
    yield* Deferred.await(called)
    yield* TestClock.adjust("1 minute")
    return { order, handling }
  })

  it.effect("crash: the stored call is noticed, and replayed", () =>
    Effect.gen(function* () {
      const { order } = yield* lostOnce
      const fleet = yield* aLauncher()
      assert.deepStrictEqual(yield* handleOrder(fleet, order), { _tag: "Nak", delayMillis: 1000 })
      assert.deepStrictEqual(yield* untilDone(fleet, again(order)), { _tag: "Ack" })
      assert.deepStrictEqual([(yield* allTasks).length, (yield* startedFacts).length], [1, 1])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("crash, then a cancel: the task is looked for before the attempt is given up", () =>
    Effect.gen(function* () {
      const { order } = yield* lostOnce
      yield* keepRecord(aRun(messages.ready(0), messages.cancel(1)))
      assert.deepStrictEqual(yield* handleOrder(yield* aLauncher(), order), { _tag: "Ack" })
      assert.deepStrictEqual([(yield* startedFacts).length, (yield* rejections).length], [1, 0])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
