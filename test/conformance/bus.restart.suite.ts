import { assert } from "@effect/vitest"
import { Deferred, Effect, Fiber, Queue, Stream } from "effect"
import { Consumer, type Delivery, Verdict } from "#bus/Consumer.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { BusBench } from "./bus.bench.ts"
import {
  type BusIt,
  durableOptions,
  hold,
  openBucket,
  openRoom,
  publishMany,
  type Room,
  storedIn,
  textsIn,
  until,
  untilUnacked
} from "./bus.facts.ts"

/** Messages that are stored once each, whatever happens to the answers. */
const createMany = Effect.fnUntraced(function* (room: Room, count: number, first = 1) {
  const publisher = yield* Publisher
  const tokens = Array.from({ length: count }, (_, i) => `m${first + i}`)
  yield* Effect.forEach(tokens, (token) => publisher.createOnce(room.message(token)))
  return tokens
})

/** What survives a restart of the server; the tests run one after the other, each has the server for itself. */
export const restartSuite = (it: BusIt): void => {
  it.effect("publishes over a restart of the server: nothing is lost, nothing is doubled", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const bench = yield* BusBench
      const publisher = yield* Publisher
      const tokens = Array.from({ length: 200 }, (_, i) => `m${i}`)
      const publishAll = Effect.forEach(tokens, (token) => publisher.createOnce(room.message(token)), {
        concurrency: 8
      })
      const [outcomes] = yield* Effect.all([publishAll, bench.restart], { concurrency: 2 })
      assert.deepStrictEqual(new Set(outcomes), new Set(["created"]))
      assert.deepStrictEqual((yield* textsIn(room.stream)).toSorted(), tokens.toSorted())
    })
  )

  it.effect("a replay over two restarts of the server loses nothing, doubles nothing and keeps the order", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const bench = yield* BusBench
      const { replay } = yield* Messages
      const first = yield* createMany(room, 50)
      const firstRead = yield* Deferred.make<void>()
      const reader = yield* replay({ stream: room.stream, subject: ">", follow: true }).pipe(
        Stream.tap((m) => (m.seq === 50 ? Deferred.succeed(firstRead, undefined) : Effect.void)),
        Stream.take(150),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* Deferred.await(firstRead)
      yield* bench.restart
      const second = yield* createMany(room, 50, 51)
      yield* bench.restart
      const third = yield* createMany(room, 50, 101)
      assert.deepStrictEqual((yield* Fiber.join(reader)).map(text), [...first, ...second, ...third])
    })
  )

  it.effect("a restart of the server in the middle: every message is handled, none has two effects", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ consumer: { ackWaitSeconds: 1 } })
      const output = yield* openRoom()
      const publisher = yield* Publisher
      const bench = yield* BusBench
      const tokens = yield* publishMany(room, 300)
      const some = yield* Deferred.make<void>()
      const options = { ...durableOptions(room), concurrency: 4, ackWaitSeconds: 1 }
      const handler = (d: Delivery) =>
        publisher.createOnce(output.message(text(d))).pipe(
          Effect.tap(() => (text(d) === "m100" ? Deferred.succeed(some, undefined) : Effect.void)),
          Effect.as(Verdict.ack),
          Effect.orElseSucceed(() => Verdict.nak(0))
        )
      yield* Effect.forkScoped(Consumer.use((c) => c.run(options, handler)))
      yield* Deferred.await(some)
      yield* bench.restart
      const stored = yield* until(textsIn(output.stream), (texts) => texts.length >= tokens.length)
      yield* untilUnacked(room, 0)
      assert.deepStrictEqual(stored.toSorted(), tokens.toSorted())
      assert.strictEqual((yield* storedIn(output.stream)).length, tokens.length)
    })
  )

  it.effect("a lease is kept over a restart of the server", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      yield* publishMany(room, 1)
      const { held } = yield* hold(room)
      const { lease } = yield* Queue.take(held)
      yield* BusBench.use((bench) => bench.restart)
      yield* publishMany(room, 1, 2)
      const next = yield* until(Queue.take(held), ({ d }) => text(d) === "m2")
      assert.isTrue(lease.isHeld())
      yield* Effect.all([lease.ack, next.lease.ack])
      yield* untilUnacked(room, 0)
    })
  )

  it.effect("a watch over a restart of the server has the last value", () =>
    Effect.gen(function* () {
      const bucket = yield* openBucket(yield* openRoom())
      yield* bucket.put("k", "1")
      yield* bucket.put("other", "x")
      const begun = yield* Deferred.make<void>()
      const watching = yield* bucket.watch("k").pipe(
        Stream.map(({ value }) => text({ data: value })),
        Stream.tap(() => Deferred.succeed(begun, undefined)),
        Stream.takeUntil((value) => value === "4"),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* Deferred.await(begun)
      yield* bucket.put("k", "2")
      yield* BusBench.use((bench) => bench.restart)
      yield* bucket.put("k", "3")
      yield* bucket.delete("k")
      yield* bucket.put("k", "4")
      const values = yield* Fiber.join(watching)
      assert.deepStrictEqual([values.at(0), values.at(-1)], ["1", "4"])
      assert.deepStrictEqual(values, values.toSorted())
    })
  )
}
