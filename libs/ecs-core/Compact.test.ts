import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { compact } from "#ecs-core/Compact.ts"

describe("compact", () => {
  it.each([null, undefined, "", [], {}, [null, {}], { a: { b: [] } }])("removes %j", (nothing) => {
    assert.deepStrictEqual(compact({ nothing, deep: { nothing, kept: 1 } }), { deep: { kept: 1 } })
  })

  it.each([false, 0, "x", [""], [0], { a: false }])("keeps %j", (something) => {
    assert.deepStrictEqual(compact({ something }), { something })
  })

  it("keeps an empty text where it is a value that somebody set", () => {
    const meant = { environment: [{ name: "A", value: "" }], dockerLabels: { a: "" }, options: { labels: "" } }
    assert.deepStrictEqual(compact(meant), meant)
    assert.deepStrictEqual(compact({ environment: [{ name: "A", value: null }] }), { environment: [{ name: "A" }] })
  })

  it.prop(
    "is done once, and changes nothing that it is given",
    [Schema.Record(Schema.String, Schema.Json)],
    ([value]) => {
      const before = JSON.stringify(value)
      const once = compact(value)
      assert.deepStrictEqual(compact(once), once)
      assert.strictEqual(JSON.stringify(value), before)
    }
  )
})
