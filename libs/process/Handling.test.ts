import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Exit } from "effect"
import { Verdict } from "#bus/Verdict.ts"
import { deadSubject, HAND_BACK_SECONDS_MAX, handBack } from "#process/Handling.ts"
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

describe("deadSubject", () => {
  it.each([
    ["task.started.nightly.1", "dead.watcher.nightly"],
    ["run.finished.nightly", "dead.watcher.nightly"],
    ["task.started.nightly", "dead.watcher.unknown"]
  ])("of %s is %s", (subject, dead) => {
    assert.strictEqual(deadSubject("watcher")(aDelivery(subject, "{}")), dead)
  })
})
