import { assert } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Option, Queue, type Tracer } from "effect"
import { Consumer, type Delivery, Verdict } from "#bus/Consumer.ts"
import { text } from "#bus/Message.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Topology } from "#bus/Topology.ts"
import {
  as,
  type BusIt,
  durableOptions,
  openRoom,
  publishMany,
  type Room,
  startClient,
  untilUnacked
} from "./bus.facts.ts"

const options = (room: Room) => ({ ...durableOptions(room), concurrency: 4, ackWaitSeconds: 30 })

type Handler = (d: Delivery) => Effect.Effect<Verdict>

/** Runs the room's consumer until the scope ends. */
const consume = (
  room: Room,
  handler: Handler,
  more: { readonly concurrency?: number; readonly drainSeconds?: number } = {}
) => Effect.forkScoped(Consumer.use((c) => c.run({ ...options(room), ...more }, handler)))

/** Every message up to this one is acknowledged. */
const acknowledged = (room: Room) =>
  Effect.map(
    Topology.use((topology) => topology.backlog(options(room).stream, options(room).durable)),
    (backlog) => Option.getOrThrow(backlog).ackedSeq
  )

export const consumerSuite = (it: BusIt): void => {
  it.effect("handles every message once and acknowledges it", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const seen = yield* Queue.unbounded<string>()
      yield* consume(room, (d) => Effect.as(Queue.offer(seen, text(d)), Verdict.ack))
      const tokens = yield* publishMany(room, 100)
      const handled = yield* Queue.takeN(seen, 100)
      assert.deepStrictEqual(handled.toSorted(), tokens.toSorted())
      yield* untilUnacked(room, 0)
      assert.strictEqual(yield* Queue.size(seen), 0)
      assert.strictEqual(yield* acknowledged(room), 100)
    })
  )

  it.effect("says up to which message all are acknowledged: one in hand holds it up, those behind it count later", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const gate = yield* Deferred.make<void>()
      const done = yield* Queue.unbounded<string>()
      const handler: Handler = (d) =>
        Effect.gen(function* () {
          if (text(d) === "m2") yield* Deferred.await(gate)
          else yield* Queue.offer(done, text(d))
          return Verdict.ack
        })
      assert.strictEqual(yield* acknowledged(room), 0)
      yield* publishMany(room, 4)
      yield* consume(room, handler)
      yield* Queue.takeN(done, 3)
      yield* untilUnacked(room, 1)
      assert.strictEqual(yield* acknowledged(room), 1)
      yield* Deferred.succeed(gate, undefined)
      yield* untilUnacked(room, 0)
      assert.strictEqual(yield* acknowledged(room), 4)
    })
  )

  it.effect("never handles more than `concurrency` at a time, and fetches as many ahead", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const begun = yield* Queue.unbounded<number>()
      const gate = yield* Deferred.make<void>()
      let atWork = 0
      const handler: Handler = () =>
        Effect.gen(function* () {
          yield* Queue.offer(begun, ++atWork)
          yield* Deferred.await(gate)
          atWork--
          return Verdict.ack
        })
      yield* publishMany(room, 60)
      yield* consume(room, handler, { concurrency: 3 })
      yield* untilUnacked(room, 6)
      assert.deepStrictEqual(yield* Queue.takeN(begun, 3), [1, 2, 3])
      assert.strictEqual(yield* Queue.size(begun), 0)
      yield* Deferred.succeed(gate, undefined)
      const rest = yield* Queue.takeN(begun, 57)
      assert.isAtMost(Math.max(...rest), 3)
    })
  )

  it.effect("a message nak'ed with a delay comes again after it, not before", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const seen = yield* Queue.unbounded<{ readonly deliveries: number; readonly at: number }>()
      yield* consume(room, (d) =>
        Effect.gen(function* () {
          yield* Queue.offer(seen, { deliveries: d.deliveries, at: yield* Clock.currentTimeMillis })
          return d.deliveries === 1 ? Verdict.nak(300) : Verdict.ack
        })
      )
      yield* publishMany(room, 1)
      const [first, second] = yield* Queue.takeN(seen, 2)
      assert.deepStrictEqual([first?.deliveries, second?.deliveries], [1, 2])
      assert.isAtLeast((second?.at ?? 0) - (first?.at ?? 0), 290)
    })
  )

  it.effect("a crash: what a dead process held comes to another after the ack wait (scenario 50)", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ consumer: { ackWaitSeconds: 0.5 } })
      const client = yield* startClient
      const held = yield* Deferred.make<void>()
      yield* Consumer.use((c) =>
        c.run({ ...options(room), drainSeconds: 0 }, () =>
          Effect.andThen(Deferred.succeed(held, undefined), Effect.never)
        )
      ).pipe(as(client), Effect.forkScoped)
      yield* publishMany(room, 1)
      yield* Deferred.await(held)
      client.sever()
      const seen = yield* Queue.unbounded<number>()
      yield* consume(room, (d) => Effect.as(Queue.offer(seen, d.deliveries), Verdict.ack))
      assert.strictEqual(yield* Queue.take(seen), 2)
      yield* untilUnacked(room, 0)
    })
  )

  it.effect("a handler slower than the ack wait is heart-beaten and handled once (scenario 51)", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ consumer: { ackWaitSeconds: 1 } })
      const longAfter = yield* Deferred.make<void>()
      const seen = yield* Queue.unbounded<string>()
      const handler: Handler = (d) =>
        Effect.gen(function* () {
          yield* Queue.offer(seen, `${text(d)}:${d.deliveries}`)
          if (text(d) === "m1") yield* Deferred.await(longAfter)
          else if (d.deliveries === 1) return Verdict.nak(2_200)
          else yield* Deferred.succeed(longAfter, undefined)
          return Verdict.ack
        })
      yield* publishMany(room, 2)
      yield* Effect.forkScoped(Consumer.use((c) => c.run({ ...options(room), ackWaitSeconds: 1 }, handler)))
      yield* Deferred.await(longAfter)
      yield* untilUnacked(room, 0)
      assert.deepStrictEqual((yield* Queue.clear(seen)).toSorted(), ["m1:1", "m2:1", "m2:2"])
    })
  )

  it.effect("an interruption lets the handler in hand finish and hands back at once what was fetched ahead", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const client = yield* startClient
      const [inHand, finish] = [yield* Deferred.make<string>(), yield* Deferred.make<void>()]
      const first = yield* Consumer.use((c) =>
        c.run({ ...options(room), concurrency: 1 }, (d) =>
          Deferred.succeed(inHand, text(d)).pipe(Effect.andThen(Deferred.await(finish)), Effect.as(Verdict.ack))
        )
      ).pipe(as(client), Effect.forkChild)
      yield* publishMany(room, 2)
      assert.strictEqual(yield* Deferred.await(inHand), "m1")
      yield* untilUnacked(room, 2)
      const ending = yield* Effect.forkChild(Fiber.interrupt(first))
      const seen = yield* Queue.unbounded<string>()
      yield* consume(room, (d) => Effect.as(Queue.offer(seen, text(d)), Verdict.ack))
      assert.strictEqual(yield* Queue.take(seen), "m2")
      yield* Deferred.succeed(finish, undefined)
      yield* Fiber.join(ending)
      yield* untilUnacked(room, 0)
      assert.strictEqual(yield* Queue.size(seen), 0)
    })
  )

  it.effect("an interruption waits for a handler no longer than `drainSeconds`, then its message goes to another", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const client = yield* startClient
      const inHand = yield* Deferred.make<void>()
      const first = yield* Consumer.use((c) =>
        c.run({ ...options(room), drainSeconds: 0.05 }, () =>
          Effect.andThen(Deferred.succeed(inHand, undefined), Effect.never)
        )
      ).pipe(as(client), Effect.forkChild)
      yield* publishMany(room, 1)
      yield* Deferred.await(inHand)
      yield* Fiber.interrupt(first)
      const seen = yield* Queue.unbounded<number>()
      yield* consume(room, (d) => Effect.as(Queue.offer(seen, d.deliveries), Verdict.ack))
      assert.strictEqual(yield* Queue.take(seen), 2)
    })
  )

  it.effect("continues the trace of the message", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const spans = yield* Queue.unbounded<Tracer.AnySpan>()
      yield* consume(room, () =>
        Effect.currentSpan.pipe(
          Effect.flatMap((span) => Queue.offer(spans, span)),
          Effect.as(Verdict.ack),
          Effect.orDie
        )
      )
      const publish = Publisher.use((p) => p.publish(room.message("a")))
      const published = yield* Effect.andThen(publish, Effect.currentSpan).pipe(Effect.withSpan("producer"))
      const handled = yield* Queue.take(spans)
      assert.strictEqual(handled.traceId, published.traceId)
      assert.notStrictEqual(handled.spanId, published.spanId)
    })
  )
}
