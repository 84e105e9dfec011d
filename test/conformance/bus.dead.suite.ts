import { assert } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { Consumer, Verdict } from "#bus/Consumer.ts"
import { text } from "#bus/Message.ts"
import { Publisher } from "#bus/Publisher.ts"
import {
  as,
  type BusIt,
  durableOptions,
  openRoom,
  quiet,
  type Room,
  startClient,
  storedIn,
  until,
  untilUnacked
} from "./bus.facts.ts"

const options = (room: Room) => ({ ...durableOptions(room), concurrency: 4, ackWaitSeconds: 30 })

/** The dead letters of a room, once there are so many. */
const untilDead = (room: Room, count: number) => until(storedIn(room.deadStream), (dead) => dead.length === count)

export const deadLetterSuite = (it: BusIt): void => {
  it.effect("a dead message leaves a copy that says why, and is never handed out again", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ consumer: { ackWaitSeconds: 0.3 } })
      yield* Publisher.use((p) => p.createOnce({ ...room.message("a", "broken"), headers: { Color: "red" } }))
      const seen = yield* Queue.unbounded<string>()
      yield* Effect.forkScoped(
        Consumer.use((c) =>
          c.run(options(room), (d) =>
            Effect.as(Queue.offer(seen, text(d)), Verdict.dead("not JSON:\nunexpected token"))
          )
        )
      )
      const [copy] = yield* untilDead(room, 1)
      yield* untilUnacked(room, 0)
      assert.strictEqual(copy && text(copy), "broken")
      assert.deepInclude(copy?.headers, {
        Color: "red",
        "Fleet-Dead-Reason": "not JSON: unexpected token",
        "Fleet-Dead-Subject": room.message("a").subject,
        "Fleet-Dead-Stream": room.stream,
        "Fleet-Dead-Sequence": "1",
        "Fleet-Dead-Deliveries": "1"
      })
      assert.deepStrictEqual(yield* Queue.clear(seen), ["broken"])
    })
  )

  it.effect("a dead letter whose answer is lost is stored once (twice sent)", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const client = yield* startClient
      yield* Publisher.use((p) => p.publish(room.message("a")))
      client.lose("answer", 1)
      yield* Effect.forkScoped(
        Consumer.use((c) => c.run(options(room), () => Effect.succeed(Verdict.dead("no")))).pipe(as(client))
      )
      yield* untilDead(room, 1)
      yield* untilUnacked(room, 0)
      assert.strictEqual((yield* storedIn(room.deadStream)).length, 1)
    })
  )

  it.effect("the same subject may die twice: each message has its own copy", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const { publish } = yield* Publisher
      yield* Effect.all([publish(room.message("a", "1")), publish(room.message("a", "2"))])
      yield* Effect.forkScoped(Consumer.use((c) => c.run(options(room), () => Effect.succeed(Verdict.dead("no")))))
      const copies = yield* untilDead(room, 2)
      assert.deepStrictEqual(copies.map(text).toSorted(), ["1", "2"])
    })
  )

  it.effect("a handler that dies is tried three times, then its message is dead; the others go on", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const { publish } = yield* Publisher
      yield* Effect.all([publish(room.message("poison")), publish(room.message("fine"))])
      const seen = yield* Queue.unbounded<string>()
      yield* Effect.forkScoped(
        Consumer.use((c) =>
          c.run(options(room), (d) =>
            Queue.offer(seen, text(d)).pipe(
              Effect.andThen(text(d) === "poison" ? Effect.die(new Error("a bug")) : Effect.succeed(Verdict.ack))
            )
          )
        ).pipe(quiet)
      )
      const [copy] = yield* untilDead(room, 1)
      yield* untilUnacked(room, 0)
      assert.include(copy?.headers["Fleet-Dead-Reason"], "defect: Error: a bug")
      assert.deepStrictEqual((yield* Queue.clear(seen)).toSorted(), ["fine", "poison", "poison", "poison"])
    })
  )

  it.effect("a message as large as the stream takes is dead without its data, which the copy says", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ stream: { maxMessageBytes: 1_048_000 } })
      yield* Publisher.use((p) => p.publish(room.message("a", "x".repeat(1_047_900))))
      yield* Effect.forkScoped(
        Consumer.use((c) => c.run(options(room), () => Effect.succeed(Verdict.dead("y".repeat(1_000)))))
      )
      const [copy] = yield* untilDead(room, 1)
      assert.strictEqual(copy?.headers["Fleet-Dead-Data"], "left out, too large")
      assert.strictEqual(copy?.data.length, 0)
      assert.strictEqual(copy?.headers["Fleet-Dead-Sequence"], "1")
    })
  )
}
