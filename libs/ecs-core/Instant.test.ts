import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { instantOf, millisOf } from "#ecs-core/Instant.ts"

const millis = Schema.Int.check(Schema.isBetween({ minimum: -62_135_596_800_000, maximum: 253_402_300_799_999 }))

describe("instantOf", () => {
  it.prop("is the engine's own text, and comes back", [millis, Schema.Int], ([at, step]) => {
    const near = Math.min(at + Math.abs(step % 1500), 253_402_300_799_999)
    for (const each of [at, near, at]) {
      assert.strictEqual(instantOf(each), new Date(each).toISOString())
      assert.strictEqual(millisOf(instantOf(each)), each)
    }
  })
})
