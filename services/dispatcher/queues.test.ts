import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Buckets } from "#bus/Bucket.ts"
import { MemoryServer } from "#bus/MemoryServer.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { type Pool, PoolCodec, PoolPauseCodec } from "#ecs-core/Pool.ts"
import { BucketNames, Filters, pauseKey, poolDurable, Streams, Subjects } from "#ecs-core/Subjects.ts"
import {
  defaultsOf,
  layerMemoryFleet,
  messagesOf,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import { at, cancel, changed, started, stopped } from "#test/support/messages.ts"
import { type DispatcherSettings, dispatcherConfig } from "./config.ts"
import { layer } from "./handle.ts"
import { QUEUE_IDLE_SECONDS } from "./queues.ts"

/** Whole dispatchers on one bus in memory: who is admitted, in which order, and when the next one is. */

const POOL = "narrow"

/** A dispatcher until the scope ends. */
const aDispatcher = (change: Partial<DispatcherSettings> = {}) =>
  Effect.forkScoped(
    Layer.launch(layer({ ...defaultsOf(dispatcherConfig), ...change }).pipe(Layer.provide(processPorts())))
  )

const pools = Effect.flatMap(Buckets, (buckets) => buckets.open(BucketNames.pools))
const give = (pool: Pool, name = POOL) => Effect.flatMap(pools, (bucket) => bucket.put(name, PoolCodec.encode(pool)))
const pause = Effect.flatMap(pools, (bucket) => bucket.put(pauseKey(POOL), PoolPauseCodec.encode({ at: at(0) })))
const resume = Effect.flatMap(pools, (bucket) => bucket.delete(pauseKey(POOL)))

const request = (runId: string, body: object = {}) =>
  published(Streams.inbox, Subjects.runRequested(runId), JSON.stringify({ image: "alpine", pool: POOL, ...body }))

const fact = (subject: string, data: string) => published(Streams.fleet, subject, data)
const ofRun = (runId: string) => ({ runId: RunId.make(runId), taskArn: `arn:aws:ecs:us-east-1:1:task/c/${runId}` })
const taskStarted = (runId: string) =>
  fact(Subjects.taskStarted(runId, 1), Codecs.taskStarted.encode(started(1, ofRun(runId)).message))
const taskOver = (runId: string) =>
  fact(Subjects.taskStopped(runId, 1), Codecs.taskStopped.encode(stopped(2, ofRun(runId)).message))
const taskGone = (runId: string) =>
  fact(Subjects.taskChanged(runId, 1), Codecs.taskChanged.encode(changed(3, "STOPPED", 9, ofRun(runId)).message))
const ended = (runId: string) => Effect.andThen(Effect.andThen(taskStarted(runId), taskOver(runId)), taskGone(runId))

const orders = Effect.map(messagesOf(Streams.fleet, Filters.taskdefReady, Codecs.taskdefReady), (all) =>
  all.map(({ runId }) => String(runId))
)
const unacked = Effect.flatMap(MemoryServer, ({ unacked }) => unacked(Streams.queues, poolDurable(POOL)))

/** Lets the test's time run on. */
const pass = (seconds: number) =>
  Effect.repeat(TestClock.adjust("100 millis"), { times: Math.max(0, Math.ceil(seconds * 10) - 1) })

/** Until so many launches are ordered, and a second more, in which no further one may come. */
const untilOrdered = (count: number) =>
  Effect.gen(function* () {
    for (let tries = 0; (yield* orders).length < count && tries < 900; tries++) yield* TestClock.adjust("100 millis")
    yield* pass(1)
    assert.strictEqual((yield* orders).length, count)
    return yield* orders
  })

const untilUnacked = (count: number) =>
  Effect.gen(function* () {
    for (let tries = 0; (yield* unacked) !== count && tries < 2000; tries++) yield* TestClock.adjust("100 millis")
    assert.strictEqual(yield* unacked, count)
  })

const fleetTest = <E>(effect: Effect.Effect<void, E, Layer.Success<ReturnType<typeof layerMemoryFleet>>>) =>
  Effect.scoped(effect).pipe(Effect.provide(layerMemoryFleet()))

describe("a pool with maxRunning", () => {
  it.effect("hands its slot on when the task is gone, not when the run is over (peers 124)", () =>
    fleetTest(
      Effect.gen(function* () {
        yield* give({ maxRunning: 1 })
        yield* aDispatcher()
        for (const runId of ["a", "b", "c"]) yield* request(runId)
        assert.deepStrictEqual(yield* untilOrdered(1), ["a"])
        assert.deepInclude(yield* recordOf("b"), { state: "queued", attempts: [] })
        yield* taskStarted("a")
        yield* taskOver("a")
        assert.deepStrictEqual(yield* untilOrdered(1), ["a"])
        assert.deepInclude(yield* recordOf("a"), { state: "succeeded" })
        yield* taskGone("a")
        assert.deepStrictEqual(yield* untilOrdered(2), ["a", "b"])
        yield* ended("b")
        assert.deepStrictEqual(yield* untilOrdered(3), ["a", "b", "c"])
        yield* ended("c")
        yield* untilUnacked(0)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("out of order: that the task is gone comes before the end of the run", () =>
    fleetTest(
      Effect.gen(function* () {
        yield* give({ maxRunning: 1 })
        yield* aDispatcher()
        for (const runId of ["a", "b"]) yield* request(runId)
        yield* untilOrdered(1)
        yield* taskStarted("a")
        yield* taskGone("a")
        assert.deepStrictEqual(yield* untilOrdered(1), ["a"])
        yield* taskOver("a")
        assert.deepStrictEqual(yield* untilOrdered(2), ["a", "b"])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("a cancel in the queue ends the run at once, and it takes no slot", () =>
    fleetTest(
      Effect.gen(function* () {
        yield* give({ maxRunning: 1 })
        yield* aDispatcher()
        for (const runId of ["a", "b", "c"]) yield* request(runId)
        yield* untilOrdered(1)
        yield* fact(Subjects.runCancel("b"), Codecs.runCancel.encode(cancel(1).message))
        yield* pass(1)
        assert.deepInclude(yield* recordOf("b"), { state: "cancelled" })
        yield* ended("a")
        assert.deepStrictEqual(yield* untilOrdered(2), ["a", "c"])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("raised, it admits more at once; lowered, nobody until so many have ended", () =>
    fleetTest(
      Effect.gen(function* () {
        yield* give({ maxRunning: 1 })
        yield* aDispatcher()
        for (const runId of ["a", "b", "c", "d", "e"]) yield* request(runId)
        yield* untilOrdered(1)
        yield* give({ maxRunning: 3 })
        assert.deepStrictEqual(yield* untilOrdered(3), ["a", "b", "c"])
        yield* give({ maxRunning: 2 })
        yield* pass(1)
        yield* ended("a")
        yield* untilOrdered(3)
        yield* ended("b")
        assert.deepStrictEqual(yield* untilOrdered(4), ["a", "b", "c", "d"])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("lowered while it is paused and its turns are handed out: no more than the new limit", () =>
    fleetTest(
      Effect.gen(function* () {
        yield* give({ maxRunning: 4 })
        yield* pause
        yield* aDispatcher()
        yield* aDispatcher()
        for (const runId of ["a", "b", "c", "d", "e"]) yield* request(runId)
        yield* untilUnacked(4)
        yield* give({ maxRunning: 2 })
        yield* pass(1)
        yield* resume
        assert.deepStrictEqual((yield* untilOrdered(2)).toSorted(), ["a", "b"])
        yield* ended("a")
        assert.deepStrictEqual((yield* untilOrdered(3)).toSorted(), ["a", "b", "c"])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("no longer limited, its queue is emptied, and after a while its consumer is gone", () =>
    fleetTest(
      Effect.gen(function* () {
        yield* give({ maxRunning: 1 })
        yield* aDispatcher()
        for (const runId of ["a", "b", "c"]) yield* request(runId)
        yield* untilOrdered(1)
        yield* give({})
        assert.deepStrictEqual(yield* untilOrdered(3), ["a", "b", "c"])
        yield* untilUnacked(0)
        yield* request("d")
        yield* untilOrdered(4)
        assert.isUndefined((yield* recordOf("d"))?.queuedAt)
        for (const runId of ["a", "b", "c", "d"]) yield* ended(runId)
        yield* TestClock.adjust(`${QUEUE_IDLE_SECONDS + 120} seconds`)
        const { consumers } = yield* MemoryServer
        assert.notInclude(yield* consumers(Streams.queues), poolDurable(POOL))
        yield* give({ maxRunning: 1 })
        yield* request("e")
        assert.include(yield* untilOrdered(5), "e")
      }).pipe(Effect.scoped)
    )
  )

  it.effect("of two dispatchers the one that dies hands its slot on: the other gives it back", () =>
    fleetTest(
      Effect.gen(function* () {
        yield* give({ maxRunning: 1 })
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* aDispatcher()
            for (const runId of ["a", "b"]) yield* request(runId)
            yield* untilOrdered(1)
          })
        )
        yield* ended("a")
        yield* aDispatcher()
        assert.deepStrictEqual(yield* untilOrdered(2), ["a", "b"])
      }).pipe(Effect.scoped)
    )
  )
})

describe("a paused pool", () => {
  it.effect("admits nobody, keeps the order, and goes on from it; without limits it queues as well", () =>
    fleetTest(
      Effect.gen(function* () {
        yield* give({})
        yield* aDispatcher()
        yield* request("before")
        yield* untilOrdered(1)
        yield* pause
        for (const runId of ["a", "b", "c"]) yield* request(runId)
        yield* untilOrdered(1)
        assert.deepInclude(yield* recordOf("a"), { state: "queued" })
        assert.deepInclude(yield* recordOf("before"), { state: "launching" })
        yield* resume
        assert.deepStrictEqual(yield* untilOrdered(4), ["before", "a", "b", "c"])
      }).pipe(Effect.scoped)
    )
  )
})

describe("maxSubmitPerSecond", () => {
  it.effect("is shared by all dispatchers", () =>
    fleetTest(
      Effect.gen(function* () {
        yield* give({ maxSubmitPerSecond: 2 })
        yield* aDispatcher()
        yield* aDispatcher()
        for (let run = 0; run < 20; run++) yield* request(`r${run}`)
        yield* pass(1)
        const early = (yield* orders).length
        yield* pass(5)
        const later = (yield* orders).length
        assert.isAtMost(early, 3)
        assert.isAtMost(later - early, 11)
        assert.isAtLeast(later - early, 9)
      }).pipe(Effect.scoped)
    )
  )
})

describe("many limited pools", () => {
  it.effect("none waits for another: all of 100 start at once", () =>
    fleetTest(
      Effect.gen(function* () {
        const names = Array.from({ length: 100 }, (_, at) => `pool-${at}`)
        for (const name of names) yield* give({ maxRunning: 1 }, name)
        yield* aDispatcher()
        for (const name of names) yield* request(name, { pool: name, family: "shared" })
        yield* untilOrdered(100)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("beyond FLEET_DISPATCHER_POOLS_MAX they are left to another dispatcher, and their runs wait", () =>
    fleetTest(
      Effect.gen(function* () {
        for (const name of ["a", "b", "c"]) yield* give({ maxRunning: 1 }, name)
        yield* aDispatcher({ poolsMax: 2 })
        for (const name of ["a", "b", "c"]) yield* request(name, { pool: name })
        const first = yield* untilOrdered(2)
        assert.deepStrictEqual(first.toSorted(), ["a", "b"])
        assert.deepInclude(yield* recordOf("c"), { state: "queued" })
        yield* aDispatcher({ poolsMax: 3 })
        yield* untilOrdered(3)
      }).pipe(Effect.scoped)
    )
  )
})
