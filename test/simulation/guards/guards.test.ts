import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { edited, findingOf } from "./broken.ts"
import { guards } from "./guards.ts"

describe("guards", () => {
  it.each(guards.flatMap(({ edits, name }) => edits.map((edit) => ({ name, edit }))))(
    "$name: what $edit.file has of it stands there once, and can be taken out",
    ({ edit }) => {
      const text = readFileSync(edit.file, "utf8")
      assert.notStrictEqual(edited(text, edit), text)
    }
  )

  it.each([
    ["nowhere", "a b c", 0],
    ["twice", "guard guard", 2]
  ])("that stand %s cannot be taken out", (_, text, times) => {
    const edit = { file: "a.ts", find: "guard", replace: "" }
    assert.throws(() => edited(text, edit), `a.ts has ${times} times, not once: guard`)
  })

  it("are missed at the seed that the simulation names first", () => {
    const output = "500 of 600 seeds\n✗ seed 8: r1 has 2 tasks\n  again …\n✗ seed 9: other\n"
    assert.deepStrictEqual(findingOf(output), { seed: 8, violation: "r1 has 2 tasks" })
    assert.isUndefined(findingOf("600 seeds from 1 on, 600 passed, 0 failed, 9 s\n"))
  })
})
