import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { parseStopReason, STOP_REASON_MAX, StopCodes, stopReason } from "#ecs-core/StopReason.ts"

const Code = Schema.Literals(Object.values(StopCodes))

describe("stop reasons", () => {
  it.prop(
    "come back from ECS as they were sent",
    [Code, Schema.String.check(Schema.isMaxLength(100))],
    ([code, detail]) => {
      assert.deepStrictEqual(parseStopReason(stopReason(code, detail)), { code, detail })
    }
  )

  it.prop("stay within the limit and keep their code", [Code, Schema.String], ([code, detail]) => {
    const reason = stopReason(code, detail.repeat(50))
    assert.isAtMost(reason.length, STOP_REASON_MAX)
    assert.strictEqual(parseStopReason(reason)?.code, code)
  })

  it("reads as code and words (peers 118)", () => {
    assert.strictEqual(stopReason(StopCodes.cancelled, "superseded"), "fleet:cancelled: superseded")
    assert.strictEqual(stopReason(StopCodes.runTimeout), "fleet:run-timeout")
  })

  it("takes only the first colon off", () => {
    assert.deepStrictEqual(parseStopReason("fleet:cancelled: why: because"), {
      code: StopCodes.cancelled,
      detail: "why: because"
    })
    assert.strictEqual(parseStopReason("fleet:cancelled by ECS: late")?.detail, " by ECS: late")
  })

  it.each([undefined, "", "Task stopped by user", "cancelled", "Fleet:cancelled", " fleet:cancelled", "fleet:paused"])(
    "none of ours: %s",
    (reason) => {
      assert.isUndefined(parseStopReason(reason))
    }
  )
})
