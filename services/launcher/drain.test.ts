import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Buckets } from "#bus/Bucket.ts"
import { begun, ended } from "#ecs-core/Drain.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { changeDrain, DRAIN_KEY } from "#process/Drain.ts"
import { aLauncher, allTasks, anOrder, markers, rejections, startedFacts, untilDone } from "#test/support/launches.ts"
import { again, crashEverywhere, inTime, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import type { Fleet } from "./Fleet.ts"
import { handleOrder } from "./handle.ts"

/** Launchers of a fleet that drains. */

const meta = Effect.flatMap(Buckets, (buckets) => buckets.open(BucketNames.meta))

const now = Effect.map(Clock.currentTimeMillis, instantOf)

const drain = Effect.gen(function* () {
  const at = yield* now
  yield* changeDrain(yield* meta, (known) => begun(known, at, "patches"))
})

const endDrain = Effect.gen(function* () {
  const at = yield* now
  yield* changeDrain(yield* meta, (known) => ended(known, at))
})

/** The order is handed back, and comes again soon enough for a cancel. */
const assertHandedBack = Effect.fnUntraced(function* (fleet: Fleet, order: Parameters<typeof handleOrder>[1]) {
  const verdict = yield* inTime(handleOrder(fleet, order))
  assert(verdict._tag === "Nak")
  assert.isAtMost(verdict.delayMillis, 30_000)
})

describe("a launcher of a fleet that drains", () => {
  it.effect(
    "twice, and after the launch deadline: launches nothing, rejects nothing; after the drain it launches once",
    () =>
      Effect.gen(function* () {
        const order = yield* anOrder()
        yield* drain
        yield* assertHandedBack(yield* aLauncher(), order)
        yield* TestClock.adjust("2 days")
        yield* assertHandedBack(yield* aLauncher(), again(order))
        assert.deepStrictEqual([yield* allTasks, yield* markers, yield* rejections], [[], [], []])
        yield* endDrain
        assert.deepStrictEqual(yield* untilDone(yield* aLauncher(), again(again(order))), { _tag: "Ack" })
        assert.deepStrictEqual(yield* untilDone(yield* aLauncher(), again(order)), { _tag: "Ack" })
        assert.deepStrictEqual([(yield* allTasks).length, (yield* startedFacts).length], [1, 1])
      }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: a drain that begins while the order waits for its turn is seen before RunTask", () =>
    Effect.gen(function* () {
      const [order, fleet] = [yield* anOrder(), yield* aLauncher()]
      const begins = Effect.provideContext(Effect.orDie(drain), yield* Effect.context<Buckets>())
      const describe: Fleet["network"]["describe"] = (...asked) =>
        Effect.andThen(begins, fleet.network.describe(...asked))
      const drainingMeanwhile: Fleet = { ...fleet, network: { ...fleet.network, describe } }
      yield* assertHandedBack(drainingMeanwhile, order)
      assert.deepStrictEqual([yield* allTasks, yield* markers], [[], []])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("a launch that is under way when the drain begins is finished and told", () =>
    Effect.gen(function* () {
      const [order, fleet] = [yield* anOrder(), yield* aLauncher()]
      const [called, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const runTask: Fleet["ecs"]["runTask"] = (...input) =>
        Deferred.succeed(called, undefined).pipe(
          Effect.andThen(Deferred.await(go)),
          Effect.andThen(fleet.ecs.runTask(...input))
        )
      const handling = yield* Effect.forkChild(handleOrder({ ...fleet, ecs: { ...fleet.ecs, runTask } }, order))
      yield* Deferred.await(called)
      yield* drain
      yield* Deferred.succeed(go, undefined)
      assert.deepStrictEqual(yield* inTime(Fiber.join(handling)), { _tag: "Ack" })
      assert.deepStrictEqual([(yield* allTasks).length, (yield* startedFacts).length], [1, 1])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect(
    "crash between any two requests, then the drain: no RunTask, what was launched is told, and one task in the end",
    () =>
      Effect.gen(function* () {
        const places = yield* crashEverywhere((requestsMax) =>
          Effect.gen(function* () {
            const order = yield* anOrder()
            const first = yield* Effect.exit(
              inTime(Effect.flatMap(aLauncher(requestsMax), (fleet) => handleOrder(fleet, order)))
            )
            const launched = yield* allTasks
            yield* drain
            const next = yield* aLauncher()
            const verdict = yield* inTime(handleOrder(next, again(order)))
            assert.deepStrictEqual(yield* allTasks, launched)
            assert.strictEqual((yield* startedFacts).length, launched.length)
            assert.strictEqual(verdict._tag, launched.length === 0 ? "Nak" : "Ack")
            yield* endDrain
            yield* untilDone(next, again(again(order)))
            assert.deepStrictEqual([(yield* allTasks).length, (yield* startedFacts).length], [1, 1])
            return first._tag === "Success" && first.value._tag === "Ack"
          })
        )
        assert.isAbove(places, 5)
      })
  )

  it.effect("a drain that cannot be read: nothing is launched until it is written anew", () =>
    Effect.gen(function* () {
      const [order, fleet] = [yield* anOrder(), yield* aLauncher()]
      yield* (yield* meta).put(DRAIN_KEY, "yes")
      const failure = yield* Effect.flip(handleOrder(fleet, order))
      assert.include(failure.message, "fleet drain --end")
      assert.deepStrictEqual(yield* allTasks, [])
      yield* endDrain
      assert.deepStrictEqual(yield* untilDone(fleet, again(order)), { _tag: "Ack" })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
