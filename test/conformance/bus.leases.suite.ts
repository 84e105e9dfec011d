import { assert } from "@effect/vitest"
import { Effect, Fiber, Option, Queue } from "effect"
import { Consumer } from "#bus/Consumer.ts"
import { text } from "#bus/Message.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Topology } from "#bus/Topology.ts"
import { BusBench } from "./bus.bench.ts"
import {
  as,
  type BusIt,
  durable,
  durableOptions,
  hold,
  openRoom,
  publishMany,
  quiet,
  startClient,
  storedIn,
  until,
  untilUnacked
} from "./bus.facts.ts"

export const leasesSuite = (it: BusIt): void => {
  it.effect(
    "the backlog counts what waits and what is held, also what comes again later; settled messages are gone",
    () =>
      Effect.gen(function* () {
        const room = yield* openRoom()
        const backlog = Effect.map(
          Effect.flatMap(Topology, (topology) => topology.backlog(room.stream, durable)),
          Option.getOrThrow
        )
        yield* publishMany(room, 5)
        assert.deepInclude(yield* backlog, { waiting: 5, unacked: 0 })
        const { held } = yield* hold(room, { capacity: 2 })
        const [first, second] = yield* Queue.takeN(held, 2)
        yield* untilUnacked(room, 2)
        assert.deepInclude(yield* backlog, { waiting: 3, unacked: 2 })
        yield* first?.lease.nak(3_600_000) ?? Effect.void
        yield* second?.lease.ack ?? Effect.void
        yield* Queue.takeN(held, 2)
        yield* until(backlog, ({ unacked, waiting }) => unacked === 3 && waiting === 1)
      })
  )

  it.effect("an acknowledged lease ends, its message does not come again, and ending twice is nothing", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      yield* publishMany(room, 1)
      const { held } = yield* hold(room)
      const { d, lease } = yield* Queue.take(held)
      const { stream, subject, seq, time } = d
      assert.deepStrictEqual(lease.message, { stream, subject, seq, time })
      assert.deepStrictEqual([lease.isHeld(), lease.deliveries()], [true, 1])
      yield* lease.ack
      yield* lease.nak(0)
      assert.isFalse(lease.isHeld())
      yield* untilUnacked(room, 0)
      assert.strictEqual(yield* Queue.size(held), 0)
    })
  )

  it.effect("the heart-beat keeps a lease for many ack waits; another replica does not get it", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ consumer: { ackWaitSeconds: 1 } })
      yield* publishMany(room, 1)
      const first = yield* hold(room, { heartbeatSeconds: 0.25 })
      const kept = yield* Queue.take(first.held)
      const second = yield* hold(room, { heartbeatSeconds: 0.25 }).pipe(as(yield* startClient))
      yield* Publisher.use((p) => p.publish(room.message("marker")))
      const marker = yield* Effect.raceFirst(Queue.take(first.held), Queue.take(second.held))
      yield* marker.lease.nak(2_200)
      const again = yield* Effect.raceFirst(Queue.take(first.held), Queue.take(second.held))
      assert.deepStrictEqual([text(again.d), again.d.deliveries], ["marker", 2])
      assert.deepStrictEqual([kept.lease.isHeld(), kept.lease.deliveries()], [true, 1])
      assert.strictEqual((yield* Queue.size(first.held)) + (yield* Queue.size(second.held)), 0)
    })
  )

  it.effect("the end of the scope hands every lease to another replica at once, not after the ack wait", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ consumer: { ackWaitSeconds: 3_600 } })
      const first = yield* hold(room).pipe(as(yield* startClient))
      yield* publishMany(room, 50)
      const mine = yield* Queue.takeN(first.held, 50)
      const second = yield* hold(room)
      yield* Fiber.interrupt(first.fiber)
      assert.isFalse(mine.some(({ lease }) => lease.isHeld()))
      const taken = yield* Queue.takeN(second.held, 50)
      assert.deepStrictEqual(new Set(taken.map(({ d }) => d.deliveries)), new Set([2]))
      yield* mine[0]?.lease.ack ?? Effect.void
      yield* untilUnacked(room, 50)
    })
  )

  it.effect("a crash: the leases of a dead process go to another after the ack wait", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ consumer: { ackWaitSeconds: 0.5 } })
      const client = yield* startClient
      const first = yield* hold(room, { heartbeatSeconds: 0.15 }).pipe(as(client))
      yield* publishMany(room, 3)
      yield* Queue.takeN(first.held, 3)
      client.sever()
      const second = yield* hold(room, { heartbeatSeconds: 0.15 })
      const taken = yield* Queue.takeN(second.held, 3)
      assert.deepStrictEqual(taken.map(({ d }) => text(d)).toSorted(), ["m1", "m2", "m3"])
    })
  )

  it.effect("a message delivered again while it is held is the same lease: the newer reply subject counts", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ consumer: { ackWaitSeconds: 0.3 } })
      yield* publishMany(room, 1)
      const { held } = yield* hold(room, { heartbeatSeconds: 60 })
      const { lease } = yield* Queue.take(held)
      yield* until(
        Effect.sync(() => lease.deliveries()),
        (n) => n >= 3
      )
      assert.strictEqual(yield* Queue.size(held), 0)
      yield* lease.ack
      yield* untilUnacked(room, 0)
    })
  )

  it.effect("never holds more than its capacity, and takes the next one when one is given back", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      yield* publishMany(room, 10)
      const { held } = yield* hold(room, { capacity: 3 })
      const [first] = yield* Queue.takeN(held, 3)
      yield* untilUnacked(room, 3)
      assert.strictEqual(yield* Queue.size(held), 0)
      yield* first?.lease.ack ?? Effect.void
      const next = yield* Queue.take(held)
      assert.strictEqual(text(next.d), "m4")
      yield* untilUnacked(room, 3)
    })
  )

  it.effect("the consumer's max ack pending bounds the leases of all replicas together, first come, first served", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ consumer: { maxAckPending: 2 } })
      yield* publishMany(room, 5)
      const first = yield* hold(room)
      const second = yield* hold(room).pipe(as(yield* startClient))
      const take = Effect.raceFirst(Queue.take(first.held), Queue.take(second.held))
      const order: Array<string> = []
      for (let n = 0; n < 5; n++) {
        const { d, lease } = yield* take
        order.push(text(d))
        assert.isAtMost(yield* BusBench.use((bench) => bench.unacked(room.stream, durable)), 2)
        yield* lease.ack
      }
      assert.deepStrictEqual(order.toSorted(), ["m1", "m2", "m3", "m4", "m5"])
      assert.includeMembers(["m1", "m2"], [order[0]])
    })
  )

  it.effect("dead ends the lease with a copy of the message, data included", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      yield* Publisher.use((p) => p.publish(room.message("a", "undecodable")))
      const { held } = yield* hold(room)
      const { lease } = yield* Queue.take(held)
      yield* lease.dead("no run id")
      const [copy] = yield* storedIn(room.deadStream)
      assert.strictEqual(copy && text(copy), "undecodable")
      assert.strictEqual(copy?.headers["Fleet-Dead-Reason"], "no run id")
      yield* untilUnacked(room, 0)
    })
  )

  it.effect("an `onLease` that dies is tried three times, then its message is dead", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      yield* publishMany(room, 1)
      let tries = 0
      const options = { ...durableOptions(room), heartbeatSeconds: 10, capacity: 5 }
      const onLease = () => Effect.sync(() => tries++).pipe(Effect.andThen(Effect.die("a bug")))
      yield* Effect.forkScoped(Consumer.use((c) => c.leases(options, onLease)).pipe(quiet))
      yield* until(storedIn(room.deadStream), (dead) => dead.length === 1)
      yield* untilUnacked(room, 0)
      assert.strictEqual(tries, 3)
    })
  )
}
