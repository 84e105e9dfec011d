import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Exit, Logger } from "effect"
import { Verdict } from "#bus/Verdict.ts"
import { deadSubject, HAND_BACK_SECONDS_MAX, handBack } from "#process/Handling.ts"
import { jsonLogger } from "#process/Telemetry.ts"
import { aDelivery } from "#test/support/builders.ts"

class Passing extends Data.TaggedError("BusUnavailable")<{ readonly message: string }> {}
class TooLarge extends Data.TaggedError("PayloadTooLarge")<{ readonly message: string }> {}

const delivery = (deliveries: number) => ({ ...aDelivery("task.started.nightly.1", "{}"), deliveries })

describe("handBack", () => {
  it.effect.each([
    [1, 1000],
    [2, 2000],
    [5, 16_000],
    [6, HAND_BACK_SECONDS_MAX * 1000],
    [10_000, HAND_BACK_SECONDS_MAX * 1000]
  ] as const)("a passing failure at delivery %d waits %d ms", ([deliveries, delayMillis]) =>
    Effect.gen(function* () {
      const step = Effect.fail(new Passing({ message: "no answer" }))
      assert.deepStrictEqual(yield* handBack(delivery(deliveries), step), Verdict.nak(delayMillis))
    })
  )

  it.effect("what no repetition can help is dead at once; a verdict and a defect pass through", () =>
    Effect.gen(function* () {
      const tooLarge = Effect.fail(new TooLarge({ message: "300 KB" }))
      assert.deepStrictEqual(yield* handBack(delivery(1), tooLarge), Verdict.dead("300 KB"))
      assert.deepStrictEqual(yield* handBack(delivery(1), Effect.succeed(Verdict.ack)), Verdict.ack)
      assert.isTrue(Exit.hasDies(yield* Effect.exit(handBack(delivery(1), Effect.die("a bug")))))
    })
  )
})

describe("about a run", () => {
  const logged = Effect.fnUntraced(function* (subject: string) {
    const lines: Array<string> = []
    const logger = Logger.layer([Logger.map(jsonLogger("svc"), (line) => void lines.push(line))])
    const step = Effect.andThen(Effect.logInfo("step"), Effect.as(Effect.currentSpan, Verdict.ack))
    const span = yield* Effect.gen(function* () {
      yield* handBack(aDelivery(subject, "{}"), step)
      return yield* Effect.currentSpan
    }).pipe(Effect.withSpan("handling"), Effect.provide(logger))
    return { line: JSON.parse(lines[0] ?? "{}") as Record<string, unknown>, span }
  })

  it.effect("logs and span of a message name the run and the attempt that its subject names", () =>
    Effect.gen(function* () {
      const { line, span } = yield* logged("task.started.nightly.2")
      assert.deepInclude(line, { message: "step", runId: "nightly", attempt: 2, traceId: span.traceId })
      assert.deepInclude(Object.fromEntries(span.attributes), { "fleet.run.id": "nightly", "fleet.attempt": 2 })
    })
  )

  it.effect("one that names none is handled all the same", () =>
    Effect.gen(function* () {
      const { line, span } = yield* logged("run.requested")
      assert.notProperty(line, "runId")
      assert.isFalse(span.attributes.has("fleet.run.id"))
    })
  )
})

describe("deadSubject", () => {
  it.each([
    ["task.started.nightly.1", "dead.watcher.nightly"],
    ["run.finished.nightly", "dead.watcher.nightly"],
    ["task.started.nightly", "dead.watcher.unknown"]
  ])("of %s is %s", (subject, dead) => {
    assert.strictEqual(deadSubject("watcher")(aDelivery(subject, "{}")), dead)
  })
})
