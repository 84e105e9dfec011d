import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Queue, Result } from "effect"
import { TestClock } from "effect/testing"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aLine, aRun } from "#test/support/builders.ts"
import { ready, requested, runId, started, stopped } from "#test/support/messages.ts"
import { firstOn } from "#test/support/runs.ts"
import { DISPATCHER_SECONDS, LINES_END_SECONDS } from "./follow/follow.ts"
import type { Signal } from "./Interrupts.ts"
import { memoryFleet, onScreen, publishEnd, publishFinished, publishLines, putRun, type Screen } from "./memoryFleet.ts"
import { orderRun, type RunOrder } from "./run.ts"

const order: RunOrder = { runId, body: { command: ["report"], runId }, json: false, detach: false, letGo: "Let go." }

const failed = aRun(requested(0), ready(1), started(2), stopped(5, { outcome: "failed", exitCode: 3 }))

/** Starts `fleet run` in the background; its exit code is the fiber's value. */
const start = Effect.fnUntraced(function* (change: Partial<RunOrder> = {}) {
  const screen: Screen = { out: "", err: "" }
  const signals = yield* Queue.unbounded<Signal>()
  const command = orderRun({ ...order, ...change }).pipe(
    Effect.as(0),
    Effect.catchTag("Ended", ({ exitCode }) => Effect.succeed(exitCode)),
    Effect.provide(onScreen(screen, signals))
  )
  return { screen, signals, fiber: yield* Effect.forkChild(command, { startImmediately: true }) }
})

/** Moves the clock second by second; how many it took until the fact. */
const secondsUntil = Effect.fnUntraced(function* (isFact: () => boolean) {
  let seconds = 0
  while (!isFact()) {
    yield* TestClock.adjust("1 second")
    seconds += 1
  }
  return seconds
})

describe("orderRun", () => {
  it.effect("publishes the request under its id and prints only the id when detached", () =>
    Effect.gen(function* () {
      const { screen, fiber } = yield* start({ detach: true })
      assert.strictEqual(yield* Fiber.join(fiber), 0)
      assert.deepStrictEqual(screen, { out: `${runId}\n`, err: "" })
      const message = yield* Messages.use((messages) => messages.last(Streams.inbox, Subjects.runRequested(runId)))
      assert.deepStrictEqual(JSON.parse(text(Option.getOrThrow(message))), { v: 1, ...order.body })
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("shows states and lines, the outcome last, and ends with the program's exit code", () =>
    Effect.gen(function* () {
      const { screen, fiber } = yield* start()
      yield* putRun(aRun(requested(0), ready(1)))
      yield* firstOn(Streams.inbox, Subjects.runRequested(runId))
      yield* publishLines(runId, [aLine("line 1"), aLine("line 2")])
      yield* putRun(failed)
      yield* publishFinished(failed)
      yield* publishLines(runId, [aLine("line 3")])
      yield* publishEnd(runId)
      assert.strictEqual(yield* Fiber.join(fiber), 3)
      assert.strictEqual(screen.out, "line 1\nline 2\nline 3\n")
      assert.match(screen.err, /^● requested nightly\n/)
      assert.match(screen.err, /\n✗ failed · exit code 3 · 5\.0 s\n$/)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("shows what the program wrote, whole, and of other containers nothing", () =>
    Effect.gen(function* () {
      const { screen, fiber } = yield* start()
      yield* putRun(failed)
      yield* publishLines(runId, [aLine("begin ", { id: "a", part: 1 }), aLine("aside", { container: "sidecar" })])
      yield* publishLines(runId, [aLine("between"), aLine("end", { id: "a", part: 2, last: true })])
      yield* publishFinished(failed)
      yield* publishEnd(runId)
      assert.strictEqual(yield* Fiber.join(fiber), 3)
      assert.strictEqual(screen.out, "between\nbegin end\n")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("late: the end marker that never comes is waited for, but not for ever", () =>
    Effect.gen(function* () {
      const { screen, fiber } = yield* start()
      yield* publishLines(runId, [aLine("line 1")])
      yield* publishFinished(failed)
      const waitedSeconds = yield* secondsUntil(() => fiber.pollUnsafe() !== undefined)
      assert.strictEqual(yield* Fiber.join(fiber), 3)
      assert.isAtLeast(waitedSeconds, LINES_END_SECONDS)
      assert.strictEqual(screen.out, "line 1\n")
      assert.include(screen.err, `fleet logs ${runId}`)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("never: says after a while that no dispatcher takes the request", () =>
    Effect.gen(function* () {
      const { screen, fiber } = yield* start()
      const waitedSeconds = yield* secondsUntil(() => screen.err.includes("No dispatcher has taken the request yet"))
      assert.isAtLeast(waitedSeconds, DISPATCHER_SECONDS)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("the first Ctrl-C cancels the run and goes on watching it", () =>
    Effect.gen(function* () {
      const { screen, signals, fiber } = yield* start()
      yield* Queue.offer(signals, "SIGINT")
      const cancel = yield* firstOn(Streams.fleet, Subjects.runCancel(runId))
      assert.deepInclude(Result.getOrThrow(Codecs.runCancel.decode(text(cancel))), { reason: "Ctrl-C in fleet run" })
      const cancelled = aRun(requested(0), ready(1), started(2), stopped(5, { outcome: "cancelled", exitCode: 143 }))
      yield* publishFinished(cancelled)
      yield* publishEnd(runId)
      assert.strictEqual(yield* Fiber.join(fiber), 130)
      assert.match(screen.err, /cancelling nightly[^]*■ cancelled · exit code 143/)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("the second Ctrl-C lets go of the run", () =>
    Effect.gen(function* () {
      const { screen, signals, fiber } = yield* start()
      yield* Queue.offerAll(signals, ["SIGINT", "SIGTERM"])
      assert.strictEqual(yield* Fiber.join(fiber), 130)
      assert.match(screen.err, /Let go\.\n$/)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("writes everything as JSON, one object a line", () =>
    Effect.gen(function* () {
      const { screen, fiber } = yield* start({ json: true })
      yield* publishLines(runId, [aLine("line 1")])
      yield* publishFinished(failed)
      yield* publishEnd(runId)
      assert.strictEqual(yield* Fiber.join(fiber), 3)
      const types = screen.out
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { readonly type: string }).type)
      assert.deepStrictEqual([types[0], types.at(-1)], ["requested", "end"])
      assert.include(types, "line")
      assert.strictEqual(screen.err, "")
    }).pipe(Effect.provide(memoryFleet()))
  )
})
