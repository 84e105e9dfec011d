import { assert, describe, it } from "@effect/vitest"
import { retryDelayMillis } from "#ecs-core/RetryDelay.ts"

describe("retryDelayMillis", () => {
  it.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [5, 16_000],
    [6, 30_000],
    [7, 30_000],
    [10_000, 30_000]
  ])("delivery %i waits %i ms, at most 30 s", (deliveries, millis) => {
    assert.strictEqual(retryDelayMillis(deliveries, 30), millis)
  })
})
