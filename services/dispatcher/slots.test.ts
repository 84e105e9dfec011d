import { assert, describe, it } from "@effect/vitest"
import { Effect, FiberSet, Option, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { RunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { PoolCodec } from "#ecs-core/Pool.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aDelivery, aLease } from "#test/support/builders.ts"
import {
  crashEverywhere,
  defaultsOf,
  inTime,
  layerMemoryFleet,
  messagesOf,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import { at, cancel, changed, started, stopped } from "#test/support/messages.ts"
import { dispatcherConfig } from "./config.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { handleFact } from "./handle.ts"
import { handleRequest } from "./requests.ts"
import { admit, firstWaiting, lookAt, makePoolQueue, type Slots, take } from "./slots.ts"

/** One message of a queue in the hands of one holder, who may die, or believe for too long. */

const POOL = "narrow"
const runId = RunId.make("nightly")

const dispatcher = (requestsMax?: number) =>
  Effect.provide(makeFleet(defaultsOf(dispatcherConfig)), processPorts(requestsMax))

const orders = messagesOf(Streams.fleet, Filters.taskdefReady, Codecs.taskdefReady)
const queued = messagesOf(Streams.queues, Filters.queueOf(POOL), Codecs.runQueued)

const fold = (fleet: Fleet, subject: string, data: string) =>
  Effect.flatMap(published(Streams.fleet, subject, data), (delivery) => inTime(handleFact(fleet, delivery)))
const begin = (fleet: Fleet) =>
  fold(fleet, Subjects.taskStarted(runId, 1), Codecs.taskStarted.encode(started(1).message))
const end = (fleet: Fleet) => fold(fleet, Subjects.taskStopped(runId, 1), Codecs.taskStopped.encode(stopped(2).message))
const gone = (fleet: Fleet) =>
  fold(fleet, Subjects.taskChanged(runId, 1), Codecs.taskChanged.encode(changed(3, "STOPPED", 9).message))

/** The run waits in the queue of its pool. */
const requested = Effect.gen(function* () {
  const fleet = yield* dispatcher()
  yield* fleet.pools.put(POOL, PoolCodec.encode({ maxRunning: 1 }))
  const body = JSON.stringify({ image: "alpine", pool: POOL })
  const delivery = yield* published(Streams.inbox, Subjects.runRequested(runId), body)
  yield* inTime(handleRequest(fleet, delivery))
  return { fleet, delivery }
})

/** One holder gets the message, and does with it what there is to do; it may die at any request. */
const holder = (fleet: Fleet, deliveries: number) =>
  Effect.gen(function* () {
    const slots: Slots = new Map()
    const queue = yield* makePoolQueue(POOL)
    const { lease, ended } = aLease()
    const data = Codecs.runQueued.encode({ runId, pool: POOL, at: at(0) })
    const delivery = aDelivery(Subjects.runQueued(POOL, runId), data, { deliveries })
    const work = Effect.gen(function* () {
      yield* take(fleet, slots, queue, delivery, lease)
      const slot = firstWaiting(queue)
      if (slot !== undefined) yield* admit(fleet, slots, slot)
      yield* FiberSet.awaitEmpty(queue.fibers)
    })
    yield* inTime(work)
    const look = Effect.suspend(() => {
      const slot = slots.get(runId)
      return slot === undefined ? Effect.void : inTime(lookAt(fleet, slots, slot))
    })
    return { ended, look }
  })

/** A successor; it gets the message again as long as the definition is the dead one's business. */
const untilHeld = (fleet: Fleet, deliveries: number): Effect.Effect<void, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const { ended } = yield* holder(fleet, deliveries)
    if (ended() === undefined) return
    assert.strictEqual(ended(), "nak 1000")
    yield* TestClock.adjust("1 second")
    yield* untilHeld(fleet, deliveries + 1)
  })

describe("a message of a queue", () => {
  it.effect(
    "crash at any line between the queue and the order, then another holder: one order, and the slot held",
    () =>
      Effect.gen(function* () {
        const places = yield* crashEverywhere((requestsMax) =>
          Effect.gen(function* () {
            yield* requested
            const first = yield* Effect.option(Effect.flatMap(dispatcher(requestsMax), (mortal) => holder(mortal, 1)))
            const survived = Option.isSome(first) && first.value.ended() === undefined
            yield* untilHeld(yield* dispatcher(), 2)
            assert.strictEqual((yield* orders).length, 1)
            assert.deepInclude(yield* recordOf(runId), { state: "launching" })
            return survived
          }).pipe(Effect.scoped)
        )
        assert.isAbove(places, 10)
      })
  )

  it.effect(
    "crash at any line of the request, then the same request again: one message in the queue, nothing defined",
    () =>
      Effect.gen(function* () {
        const places = yield* crashEverywhere((requestsMax) =>
          Effect.gen(function* () {
            const fleet = yield* dispatcher()
            yield* fleet.pools.put(POOL, PoolCodec.encode({ maxRunning: 1 }))
            const body = JSON.stringify({ image: "alpine", pool: POOL })
            const delivery = yield* published(Streams.inbox, Subjects.runRequested(runId), body)
            const mortal = Effect.flatMap(dispatcher(requestsMax), (each) => handleRequest(each, delivery))
            const first = yield* inTime(Effect.exit(mortal))
            yield* inTime(handleRequest(fleet, delivery))
            assert.strictEqual((yield* queued).length, 1)
            assert.deepStrictEqual(yield* orders, [])
            assert.deepInclude(yield* recordOf(runId), { state: "queued" })
            return first._tag === "Success"
          })
        )
        assert.isAbove(places, 3)
      })
  )

  it.effect("two holders at a time: the same order, and neither gives the slot back before the task is gone", () =>
    Effect.gen(function* () {
      const { fleet } = yield* requested
      const one = yield* holder(yield* dispatcher(), 1)
      const other = yield* holder(yield* dispatcher(), 2)
      assert.strictEqual((yield* orders).length, 1)
      yield* begin(fleet)
      yield* end(fleet)
      for (const { look } of [one, other]) yield* look
      assert.deepStrictEqual([one.ended(), other.ended()], [undefined, undefined])
      yield* gone(fleet)
      for (const { look } of [one, other]) yield* look
      assert.deepStrictEqual([one.ended(), other.ended()], ["ack", "ack"])
    }).pipe(Effect.scoped, Effect.provide(layerMemoryFleet()))
  )

  it.effect("delivered again after the acknowledgement was lost: it is given back at once", () =>
    Effect.gen(function* () {
      const { fleet } = yield* requested
      yield* holder(yield* dispatcher(), 1)
      yield* begin(fleet)
      yield* end(fleet)
      yield* gone(fleet)
      assert.strictEqual((yield* holder(fleet, 2)).ended(), "ack")
    }).pipe(Effect.scoped, Effect.provide(layerMemoryFleet()))
  )

  it.effect("what was told of the task before the slot was ours, and is not in the record yet, is taken up", () =>
    Effect.gen(function* () {
      const { fleet } = yield* requested
      yield* holder(yield* dispatcher(), 1)
      yield* begin(fleet)
      yield* end(fleet)
      const data = Codecs.taskChanged.encode(changed(3, "STOPPED", 9).message)
      yield* published(Streams.fleet, Subjects.taskChanged(runId, 1), data)
      const second = yield* holder(fleet, 2)
      yield* second.look
      assert.strictEqual(second.ended(), "ack")
    }).pipe(Effect.scoped, Effect.provide(layerMemoryFleet()))
  )

  it.effect("cancelled before its message comes: no order, no slot", () =>
    Effect.gen(function* () {
      const { fleet } = yield* requested
      yield* fold(fleet, Subjects.runCancel(runId), Codecs.runCancel.encode(cancel(1).message))
      assert.deepInclude(yield* recordOf(runId), { state: "cancelled" })
      assert.strictEqual((yield* holder(fleet, 1)).ended(), "ack")
      assert.deepStrictEqual(yield* orders, [])
    }).pipe(Effect.scoped, Effect.provide(layerMemoryFleet()))
  )

  it.effect("without a record it keeps its slot, and comes again", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* holder(yield* dispatcher(), 1)).ended(), "nak 30000")
    }).pipe(Effect.scoped, Effect.provide(layerMemoryFleet()))
  )
})
