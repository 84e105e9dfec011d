import { assert } from "@effect/vitest"
import { Effect, Option } from "effect"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { as, type BusIt, openRoom, startClient, storedIn, textsIn } from "./bus.facts.ts"

export const publisherSuite = (it: BusIt): void => {
  it.effect("createOnce twice stores once and says so", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const publisher = yield* Publisher
      assert.strictEqual(yield* publisher.createOnce(room.message("a", "first")), "created")
      assert.strictEqual(yield* publisher.createOnce(room.message("a", "second")), "exists")
      assert.deepStrictEqual(yield* textsIn(room.stream), ["first"])
    })
  )

  it.effect("createOnce by six clients at once has one winner per subject", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const clients = yield* Effect.all(Array.from({ length: 6 }, () => startClient))
      const subjects = Array.from({ length: 20 }, (_, i) => `s${i}`)
      const outcomes = yield* Effect.forEach(
        clients.flatMap((client, n) => subjects.map((subject) => ({ client, subject, n }))),
        ({ client, subject, n }) =>
          Publisher.use((p) => p.createOnce(room.message(subject, `by ${n}`))).pipe(as(client)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(outcomes.filter((outcome) => outcome === "created").length, subjects.length)
      assert.strictEqual((yield* storedIn(room.stream)).length, subjects.length)
    })
  )

  it.effect.each(["request", "answer"] as const)(
    "createOnce whose %s is lost stores once and knows it was us",
    (what) =>
      Effect.gen(function* () {
        const room = yield* openRoom()
        const client = yield* startClient
        client.lose(what, 1)
        const outcome = yield* Publisher.use((p) => p.createOnce(room.message("a"))).pipe(as(client))
        assert.strictEqual(outcome, "created")
        assert.deepStrictEqual(yield* textsIn(room.stream), ["a"])
      })
  )

  it.effect("a producer's own message id keeps a message from being stored twice, and can be read", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const { publish } = yield* Publisher
      const m = { ...room.message("a"), headers: { "Nats-Msg-Id": "order-7" } }
      const [first, second] = yield* Effect.all([publish(m), publish(m)])
      assert.deepStrictEqual(second, first)
      const stored = yield* storedIn(room.stream)
      assert.deepStrictEqual(
        stored.map(({ headers }) => headers),
        [{ "Nats-Msg-Id": "order-7" }]
      )
    })
  )

  it.effect("what createOnce stores has the caller's headers and one of the bus", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      yield* Publisher.use((p) => p.createOnce({ ...room.message("a"), headers: { Color: "red" } }))
      const [stored] = yield* storedIn(room.stream)
      assert.deepStrictEqual(Object.keys(stored?.headers ?? {}).toSorted(), ["Bus-Publish-Id", "Color"])
    })
  )

  it.effect("append is fenced by the last sequence: a zombie learns that it is one", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const publisher = yield* Publisher
      yield* publisher.publish(room.message("other"))
      const first = yield* publisher.append(room.message("log", "1"), 0)
      const second = yield* publisher.append(room.message("log", "2"), first)
      const zombie = yield* Effect.flip(publisher.append(room.message("log", "zombie"), first))
      assert.strictEqual(zombie._tag, "WrongLastSequence")
      assert.isAbove(second, first)
      assert.deepStrictEqual(yield* textsIn(room.stream), ["other", "1", "2"])
    })
  )

  it.effect.each(["request", "answer"] as const)(
    "append whose %s is lost stores once and returns its sequence",
    (what) =>
      Effect.gen(function* () {
        const room = yield* openRoom()
        const client = yield* startClient
        const publisher = yield* Publisher
        const first = yield* publisher.append(room.message("log", "1"), 0)
        client.lose(what, 1)
        const second = yield* Publisher.use((p) => p.append(room.message("log", "2"), first)).pipe(as(client))
        const last = yield* Messages.use((m) => m.last(room.stream, room.message("log").subject))
        assert.strictEqual(Option.getOrThrow(last).seq, second)
        assert.deepStrictEqual(yield* textsIn(room.stream), ["1", "2"])
      })
  )

  it.effect("append behind a sequence that was never the subject's last one is refused", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const refused = yield* Effect.flip(Publisher.use((p) => p.append(room.message("log"), 77)))
      assert.strictEqual(refused._tag, "WrongLastSequence")
    })
  )

  it.effect("what the stream does not take for its size is refused at once, what just fits is not", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ stream: { maxMessageBytes: 1_000 } })
      const publisher = yield* Publisher
      yield* publisher.publish(room.message("a", "x".repeat(900)))
      const tooLarge = yield* Effect.flip(publisher.createOnce(room.message("b", "x".repeat(1_001))))
      const farTooLarge = yield* Effect.flip(publisher.publish(room.message("c", "x".repeat(1_100_000))))
      assert.deepStrictEqual([tooLarge._tag, farTooLarge._tag], ["PayloadTooLarge", "PayloadTooLarge"])
      assert.strictEqual((yield* storedIn(room.stream)).length, 1)
    })
  )

  it.effect("a full stream that discards new messages refuses them and keeps the old ones", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ stream: { maxBytes: 20_000, discard: "new" } })
      const publisher = yield* Publisher
      const fill = Effect.forever(publisher.publish(room.message("a", "x".repeat(1_000))))
      const refused = yield* Effect.flip(fill)
      assert.strictEqual(refused._tag === "BusUnavailable" && refused.reason, "Full")
      assert.isAbove((yield* storedIn(room.stream)).length, 10)
    })
  )

  it.effect("the current span travels as traceparent, next to the caller's own headers", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const publisher = yield* Publisher
      const span = yield* publisher
        .publish({ ...room.message("a"), headers: { Color: "red" } })
        .pipe(Effect.andThen(Effect.currentSpan), Effect.withSpan("test"))
      const [stored] = yield* storedIn(room.stream)
      assert.strictEqual(stored?.headers["traceparent"], `00-${span.traceId}-${span.spanId}-01`)
      assert.strictEqual(stored?.headers["Color"], "red")
    })
  )
}
