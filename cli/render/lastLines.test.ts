import { assert, describe, it } from "@effect/vitest"
import { at } from "#test/support/messages.ts"
import { LAST_LINE_CHARACTERS_MAX, LAST_LINES_MAX, lastLines } from "./lastLines.ts"
import { plain } from "./style.ts"

const line = (text: string, container = "main") => ({ time: at(9), container, text })
const shown = (...lines: ReadonlyArray<ReturnType<typeof line>>) => lastLines(plain, "r-1", lines)

describe("lastLines", () => {
  it("has nothing to show of no lines", () => {
    assert.deepStrictEqual(shown(), [])
  })

  it("shows each with its time, safe to be shown", () => {
    assert.deepStrictEqual(shown(line("one"), line("\u001B[31mtwo\nthree")), [
      "  09:00:09  one",
      "  09:00:09  ·[31mtwo·three"
    ])
  })

  it("names the containers where there are several", () => {
    assert.deepStrictEqual(shown(line("one"), line("two", "sidecar")), [
      "  09:00:09  main     one",
      "  09:00:09  sidecar  two"
    ])
  })

  it("shows a longer line's beginning", () => {
    const longest = "x".repeat(LAST_LINE_CHARACTERS_MAX)
    assert.deepStrictEqual(shown(line(longest), line(`${longest}y`)), [
      `  09:00:09  ${longest}`,
      `  09:00:09  ${longest}…`
    ])
  })

  it("shows the last ones of more, and says how to see the others", () => {
    const lines = Array.from({ length: LAST_LINES_MAX }, (_, n) => line(`line ${n}`))
    assert.lengthOf(shown(...lines), LAST_LINES_MAX)
    const more = shown(line("first"), ...lines)
    assert.deepStrictEqual(more.slice(0, 2), [
      `  ⋯ 1 more: fleet logs --tail ${LAST_LINES_MAX + 1} r-1`,
      "  09:00:09  line 0"
    ])
  })
})
