import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { defaultBusSettings } from "./BusSettings.ts"
import { patiently, pauseMillis, unavailable } from "./patience.ts"
import { WireError, type WireFault } from "./wire/Wire.ts"

const settings = defaultBusSettings

const failure = (fault: WireFault) => new WireError({ fault, message: "no answer" })

describe("pauses between retries", () => {
  it.each([
    [0, 0, 50],
    [1, 0, 100],
    [4, 0, 800],
    [5, 0, 1_000],
    [60, 0, 1_000],
    [0, 0.999, 25],
    [60, 0.999, 500]
  ])("retry %i with random number %f: about %i ms", (retry, random, millis) => {
    assert.closeTo(pauseMillis(settings, retry, random), millis, 1)
  })
})

describe("patience", () => {
  it.effect("repeats what passes, until it is over", () =>
    Effect.gen(function* () {
      let tries = 0
      const attempt = Effect.suspend(() => (++tries < 5 ? failure("transient") : Effect.succeed("done")))
      const fiber = yield* Effect.forkChild(patiently(settings, attempt))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([yield* Fiber.join(fiber), tries], ["done", 5])
    })
  )

  it.effect("gives up within the time allowed, not before its last second", () =>
    Effect.gen(function* () {
      const attempt = Effect.andThen(Effect.void, failure("transient"))
      const started = yield* Clock.currentTimeMillis
      const ended = Effect.andThen(Effect.flip(patiently(settings, attempt)), Clock.currentTimeMillis)
      const fiber = yield* Effect.forkChild(ended)
      yield* TestClock.adjust("1 minute")
      const waited = (yield* Fiber.join(fiber)) - started
      assert.isAtMost(waited, 30_000)
      assert.isAtLeast(waited, 29_000)
    })
  )

  it.effect.each<WireFault>([
    "wrongLastSequence",
    "tooLarge",
    "full",
    "denied",
    "missing",
    "exists",
    "closed",
    "refused"
  ])("does not repeat %s", (fault) =>
    Effect.gen(function* () {
      let tries = 0
      const attempt = Effect.suspend(() => {
        tries++
        return failure(fault)
      })
      assert.strictEqual((yield* Effect.flip(patiently(settings, attempt))).fault, fault)
      assert.strictEqual(tries, 1)
    })
  )

  it("tells the caller what was attempted, what happened and what to do", () => {
    const error = unavailable("publish a")(failure("full"))
    assert.deepInclude(error, { operation: "publish a", reason: "Full" })
    assert.match(error.message, /^publish a: no answer; .*raise its byte limit$/)
  })
})
