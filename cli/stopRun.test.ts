import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Queue, Result } from "effect"
import { text } from "#bus/Message.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aRun } from "#test/support/builders.ts"
import { ready, requested, runId, started, stopped } from "#test/support/messages.ts"
import { firstOn, stored } from "#test/support/runs.ts"
import type { Signal } from "./Interrupts.ts"
import { memoryFleet, onScreen, publishFinished, putRun, type Screen } from "./memoryFleet.ts"
import { type StopOptions, stopRun } from "./stopRun.ts"

const running = aRun(requested(0), ready(1), started(2))
const cancelled = aRun(requested(0), ready(1), started(2), stopped(5, { outcome: "cancelled", exitCode: 143 }))
const options: StopOptions = { run: runId, reason: Option.none(), detach: false, json: false }

const start = Effect.fnUntraced(function* (change: Partial<StopOptions> = {}) {
  const screen: Screen = { out: "", err: "" }
  const signals = yield* Queue.unbounded<Signal>()
  const command = stopRun({ ...options, ...change }).pipe(Effect.provide(onScreen(screen, signals)))
  return { screen, fiber: yield* Effect.forkChild(command, { startImmediately: true }) }
})

describe("stopRun", () => {
  it.effect("asks to cancel, with the reason, and waits until the run is over", () =>
    Effect.gen(function* () {
      yield* putRun(running)
      const { screen, fiber } = yield* start({ reason: Option.some("wrong input") })
      const cancel = yield* firstOn(Streams.fleet, Subjects.runCancel(runId))
      assert.deepInclude(Result.getOrThrow(Codecs.runCancel.decode(text(cancel))), { reason: "wrong input" })
      yield* publishFinished(cancelled)
      yield* Fiber.join(fiber)
      assert.strictEqual(screen.out, "■ cancelled · exit code 143 · 5.0 s\n")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("does not wait when detached, and cuts a reason that is too long for the message", () =>
    Effect.gen(function* () {
      yield* putRun(running)
      const { screen, fiber } = yield* start({ detach: true, reason: Option.some("x".repeat(201)) })
      yield* Fiber.join(fiber)
      const cancel = yield* firstOn(Streams.fleet, Subjects.runCancel(runId))
      assert.deepInclude(Result.getOrThrow(Codecs.runCancel.decode(text(cancel))), { reason: "x".repeat(200) })
      assert.include(screen.err, `Asked to stop ${runId}`)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("says that a run is over already, and asks nothing", () =>
    Effect.gen(function* () {
      yield* putRun(cancelled)
      yield* publishFinished(cancelled)
      const { screen, fiber } = yield* start()
      yield* Fiber.join(fiber)
      assert.include(screen.out, `Run ${runId} is over already: ■ cancelled`)
      assert.lengthOf(yield* stored(Streams.fleet, Subjects.runCancel(runId)), 0)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("an unknown run is a failure that names the nearest one", () =>
    Effect.gen(function* () {
      yield* putRun(running)
      const { fiber } = yield* start({ run: "nightyl" })
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.deepInclude(error, { _tag: "Failure", exitCode: 1 })
      assert.include(error.message, `Did you mean ${runId}?`)
    }).pipe(Effect.provide(memoryFleet()))
  )
})
