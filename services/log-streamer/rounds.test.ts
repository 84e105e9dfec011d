import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { isEnd } from "#ecs-core/LogLine.ts"
import { aTaskStopped } from "#test/support/builders.ts"
import { layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import { startedWith, writes } from "#test/support/output.ts"
import { lines, main, messages, roundOf, rounds, streamer, texts } from "#test/support/streamer.ts"
import { markEnded } from "./Desk.ts"
import type { Ports } from "./RunLog.ts"
import { DEEP_LOOK_SECONDS } from "./reading.ts"

describe("rounds of reading", () => {
  it.effect("early: a task that ends while its last lines are being published is drained all the same", () =>
    Effect.gen(function* () {
      const one = yield* streamer()
      yield* writes(main, "main", "last words")
      const ended = yield* one.own(main)
      const notices = Effect.sync(() => markEnded(one.desk, aTaskStopped({ attempt: 1 }), 0))
      const publisher: Ports["publisher"] = {
        ...one.ports.publisher,
        append: (message, last) => Effect.andThen(notices, one.ports.publisher.append(message, last))
      }
      yield* rounds(roundOf({ ...one.desk, ports: { ...one.ports, publisher } }), 10)
      assert.strictEqual(ended(), "ack")
      assert.deepStrictEqual(yield* texts, ["last words"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("early: no stream yet; then each line once, as it comes (peers 107)", () =>
    Effect.gen(function* () {
      const one = yield* streamer()
      yield* one.own(main)
      yield* rounds(one.round, 3)
      for (const text of ["a", "b"]) {
        yield* writes(main, "main", text)
        yield* rounds(one.round, 3)
      }
      assert.deepStrictEqual(yield* texts, ["a", "b"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("two containers are merged by time, each with its own position", () =>
    Effect.gen(function* () {
      const both = startedWith(1, "main", "sidecar")
      yield* writes(both, "main", { a: 0, c: 2 })
      yield* writes(both, "sidecar", { b: 1, d: 3 })
      const one = yield* streamer()
      yield* one.own(both)
      yield* rounds(one.round, 2)
      assert.deepStrictEqual(
        (yield* lines).map(({ container, text }) => [text, container]),
        [
          ["a", "main"],
          ["b", "sidecar"],
          ["c", "main"],
          ["d", "sidecar"]
        ]
      )
      const [batch] = yield* messages
      assert(batch !== undefined && !isEnd(batch))
      assert.deepStrictEqual(
        batch.positions.map((position) => [position.container, position.lines]),
        [
          ["main", 2],
          ["sidecar", 2]
        ]
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("twice: a young attempt reads from long ago, the old one's lines are not published again", () =>
    Effect.gen(function* () {
      const one = yield* streamer()
      yield* writes(main, "main", "old")
      yield* one.own(main)
      yield* rounds(one.round, 50)
      const second = startedWith(2, "main")
      yield* one.own(second)
      yield* writes(second, "main", "new")
      yield* rounds(one.round, 3)
      assert.deepStrictEqual(yield* texts, ["old", "new"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: a line that CloudWatch shows later than newer ones says so", () =>
    Effect.gen(function* () {
      const one = yield* streamer()
      yield* TestClock.adjust("20 seconds")
      yield* writes(main, "main", "new")
      yield* one.own(main)
      yield* one.round
      yield* writes(main, "main", { old: 15_000 })
      yield* rounds(one.round, DEEP_LOOK_SECONDS + 1)
      assert.deepStrictEqual(
        (yield* lines).map(({ late, text }) => [text, late]),
        [
          ["new", undefined],
          ["old", true]
        ]
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("many lines come in batches, each of which tells how far it goes", () =>
    Effect.gen(function* () {
      const one = yield* streamer()
      yield* one.own(main)
      const written = Array.from({ length: 250 }, (_, n) => `line ${n}`)
      yield* writes(main, "main", Object.fromEntries(written.map((text, n) => [text, n])))
      yield* one.round
      const batches = (yield* messages).flatMap((each) => (isEnd(each) ? [] : [each]))
      assert.deepStrictEqual(
        batches.map(({ lines, positions }) => [lines.length, positions[0]?.lines, positions[0]?.time]),
        [
          [100, 100, 99],
          [100, 200, 199],
          [50, 250, 249]
        ]
      )
      assert.deepStrictEqual(yield* texts, written)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("an attempt without output says why, once, and its lease goes back at once", () =>
    Effect.gen(function* () {
      const silent = { ...main, logs: { sources: [], notice: "There is no output to show." } }
      for (const each of [yield* streamer(), yield* streamer()]) {
        assert.strictEqual((yield* each.own(silent))(), "ack")
      }
      assert.deepStrictEqual(yield* texts, ["There is no output to show."])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
