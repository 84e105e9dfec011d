import { assert, describe, it } from "@effect/vitest"
import { cut, flush, lineBytesMax, noBytes } from "./lines.ts"

const through = (chunks: ReadonlyArray<string | Buffer>, max?: number): ReadonlyArray<string> => {
  let rest = noBytes
  const lines: Array<string> = []
  for (const chunk of chunks) {
    const next = cut(rest, Buffer.from(chunk), max)
    lines.push(...next.lines)
    rest = next.rest
  }
  return [...lines, ...flush(rest, max)]
}

describe("lines", () => {
  it.each([
    { name: "whole lines", chunks: ["a\nb\n"], lines: ["a", "b"] },
    { name: "a line over two chunks", chunks: ["he", "llo\nwor", "ld\n"], lines: ["hello", "world"] },
    { name: "a last line without newline", chunks: ["a\nb"], lines: ["a", "b"] },
    { name: "empty lines are no events", chunks: ["a\n\n\nb\n\n"], lines: ["a", "b"] },
    { name: "blanks and carriage returns stay", chunks: [" \nb\r\n"], lines: [" ", "b\r"] },
    { name: "nothing", chunks: [], lines: [] }
  ])("$name", ({ chunks, lines }) => {
    assert.deepStrictEqual(through(chunks), lines)
  })

  it("a character torn between two chunks is whole again", () => {
    const bytes = Buffer.from("grüße\n")
    for (let at = 1; at < bytes.length; at++) {
      assert.deepStrictEqual(through([bytes.subarray(0, at), bytes.subarray(at)]), ["grüße"])
    }
  })

  it.each([
    { length: lineBytesMax, pieces: 1 },
    { length: lineBytesMax + 1, pieces: 2 },
    { length: 3 * lineBytesMax, pieces: 3 }
  ])("a line of $length bytes makes $pieces events", ({ length, pieces }) => {
    const line = "x".repeat(length)
    for (const chunks of [[`${line}\n`], [line], [line, "\n"]]) {
      const lines = through(chunks)
      assert.strictEqual(lines.length, pieces)
      assert.strictEqual(lines.join(""), line)
      assert.isTrue(lines.every((piece) => Buffer.byteLength(piece) <= lineBytesMax))
    }
  })

  it("a split never tears a character, wherever the chunks end", () => {
    const line = "aé€😀".repeat(20)
    const bytes = Buffer.from(line)
    for (let size = 1; size <= bytes.length; size += 7) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size)
      )
      const lines = through(chunks, 16)
      assert.strictEqual(lines.join(""), line)
      assert.isTrue(lines.every((piece) => Buffer.byteLength(piece) <= 16))
    }
  })

  it("bytes that are not UTF-8 still come through in pieces", () => {
    const lines = through([Buffer.alloc(100, 0x80)], 16)
    assert.isTrue(lines.length > 1)
  })
})
