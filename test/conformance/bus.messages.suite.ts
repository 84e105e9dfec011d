import { assert } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Stream } from "effect"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { BusBench } from "./bus.bench.ts"
import { as, type BusIt, durable, openBucket, openRoom, publishMany, startClient, until } from "./bus.facts.ts"

export const messagesSuite = (it: BusIt): void => {
  it.effect("last and at read what is stored, with time, headers and sequence", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const messages = yield* Messages
      const before = Date.now()
      yield* publishMany(room, 2)
      const { seq } = yield* Publisher.use((p) =>
        p.publish({ ...room.message("m1", "new"), headers: { Color: "red" } })
      )
      const last = Option.getOrThrow(yield* messages.last(room.stream, room.message("m1").subject))
      assert.deepInclude(last, {
        stream: room.stream,
        subject: room.message("m1").subject,
        seq,
        headers: { Color: "red" }
      })
      assert.strictEqual(text(last), "new")
      assert.isAtLeast(last.time, before - 1)
      assert.isAtMost(last.time, Date.now() + 1)
      assert.deepStrictEqual(yield* messages.at(room.stream, seq), Option.some(last))
      assert.isTrue(Option.isNone(yield* messages.last(room.stream, room.message("none").subject)))
      assert.isTrue(Option.isNone(yield* messages.at(room.stream, 99)))
    })
  )

  it.effect("twice: a message that is deleted is gone, and the others stay", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const { at, remove, replay } = yield* Messages
      yield* publishMany(room, 3)
      yield* remove(room.stream, 2)
      yield* remove(room.stream, 2)
      assert.isTrue(Option.isNone(yield* at(room.stream, 2)))
      const left = yield* Stream.runCollect(replay({ stream: room.stream, subject: ">", follow: false }))
      assert.deepStrictEqual(left.map(text), ["m1", "m3"])
      const { first } = yield* Messages
      const oldest = (subject: string) =>
        Effect.map(
          first(room.stream, subject),
          Option.map(({ seq }) => seq)
        )
      assert.deepStrictEqual(yield* oldest(">"), Option.some(1))
      yield* remove(room.stream, 1)
      assert.deepStrictEqual(yield* oldest(">"), Option.some(3))
      assert.deepStrictEqual(yield* oldest(room.message("m1").subject), Option.none())
    })
  )

  it.effect("a replay without following ends, at once on an empty stream", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const { replay } = yield* Messages
      const all = { stream: room.stream, subject: ">", follow: false }
      assert.deepStrictEqual(yield* Stream.runCollect(replay(all)), [])
      const tokens = yield* publishMany(room, 5)
      assert.deepStrictEqual((yield* Stream.runCollect(replay(all))).map(text), tokens)
      assert.deepStrictEqual((yield* Stream.runCollect(replay({ ...all, fromSeq: 4 }))).map(text), ["m4", "m5"])
      assert.deepStrictEqual(yield* Stream.runCollect(replay({ ...all, fromSeq: 6 })), [])
      const one = replay({ ...all, subject: room.message("m3").subject })
      assert.deepStrictEqual((yield* Stream.runCollect(one)).map(text), ["m3"])
    })
  )

  it.effect("a replay from a time on begins with the first message that was stored then", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const messages = yield* Messages
      yield* publishMany(room, 5)
      const all = { stream: room.stream, subject: ">", follow: false }
      const stored = yield* Stream.runCollect(messages.replay(all))
      const since = (millis: number) =>
        Effect.map(Stream.runCollect(messages.replay({ ...all, fromTimeMillis: millis })), (read) => read.map(text))
      for (const { time } of stored) {
        const young = stored.filter((message) => message.time >= time).map(text)
        assert.deepStrictEqual(yield* since(time), young)
      }
      assert.deepStrictEqual(yield* since(0), stored.map(text))
      assert.deepStrictEqual(yield* since((stored.at(-1)?.time ?? 0) + 1), [])
    })
  )

  it.effect("a following replay from a time on gives the young ones, then what comes", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const messages = yield* Messages
      const all = { stream: room.stream, subject: room.message("*").subject }
      yield* publishMany(room, 3)
      const stored = yield* Stream.runCollect(messages.replay({ ...all, follow: false }))
      const time = stored[2]?.time ?? 0
      const young = stored.filter((message) => message.time >= time).map(text)
      const reader = yield* messages
        .replay({ ...all, follow: true, fromTimeMillis: time })
        .pipe(Stream.take(young.length + 1), Stream.runCollect, Effect.forkChild)
      yield* publishMany(room, 1, 4)
      assert.deepStrictEqual((yield* Fiber.join(reader)).map(text), [...young, "m4"])
    })
  )

  it.effect("a replay ends as well when the last messages of the stream were deleted", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const bucket = yield* openBucket(room)
      yield* Effect.forEach(["a", "b", "c"], (key) => bucket.put(key, key))
      yield* bucket.delete("c")
      const { replay } = yield* Messages
      const left = replay({ stream: `KV_${room.bucket}`, subject: ">", follow: false })
      assert.deepStrictEqual((yield* Stream.runCollect(left)).map(text), ["a", "b"])
    })
  )

  it.effect("a following replay gives what is stored, then what comes, to a slow reader as well", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const stored = yield* publishMany(room, 700)
      const { replay } = yield* Messages
      const firstRead = yield* Deferred.make<void>()
      const reader = yield* replay({ stream: room.stream, subject: ">", follow: true }).pipe(
        Stream.tap(() => Effect.andThen(Deferred.succeed(firstRead, undefined), Effect.yieldNow)),
        Stream.take(1_000),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* Deferred.await(firstRead)
      const later = yield* publishMany(room, 300, 701)
      assert.deepStrictEqual((yield* Fiber.join(reader)).map(text), [...stored, ...later])
    })
  )

  it.effect("no consumer is left on the server by replays and watches, however they ended", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const bench = yield* BusBench
      const { replay } = yield* Messages
      const bucket = yield* openBucket(room)
      yield* publishMany(room, 20)
      yield* bucket.put("k", "v")
      const follow = replay({ stream: room.stream, subject: ">", follow: true })
      yield* Stream.runDrain(replay({ stream: room.stream, subject: ">", follow: false }))
      yield* Stream.runDrain(Stream.take(follow, 3))
      yield* Effect.all([bucket.keys(), bucket.entries()])
      yield* Stream.runDrain(Stream.take(bucket.watch("k"), 1))
      const begun = yield* Deferred.make<void>()
      const interrupted = yield* Effect.forkChild(
        Stream.runForEach(follow, () => Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(interrupted)
      assert.deepStrictEqual(yield* bench.consumers(room.stream), [durable])
      assert.deepStrictEqual(yield* bench.consumers(`KV_${room.bucket}`), [])
    })
  )

  it.effect("a reader that was cut off and comes back goes on where it was", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const client = yield* startClient
      const read: Array<string> = []
      const reader = yield* Messages.use(({ replay }) =>
        replay({ stream: room.stream, subject: ">", follow: true }).pipe(
          Stream.take(40),
          Stream.runForEach((m) => Effect.sync(() => read.push(text(m))))
        )
      ).pipe(as(client), Effect.forkChild)
      const first = yield* publishMany(room, 20)
      yield* until(
        Effect.sync(() => read.length),
        (n) => n === 20
      )
      client.lose("answer", 1)
      yield* Publisher.use((p) => p.createOnce(room.message("cut"))).pipe(as(client))
      const second = yield* publishMany(room, 19, 21)
      yield* Fiber.join(reader)
      assert.deepStrictEqual(read, [...first, "cut", ...second])
    })
  )
}
