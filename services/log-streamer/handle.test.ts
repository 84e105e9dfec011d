import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { isEnd } from "#ecs-core/LogLine.ts"
import { crashEverywhere, inTime, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import { startedWith, writes } from "#test/support/output.ts"
import {
  endMarkers,
  finishes,
  main,
  messages,
  rounds,
  settings,
  starts,
  stops,
  streamer,
  texts
} from "#test/support/streamer.ts"
import { handleEnd } from "./handle.ts"

describe("take-over", () => {
  it.effect("crash between any two lines: every line once, in order, and drained", () =>
    Effect.gen(function* () {
      const expected = ["a", "b", "c", "d", "e", "f"]
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const dying = yield* streamer(requestsMax)
          const result = yield* Effect.result(dying.own(main))
          for (const text of expected) {
            yield* writes(main, "main", text)
            if (text < "d" && result._tag === "Success") yield* inTime(dying.round)
            yield* TestClock.adjust("1 second")
          }
          const survived = (yield* texts).length === 3
          yield* stops(1)
          const successor = yield* streamer()
          const ended = yield* successor.own(main)
          yield* rounds(successor.round, 10)
          assert.deepStrictEqual(yield* texts, expected)
          assert.strictEqual(ended(), "ack")
          return survived
        })
      )
      assert.isAbove(places, 3)
    })
  )

  it.effect("frozen: a reader that wakes up behind its successor stops, and no line comes twice", () =>
    Effect.gen(function* () {
      const [frozen, successor] = [yield* streamer(), yield* streamer()]
      const ended = yield* frozen.own(main)
      yield* writes(main, "main", "a")
      yield* frozen.round
      yield* successor.own(main)
      yield* writes(main, "main", { b: 1, c: 2 })
      yield* successor.round
      yield* frozen.round
      assert.deepStrictEqual(yield* texts, ["a", "b", "c"])
      assert.strictEqual(ended(), `nak ${settings.leaseSeconds * 1000}`)
      assert.strictEqual(frozen.desk.attempts.size, 0)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("two attempts of one run by two readers at once: both go on, the last batch knows both", () =>
    Effect.gen(function* () {
      const second = startedWith(2, "main")
      const [one, other] = [yield* streamer(), yield* streamer()]
      yield* one.own(main)
      yield* other.own(second)
      for (let n = 0; n < 5; n++) {
        yield* writes(main, "main", `one ${n}`)
        yield* writes(second, "main", `two ${n}`)
        yield* Effect.all([one.round, other.round], { concurrency: 2 })
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(new Set(yield* texts).size, 10)
      assert.strictEqual((yield* texts).length, 10)
      const last = (yield* messages).at(-1)
      assert(last !== undefined && !isEnd(last))
      assert.sameMembers(
        last.positions.map((position) => `${position.attempt}: ${position.lines}`),
        ["1: 5", "2: 5"]
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("twice: an attempt that is drained is not read again", () =>
    Effect.gen(function* () {
      const one = yield* streamer()
      yield* writes(main, "main", "a")
      yield* stops(1)
      yield* one.own(main)
      yield* rounds(one.round, 10)
      assert.strictEqual((yield* (yield* streamer()).own(main))(), "ack")
      assert.deepStrictEqual(yield* texts, ["a"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("handleEnd", () => {
  it.effect("early: it waits until the attempt is drained; twice: one end marker", () =>
    Effect.gen(function* () {
      yield* starts(main)
      const one = yield* streamer()
      yield* one.own(main)
      yield* writes(main, "main", "a")
      yield* one.round
      const end = yield* finishes(1)
      assert.strictEqual((yield* handleEnd(one.ports, end))._tag, "Nak")
      yield* stops(1)
      const other = yield* streamer()
      yield* other.own(main)
      yield* rounds(other.round, 10)
      for (const { ports } of [one, other]) assert.deepStrictEqual(yield* handleEnd(ports, end), { _tag: "Ack" })
      const [marker, ...more] = yield* endMarkers
      assert.deepStrictEqual([marker?.end.lines, marker?.end.complete, more.length], [1, true, 0])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: lines up to the limit after the end are cut off, and the marker says so (peers 110)", () =>
    Effect.gen(function* () {
      yield* starts(main)
      yield* stops(1)
      const one = yield* streamer()
      const ended = yield* one.own(main)
      for (let second = 0; ended() === undefined; second++) {
        yield* writes(main, "main", `line ${second}`)
        yield* rounds(one.round, 1)
      }
      assert.strictEqual((yield* texts).length, settings.drainMaxSeconds + 1)
      assert.deepStrictEqual(yield* handleEnd(one.ports, yield* finishes(1)), { _tag: "Ack" })
      assert.strictEqual((yield* endMarkers)[0]?.end.complete, false)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect.each([
    { what: "no task was ever started", attempts: 0 },
    { what: "its only launch was rejected", attempts: 1 }
  ])("$what: the marker comes at once", ({ attempts }) =>
    Effect.gen(function* () {
      const { ports } = yield* streamer()
      assert.deepStrictEqual(yield* handleEnd(ports, yield* finishes(attempts)), { _tag: "Ack" })
      assert.deepInclude((yield* endMarkers)[0]?.end, { lines: 0, containers: [], complete: true })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("two at once: one end marker", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* streamer(), yield* streamer()]
      const end = yield* finishes(0)
      yield* Effect.all([handleEnd(one.ports, end), handleEnd(other.ports, end)], { concurrency: 2 })
      assert.strictEqual((yield* endMarkers).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
