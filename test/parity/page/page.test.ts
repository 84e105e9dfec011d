import { assert, describe, it } from "@effect/vitest"
import { claimsIn, matcherOf } from "./claims.ts"
import { isProven, page, proofsOf, readRows } from "./Page.ts"
import { unproven } from "./ran.ts"

describe("claimsIn", () => {
  const claimsOf = (text: string) => claimsIn({ path: "a.test.ts", text }).map(({ name, rows }) => [name, rows])

  it.each([
    ["one number", `it("does it (peers 24)", () => {})`, [[`does it (peers 24)`, ["24"]]]],
    ["several", `it.effect("x (peers 31, 32)", f)`, [[`x (peers 31, 32)`, ["31", "32"]]]],
    ["a range", `it("x (peers 43-45)", f)`, [[`x (peers 43-45)`, ["43", "44", "45"]]]],
    ["both kinds", `it("x (peers 5, scenario 33)", f)`, [[`x (peers 5, scenario 33)`, ["5", "S33"]]]],
    ["two brackets", `it("x (peers 5) (scenario 3)", f)`, [[`x (peers 5) (scenario 3)`, ["5", "S3"]]]],
    ["a name on a line of its own", `it.each(rows)(\n  "$what: x (peers 5)",\n f)`, [[`$what: x (peers 5)`, ["5"]]]],
    ["quotes in the name", `it("an \\"a\\" (peers 1)", f)`, [[`an "a" (peers 1)`, ["1"]]]],
    ["another string on the line", `it.each(["a"])("%s (peers 1)", f)`, [[`%s (peers 1)`, ["1"]]]],
    ["a comment", `// see "x (peers 1)"`, []],
    ["numbers that are not last", `it("x (peers 1), somewhat", f)`, []]
  ])("%s", (_, text, expected) => {
    assert.deepStrictEqual(claimsOf(text), expected as never)
  })
})

describe("matcherOf", () => {
  it.each([
    ["a plain name", "a plain name", true],
    ["a plain name", "another plain", false],
    ["%s ends", "this ends", true],
    ["$what: ends (peers)", "x: ends (peers)", true],
    ["needs ${COMMAND}", "needs this", true],
    ["costs 1.5 $", "costs 105 $", false]
  ])("«%s», «%s»: %s", (written, ran, expected) => {
    assert.strictEqual(matcherOf(written)(ran), expected)
  })
})

const sections = [
  {
    section: "One",
    statements: {
      1: { text: "pipes | and all" },
      2: { text: "b", later: "retries" },
      3: { text: "c", "not applicable": "no such thing" },
      4: { text: "d" }
    }
  }
]
const claims = [
  { file: "a.test.ts", name: "one | two", rows: ["1", "S7"] },
  { file: "b.suite.ts", name: "three %s", rows: ["1"] }
]
const rows = readRows(page(sections, [{ section: "Two", statements: { 7: { text: "e" } } }], claims))

describe("page", () => {
  it("is read back as it was written", () => {
    assert.deepStrictEqual(
      rows.map(({ id, text, proof }) => [id, text, proof]),
      [
        ["1", "pipes | and all", "a.test.ts: one | two<br>b.suite.ts: three %s"],
        ["2", "b", "later: retries"],
        ["3", "c", "not applicable: no such thing"],
        ["4", "d", ""],
        ["S7", "e", "a.test.ts: one | two"]
      ]
    )
  })

  it("proven is what names tests", () => {
    assert.deepStrictEqual(rows.map(isProven), [true, false, false, false, true])
  })
})

describe("unproven", () => {
  const proofs = proofsOf(rows)
  const passed = [
    { file: "a.test.ts", name: "one | two", state: "passed" },
    { file: "x.test.ts", name: "three of them", state: "passed" }
  ] as const

  it("nothing, where all ran and passed; a suite's tests run elsewhere", () => {
    assert.deepStrictEqual(unproven(proofs, passed), [])
  })

  it("what did not run, and what ran in another file", () => {
    const [first, ...others] = passed
    assert.deepStrictEqual(unproven(proofs, [{ ...first, file: "z.test.ts" }, ...others]), [
      "row 1: a.test.ts: one | two: did not run",
      "row S7: a.test.ts: one | two: did not run"
    ])
  })

  it("what was skipped or failed, if only in one row of a table", () => {
    const more = { file: "y.test.ts", name: "three more", state: "skipped" } as const
    assert.deepStrictEqual(unproven(proofs, [...passed, more]), ["row 1: b.suite.ts: three %s: skipped"])
  })
})
