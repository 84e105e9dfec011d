import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Metric, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { classifyFailures } from "./AwsError.ts"
import { measured } from "./measured.ts"
import { callSeconds, calls } from "./metrics.ts"

const none = () => undefined

/** How often an action had a result; each test has actions of its own, since all share one registry. */
const countOf = (action: string, result: string) =>
  Effect.map(Metric.value(Metric.withAttributes(calls, { action, result })), ({ count }) => count)

/** The names of spans that the effect begins. */
const spansOf = <A, E>(self: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const names: Array<string> = []
    const plain = yield* Tracer.Tracer
    const tracer = Tracer.make({
      span: (options) => {
        names.push(options.name)
        return plain.span(options)
      }
    })
    yield* Effect.exit(Effect.provideService(self, Tracer.Tracer, tracer))
    return names
  })

describe("measured", () => {
  it.effect("counts results by code, and how long all of them took", () =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<number>()
      const slow = Deferred.await(answer).pipe(measured("Slow", none))
      const call = yield* Effect.forkChild(slow, { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      yield* Deferred.succeed(answer, 1)
      assert.strictEqual(yield* Fiber.join(call), 1)
      const error = { name: "ThrottlingException", message: "Rate exceeded" }
      assert.strictEqual(yield* Effect.flip(Effect.fail(error).pipe(measured("Slow", none))), error)
      assert.deepStrictEqual([yield* countOf("Slow", "ok"), yield* countOf("Slow", "Throttled")], [1, 1])
      const { count, sum } = yield* Metric.value(Metric.withAttributes(callSeconds, { action: "Slow" }))
      assert.deepStrictEqual([count, sum], [2, 2])
    })
  )

  it.effect("an answer that refuses counts as the failure that it is, and comes through as it is", () =>
    Effect.gen(function* () {
      const answer = { failures: [{ reason: "Capacity is unavailable at this time" }] }
      const call = Effect.succeed(answer).pipe(measured("Refused", ({ failures }) => classifyFailures(failures)))
      assert.strictEqual(yield* call, answer)
      assert.deepStrictEqual([yield* countOf("Refused", "NoCapacity"), yield* countOf("Refused", "ok")], [1, 0])
    })
  )

  it.effect("a call amid which the process ends is not counted", () =>
    Effect.gen(function* () {
      const call = yield* Effect.forkChild(Effect.never.pipe(measured("Ended", none)), { startImmediately: true })
      yield* Fiber.interrupt(call)
      const { count } = yield* Metric.value(Metric.withAttributes(callSeconds, { action: "Ended" }))
      assert.strictEqual(count, 0)
    })
  )

  it.effect("is a span in a trace, and none outside of any", () =>
    Effect.gen(function* () {
      const call = Effect.void.pipe(measured("Traced", none))
      assert.deepStrictEqual(yield* spansOf(call), [])
      assert.deepStrictEqual(yield* spansOf(Effect.withSpan(call, "handling")), ["handling", "Traced"])
    })
  )
})
