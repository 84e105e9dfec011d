import { assert, describe, it } from "@effect/vitest"
import type { LogLine } from "#ecs-core/LogLine.ts"
import { aLine } from "#test/support/builders.ts"
import { closing, lineText, type OpenLine } from "./lines.ts"

const written = (lines: ReadonlyArray<LogLine>): string => {
  let open: OpenLine | undefined
  let out = ""
  for (const line of lines) {
    const [text, next] = lineText(open, line)
    open = next
    out += text
  }
  return out + closing(open)
}

describe("lineText", () => {
  it("writes each line as it is", () => {
    assert.strictEqual(
      written([aLine("one"), aLine(""), aLine("\u001B[31mred\u001B[0m")]),
      "one\n\n\u001B[31mred\u001B[0m\n"
    )
  })

  it("puts the pieces of a long line together", () => {
    const pieces = [
      aLine("aaa", { part: 1 }),
      aLine("bbb", { part: 2 }),
      aLine("ccc", { part: 3, last: true }),
      aLine("next")
    ]
    assert.strictEqual(written(pieces), "aaabbbccc\nnext\n")
  })

  it("ends a long line whose other pieces never come", () => {
    assert.strictEqual(written([aLine("aaa", { part: 1 })]), "aaa\n")
    assert.strictEqual(written([aLine("aaa", { part: 1 }), aLine("other")]), "aaa\nother\n")
    assert.strictEqual(written([aLine("aaa", { part: 1 }), aLine("ccc", { part: 3, last: true })]), "aaa\nccc\n")
  })

  it("keeps the long lines of two containers apart", () => {
    const lines = [aLine("aaa", { part: 1 }), aLine("bbb", { container: "sidecar", part: 2, last: true })]
    assert.strictEqual(written(lines), "aaa\nbbb\n")
  })
})
