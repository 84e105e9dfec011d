import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Queue, type Scope } from "effect"
import { TestClock } from "effect/testing"
import type { Ports } from "#bus/Bus.ts"
import { RunId } from "#ecs-core/Ids.ts"
import type { LogLine } from "#ecs-core/LogLine.ts"
import { aLine, aPosition, aRun, millis } from "#test/support/builders.ts"
import { at, ready, requested, runId, started, stopped } from "#test/support/messages.ts"
import { LINES_END_SECONDS } from "./follow/follow.ts"
import type { Signal } from "./Interrupts.ts"
import { showLogs } from "./logs.ts"
import type { LogsOptions } from "./logsOptions.ts"
import {
  memoryFleet,
  onScreen,
  publishEnd,
  publishFinished,
  publishLines,
  publishUnreadable,
  putRun,
  type Screen
} from "./memoryFleet.ts"

const running = aRun(requested(0), ready(1), started(2))
const over = aRun(requested(0), ready(1), started(2), stopped(5))
const other = RunId.make("other-1")

const options: LogsOptions = {
  runs: [runId],
  follow: false,
  containers: { kind: "own" },
  wanted: {},
  timestamps: false,
  json: false
}

const start = Effect.fnUntraced(function* (change: Partial<LogsOptions>) {
  const screen: Screen = { out: "", err: "" }
  const signals = yield* Queue.unbounded<Signal>()
  const command = showLogs({ ...options, ...change }).pipe(Effect.provide(onScreen(screen, signals)))
  return { screen, fiber: yield* Effect.forkChild(command, { startImmediately: true }) }
})

const shown = Effect.fnUntraced(function* (change: Partial<LogsOptions> = {}) {
  const { screen, fiber } = yield* start(change)
  yield* Fiber.join(fiber)
  return screen
})

const onFleet = <A, E>(name: string, test: Effect.Effect<A, E, Ports | Scope.Scope>) =>
  it.effect(name, () => test.pipe(Effect.provide(memoryFleet())))

const three = [aLine("one"), aLine("two"), aLine("three", { time: at(7) })]
const sidecar = { container: "sidecar" }
const piece = (text: string, part: number, change: Partial<LogLine> = {}) =>
  aLine(text, { id: "long", part, ...change })

describe("showLogs", () => {
  onFleet(
    "writes the lines so far as they are",
    Effect.gen(function* () {
      yield* putRun(running)
      yield* publishLines(runId, three.slice(0, 2))
      yield* publishLines(runId, three.slice(2))
      assert.deepStrictEqual(yield* shown(), { out: "one\ntwo\nthree\n", err: "" })
      assert.strictEqual((yield* shown({ tail: 2 })).out, "two\nthree\n")
      assert.strictEqual((yield* shown({ tail: 1, timestamps: true })).out, `${at(7)} three\n`)
      assert.deepStrictEqual(yield* shown({ tail: 0 }), { out: "", err: "" })
      assert.strictEqual((yield* shown({ runs: [runId, runId.slice(0, 6)] })).out, "one\ntwo\nthree\n")
      assert.deepStrictEqual(JSON.parse((yield* shown({ tail: 1, json: true })).out), {
        type: "line",
        runId,
        attempt: 1,
        time: at(7),
        container: "main",
        text: "three"
      })
    })
  )

  onFleet(
    "follows until the end marker, from the last N lines on",
    Effect.gen(function* () {
      yield* putRun(running)
      yield* publishLines(runId, three.slice(0, 2))
      const { screen, fiber } = yield* start({ follow: true, tail: 1 })
      yield* publishLines(runId, three.slice(2))
      yield* publishEnd(runId)
      yield* Fiber.join(fiber)
      assert.match(screen.out, /^(two\n)?three\n$/)
    })
  )

  onFleet(
    "joins long lines, however their pieces are stored, and matches them as a whole",
    Effect.gen(function* () {
      yield* putRun(running)
      yield* publishLines(runId, [piece("begin ", 1), aLine("between")])
      yield* publishLines(runId, [piece("end", 2, { last: true }), piece("torn", 1, { id: "torn" })])
      assert.strictEqual((yield* shown()).out, "between\nbegin end\ntorn\n")
      assert.include((yield* shown()).err, `! 1 line of run ${runId} came in parts`)
      const matching = yield* shown({ wanted: { pattern: /n end$/u }, json: true })
      assert.deepStrictEqual(JSON.parse(matching.out), {
        type: "line",
        runId,
        attempt: 1,
        time: at(0),
        container: "main",
        text: "begin end"
      })
      assert.strictEqual(
        (yield* shown({ wanted: { pattern: /torn/u }, json: true })).out.includes('"partial":true'),
        true
      )
      assert.strictEqual((yield* shown({ wanted: { pattern: /e/u }, tail: 1 })).out, "begin end\n")
    })
  )

  onFleet(
    "shows lines that are not too old, also those of other containers in the batch of an old one",
    Effect.gen(function* () {
      yield* TestClock.setTime(millis(100))
      yield* putRun(running)
      const times = [
        aLine("old", { time: at(1) }),
        aLine("young", { time: at(9), ...sidecar }),
        aLine("late", { time: at(8), late: true })
      ]
      yield* publishLines(runId, times)
      const since = (seconds: number) => ({ wanted: { sinceMillis: millis(seconds) } })
      assert.strictEqual(
        (yield* shown({ ...since(8), containers: { kind: "all" } })).out,
        "sidecar | young\nmain    | late\n"
      )
      assert.strictEqual((yield* shown(since(1))).out, "old\nlate\n")
      assert.include((yield* shown(since(10))).err, `Run ${runId} has no line since ${at(10)}.`)
      yield* TestClock.setTime(millis(3 * 3600))
      yield* publishLines(runId, [aLine("now", { time: at(3 * 3600) })])
      assert.strictEqual((yield* shown(since(3 * 3600 - 60))).out, "now\n")
    })
  )

  onFleet(
    "an unknown run is answered with the nearest one",
    Effect.gen(function* () {
      yield* putRun(over)
      const { fiber } = yield* start({ runs: [runId, "nigthly"] })
      assert.include((yield* Effect.flip(Fiber.join(fiber))).message, `Did you mean ${runId}?`)
    })
  )

  onFleet(
    "says where lines may be missing, and which could not be read",
    Effect.gen(function* () {
      yield* putRun(over)
      yield* publishLines(runId, [aLine("one")])
      yield* publishUnreadable(runId)
      yield* publishEnd(runId, { complete: false, containers: [aPosition({ drained: "cut" })] })
      const { out, err } = yield* shown()
      assert.strictEqual(out, "one\n")
      assert.match(err, /^! The last lines of container main may be missing: [^\n]*\n! 1 message [^\n]* cannot be read/)
      assert.strictEqual((yield* shown({ json: true })).err, err)
    })
  )

  onFleet(
    "never: the end marker of a run that is over is waited for, and after a while that is said",
    Effect.gen(function* () {
      yield* putRun(running)
      yield* publishLines(runId, [aLine("one")])
      yield* publishFinished(over)
      const { screen, fiber } = yield* start({ follow: true })
      while (!screen.err.includes("a log-streamer may be missing")) yield* TestClock.adjust("1 second")
      assert.isAtLeast(yield* Clock.currentTimeMillis, LINES_END_SECONDS * 1000)
      yield* publishLines(runId, [aLine("late")])
      yield* publishEnd(runId)
      yield* Fiber.join(fiber)
      assert.strictEqual(screen.out, "one\nlate\n")
    })
  )
})

describe("showLogs of a run that was over long ago", () => {
  onFleet(
    "does not wait for an end marker that is missing, and says that it is",
    Effect.gen(function* () {
      yield* TestClock.setTime(millis(5 + LINES_END_SECONDS))
      yield* putRun(over)
      yield* publishLines(runId, [aLine("one")])
      assert.deepStrictEqual(yield* shown(), { out: "one\n", err: "" })
      yield* TestClock.adjust("1 millis")
      const { out, err } = yield* shown({ follow: true })
      assert.strictEqual(out, "one\n")
      assert.match(err, /^! Run nightly is over and its lines have not ended: .*fleet logs nightly\n$/)
      yield* publishEnd(runId)
      assert.deepStrictEqual(yield* shown({ follow: true }), { out: "one\n", err: "" })
      assert.match((yield* shown({ wanted: { sinceMillis: millis(99_999) } })).err, /^Run nightly has no line since/)
    })
  )
})

describe("showLogs of several containers", () => {
  const lines = [aLine("hello"), aLine("proxy up", sidecar), aLine("There is little output.", { container: "fleet" })]

  onFleet(
    "shows by default what the program wrote and what the fleet has to say",
    Effect.gen(function* () {
      yield* putRun(running)
      yield* publishLines(runId, lines)
      assert.deepStrictEqual(yield* shown(), { out: "hello\n", err: "! There is little output.\n" })
      const all = yield* shown({ containers: { kind: "all" } })
      assert.strictEqual(all.out, "main | hello\nsidecar | proxy up\n")
      assert.strictEqual((yield* shown({ containers: { kind: "one", name: "sidecar" } })).out, "proxy up\n")
      const none = yield* shown({ containers: { kind: "one", name: "sidcar" } })
      assert.include(none.err, "Did you mean sidecar?")
    })
  )

  onFleet(
    "looks up the program's container of each attempt, also of one that begins while it follows",
    Effect.gen(function* () {
      yield* putRun(running)
      yield* publishLines(runId, [aLine("first"), aLine("aside", sidecar)])
      const { screen, fiber } = yield* start({ follow: true })
      yield* putRun(aRun(requested(0), ready(1), started(2), ready(8, { attempt: 2, containerName: "sidecar" })))
      yield* publishLines(runId, [aLine("aside"), aLine("second", sidecar)], 2)
      yield* publishLines(runId, [aLine("late"), aLine("aside", sidecar)])
      yield* publishEnd(runId)
      yield* Fiber.join(fiber)
      assert.strictEqual(screen.out, "first\nsecond\nlate\n")
    })
  )

  onFleet(
    "shows all of a run whose record is gone, also when it is to be followed",
    Effect.gen(function* () {
      yield* publishLines(runId, lines)
      const all = { out: "main | hello\nsidecar | proxy up\n", err: "! There is little output.\n" }
      assert.deepStrictEqual(yield* shown(), all)
      assert.deepStrictEqual(yield* shown({ follow: true }), all)
    })
  )
})

describe("showLogs of several runs", () => {
  const second = { ...running, runId: other }

  onFleet(
    "replays them in the order of time, each line with its run; tail is per run",
    Effect.gen(function* () {
      yield* putRun(running)
      yield* putRun(second)
      yield* publishLines(runId, [aLine("a1", { time: at(1) }), aLine("a4", { time: at(4) })])
      yield* publishLines(other, [aLine("b2", { time: at(2) }), aLine("b3", { time: at(3) })])
      const runs = [runId, other]
      assert.strictEqual((yield* shown({ runs })).out, "nightly | a1\nother-1 | b2\nother-1 | b3\nnightly | a4\n")
      assert.strictEqual((yield* shown({ runs, tail: 1 })).out, "other-1 | b3\nnightly | a4\n")
      const json = (yield* shown({ runs, tail: 1, json: true })).out.trimEnd().split("\n")
      assert.deepStrictEqual(
        json.map((line) => (JSON.parse(line) as { readonly runId: string }).runId),
        [other, runId]
      )
    })
  )

  onFleet(
    "follows them until the last one is over; no line is torn by another run's",
    Effect.gen(function* () {
      yield* putRun(running)
      yield* putRun(second)
      const { screen, fiber } = yield* start({ runs: [runId, other], follow: true })
      yield* publishLines(runId, [piece("begin ", 1)])
      yield* publishLines(other, [aLine("between")])
      yield* publishEnd(other)
      yield* publishLines(runId, [piece("end", 2, { last: true })])
      yield* publishEnd(runId, { complete: false })
      yield* Fiber.join(fiber)
      assert.sameMembers(screen.out.trimEnd().split("\n"), ["other-1 | between", "nightly | begin end"])
      assert.include(screen.err, "! nightly: The last lines may be missing")
    })
  )

  onFleet(
    "says which of them has nothing to show, and what to do",
    Effect.gen(function* () {
      yield* putRun(running)
      yield* putRun(second)
      assert.include((yield* shown()).err, `fleet logs -f ${runId}`)
      yield* publishLines(other, [aLine("hello")])
      const { out, err } = yield* shown({ runs: [runId, other] })
      assert.strictEqual(out, "other-1 | hello\n")
      assert.include(err, `No output of run ${runId} yet. Wait for it with: fleet logs -f ${runId}`)
    })
  )
})
