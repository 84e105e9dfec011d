import { assert, describe, it } from "@effect/vitest"
import { fill, placesIn } from "#ecs-core/Placeholders.ts"

const values = {
  cpu: 512,
  off: false,
  zero: 0,
  empty: "",
  tag: "1.4",
  list: ["a", "b"],
  object: { type: "spread", field: "attribute:ecs.availability-zone" },
  none: null,
  braces: "{{ tag }}"
}

describe("fill", () => {
  it.each([
    { text: "{{ cpu }}", value: 512 },
    { text: "{{cpu}}", value: 512 },
    { text: "{{   cpu\t}}", value: 512 },
    { text: "{{ off }}", value: false },
    { text: "{{ zero }}", value: 0 },
    { text: "{{ empty }}", value: "" },
    { text: "{{ list }}", value: ["a", "b"] },
    { text: "{{ object }}", value: values.object },
    { text: "{{ braces }}", value: "{{ tag }}" }
  ])("one placeholder keeps the type: $text (peers 3)", ({ text, value }) => {
    assert.deepStrictEqual(fill({ deep: [{ at: text }] }, values), { deep: [{ at: value }] })
  })

  it.each(["{{ none }}", "{{ unheard-of }}", "{{ toString }}"])(
    "%s has no value: its member is gone, and its element of a list (peers 4)",
    (text) => {
      const filled = fill({ kept: 1, gone: text, list: ["first", text, "last"], nested: [{ gone: text }] }, values)
      assert.deepStrictEqual(filled, { kept: 1, list: ["first", "last"], nested: [{}] })
      assert.isUndefined(fill(text, values))
    }
  )

  it.each([
    { text: "reports:{{ tag }}", value: "reports:1.4" },
    { text: "{{ tag }}-{{cpu}}", value: "1.4-512" },
    { text: " {{ cpu }}", value: " 512" },
    { text: "off={{ off }} none={{ none }}.", value: "off=false none=." },
    { text: "{{ list }} {{ object }}", value: `["a","b"] ${JSON.stringify(values.object)}` },
    { text: "x{{ braces }}", value: "x{{ tag }}" },
    { text: "$& {{ tag }}", value: "$& 1.4" },
    { text: "{ { tag } } {{ tag", value: "{ { tag } } {{ tag" }
  ])("inside a longer text it becomes text: $text (peers 5)", ({ text, value }) => {
    assert.strictEqual(fill(text, values), value)
  })

  it("leaves alone what has none, and what it is given", () => {
    const given = { a: [1, null, true, { b: "{{" }], "{{ cpu }}": "key" }
    const before = JSON.stringify(given)
    assert.deepStrictEqual(fill(given, values), given)
    assert.strictEqual(JSON.stringify(given), before)
  })
})

describe("placesIn", () => {
  it("tells where placeholders stand, which, and whether they stand alone", () => {
    const value = { a: "{{ x }}", b: ["{{ y }} and {{ x }}", 5], c: { d: "plain" }, "{{ no }}": 1 }
    assert.deepStrictEqual(placesIn(value), [
      { path: ["a"], names: ["x"], isWhole: true },
      { path: ["b", "0"], names: ["y", "x"], isWhole: false }
    ])
  })
})
