import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aLease, aTaskStopped } from "#test/support/builders.ts"
import {
  crashEverywhere,
  defaultsOf,
  inTime,
  layerMemoryFleet,
  messagesOf,
  processPorts,
  published
} from "#test/support/MemoryFleet.ts"
import { finished, runId } from "#test/support/messages.ts"
import { startedWith, writes } from "#test/support/output.ts"
import { type Attempts, attemptKey, markEnded, takeOver } from "./attempts.ts"
import { logStreamerConfig } from "./config.ts"
import { handleEnd } from "./handle.ts"
import { makePorts, type Ports } from "./RunLog.ts"
import { round } from "./read.ts"

const settings = defaultsOf(logStreamerConfig)

/** A log-streamer with its ports, its attempts and one round at a time. */
const streamer = (requestsMax?: number) =>
  Effect.gen(function* () {
    const ports: Ports = yield* Effect.provide(makePorts, processPorts(requestsMax))
    const logs = yield* ContainerLogs
    const attempts: Attempts = new Map()
    const own = (started: TaskStarted) => {
      const { ended, lease } = aLease()
      return Effect.as(takeOver(ports, settings, attempts, started, lease), ended)
    }
    return { ports, attempts, own, round: round(ports, logs, settings, attempts) }
  })

const messages = messagesOf(Streams.logs, Subjects.logs(runId), LogCodecs.message)
const lines = Effect.map(messages, (all) => all.flatMap((each) => (isEnd(each) ? [] : each.lines)))
const texts = Effect.map(lines, (all) => all.map(({ text }) => text))
const endMarkers = Effect.map(messages, (all) => all.filter(isEnd))

const stops = (attempt: number) =>
  published(Streams.fleet, Subjects.taskStopped(runId, attempt), Codecs.taskStopped.encode(aTaskStopped({ attempt })))
const starts = (started: TaskStarted) =>
  published(Streams.fleet, Subjects.taskStarted(runId, started.attempt), Codecs.taskStarted.encode(started))
const finishes = (attempts: number) =>
  published(Streams.fleet, Subjects.runFinished(runId), Codecs.runFinished.encode(finished(0, { attempts }).message))

const rounds = (each: Effect.Effect<void>, count: number) =>
  Effect.repeat(Effect.andThen(each, TestClock.adjust("1 second")), { times: count - 1 })

const main = startedWith(1, "main")

describe("rounds of reading", () => {
  it.effect("early: a task that ends while its last lines are being published is drained all the same", () =>
    Effect.gen(function* () {
      const one = yield* streamer()
      yield* writes(main, "main", "last words")
      const ended = yield* one.own(main)
      const notices = Effect.sync(() => markEnded(one.attempts, attemptKey(runId, 1), 0))
      const publisher: Ports["publisher"] = {
        ...one.ports.publisher,
        append: (message, last) => Effect.andThen(notices, one.ports.publisher.append(message, last))
      }
      const logs = yield* ContainerLogs
      yield* rounds(round({ ...one.ports, publisher }, logs, settings, one.attempts), 10)
      assert.strictEqual(ended(), "ack")
      assert.deepStrictEqual(yield* texts, ["last words"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("early: no stream yet; then each line once, as it comes", () =>
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
      yield* one.round
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
      assert.strictEqual(frozen.attempts.size, 0)
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

  it.effect("late: lines up to the limit after the end are cut off, and the marker says so", () =>
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
