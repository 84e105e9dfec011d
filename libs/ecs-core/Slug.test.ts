import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { slugFamily, slugTag } from "#ecs-core/Slug.ts"

describe("slugTag", () => {
  it.each([
    ["af_sn253@!$@&$%@(bfausfg!#!*&):@cas{}[]'XY", "af_sn253@-@-@-bfausfg-:@cas-XY"],
    ["Hello, World", "Hello-World"],
    ["Data Platform", "Data-Platform"],
    ["a/b.c=d+e:f@g_h-i", "a/b.c=d+e:f@g_h-i"],
    ["--a----b--", "a-b"],
    ["!!!", ""]
  ])("a label: %s → %s", (text, slug) => {
    assert.strictEqual(slugTag(text), slug)
  })

  it.prop("a slug stays as it is", [Schema.String], ([text]) => {
    assert.strictEqual(slugTag(slugTag(text)), slugTag(text))
  })
})

describe("slugFamily", () => {
  it.each([
    ["fleet_default_nightly report", "fleet_default_nightly-report"],
    ["a.b/c", "a-b-c"],
    ["ünïcode", "n-code"],
    ["", "fleet"],
    ["***", "fleet"]
  ])("a family: %s → %s", (name, family) => {
    assert.strictEqual(slugFamily(name), family)
  })

  it.prop("1 to 255 letters, digits, - and _, really applied", [Schema.String], ([name]) => {
    assert.match(slugFamily(name), /^[a-zA-Z0-9_-]{1,255}$/)
    assert.strictEqual(slugFamily(name.repeat(300)).length <= 255, true)
  })
})
