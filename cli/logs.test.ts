import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Queue } from "effect"
import { aLine, aRun } from "#test/support/builders.ts"
import { at, ready, requested, runId, started, stopped } from "#test/support/messages.ts"
import type { Signal } from "./Interrupts.ts"
import { keepTail, type LogsOptions, showLogs } from "./logs.ts"
import { memoryFleet, onScreen, publishEnd, publishLines, putRun, type Screen } from "./memoryFleet.ts"

const running = aRun(requested(0), ready(1), started(2))
const over = aRun(requested(0), ready(1), started(2), stopped(5))

const options: LogsOptions = { run: runId, follow: false, tail: Option.none(), timestamps: false, json: false }

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

const three = [aLine("one"), aLine("two"), aLine("three", { time: at(7) })]

describe("showLogs", () => {
  it.effect("writes the lines so far as they are", () =>
    Effect.gen(function* () {
      yield* putRun(running)
      yield* publishLines(runId, three.slice(0, 2))
      yield* publishLines(runId, three.slice(2))
      assert.deepStrictEqual(yield* shown(), { out: "one\ntwo\nthree\n", err: "" })
      assert.strictEqual((yield* shown({ tail: Option.some(2) })).out, "two\nthree\n")
      assert.strictEqual((yield* shown({ tail: Option.some(1), timestamps: true })).out, `${at(7)} three\n`)
      assert.deepStrictEqual(JSON.parse((yield* shown({ tail: Option.some(1), json: true })).out), {
        type: "line",
        runId,
        attempt: 1,
        time: at(7),
        container: "main",
        text: "three"
      })
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("follows until the end marker, from the last N lines on", () =>
    Effect.gen(function* () {
      yield* putRun(running)
      yield* publishLines(runId, three.slice(0, 2))
      const { screen, fiber } = yield* start({ follow: true, tail: Option.some(1) })
      yield* publishLines(runId, three.slice(2))
      yield* publishEnd(runId)
      yield* Fiber.join(fiber)
      assert.match(screen.out, /^(two\n)?three\n$/)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("says what to do when there is no line", () =>
    Effect.gen(function* () {
      yield* putRun(running)
      assert.include((yield* shown()).err, `fleet logs -f ${runId}`)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("an unknown run is answered with the nearest one", () =>
    Effect.gen(function* () {
      yield* putRun(over)
      const { fiber } = yield* start({ run: "nigthly" })
      assert.include((yield* Effect.flip(Fiber.join(fiber))).message, `Did you mean ${runId}?`)
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("keepTail", () => {
  it.each([
    {
      what: "keeps what was there until it is complete",
      kept: ["a"],
      seq: 4,
      entries: ["b"],
      max: 5,
      next: [["a", "b"], []]
    },
    {
      what: "drops what is older than the last N",
      kept: ["a", "b"],
      seq: 4,
      entries: ["c"],
      max: 2,
      next: [["b", "c"], []]
    },
    {
      what: "lets the last N pass with the last message",
      kept: ["a", "b"],
      seq: 5,
      entries: ["c"],
      max: 2,
      next: [[], ["b", "c"]]
    },
    { what: "lets nothing pass for 0", kept: ["a"], seq: 5, entries: ["c"], max: 0, next: [[], []] },
    { what: "lets later lines pass as they come", kept: [], seq: 6, entries: ["d"], max: 0, next: [[], ["d"]] },
    {
      what: "loses nothing when the last message was removed meanwhile",
      kept: ["a"],
      seq: 6,
      entries: ["d"],
      max: 2,
      next: [[], ["a", "d"]]
    }
  ])("$what", ({ kept, seq, entries, max, next }) => {
    assert.deepStrictEqual(keepTail(kept, { seq, entries }, 5, max), next as never)
  })
})
