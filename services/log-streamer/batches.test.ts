import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { BATCH_BYTES_MAX, BATCH_LINES_MAX, LINE_BYTES_MAX, lineId } from "#ecs-core/LogLine.ts"
import { aLine, millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { inBatches, type Piece, pieceOf, piecesOf } from "./batches.ts"

/** The texts of a line's pieces. */
const textsOf = (text: string, bytesMax: number): ReadonlyArray<string> =>
  piecesOf({ time: at(0), container: "main" }, text, bytesMax).map(({ json }) => JSON.parse(json).text)

const sizeOf = (text: string) => Buffer.byteLength(JSON.stringify(text))

describe("piecesOf", () => {
  it.each([
    { what: "as long as allowed", text: "x".repeat(10), bytesMax: 12, pieces: 1 },
    { what: "a byte too long", text: "x".repeat(11), bytesMax: 12, pieces: 2 },
    { what: "nothing", text: "", bytesMax: 12, pieces: 1 },
    { what: "control characters, six bytes each in JSON", text: "\u0001\u0001", bytesMax: 13, pieces: 2 },
    { what: "characters outside the basic plane", text: "😀😀😀", bytesMax: 10, pieces: 2 }
  ])("$what", ({ bytesMax, pieces, text }) => {
    assert.strictEqual(textsOf(text, bytesMax).length, pieces)
  })

  const bytesMax = Schema.Int.check(Schema.isBetween({ minimum: 8, maximum: 40 }))
  it.prop(
    "joined they are the text, none is too long as JSON, none empty, no character is cut",
    [Schema.String, bytesMax],
    ([text, bytesMax]) => {
      const pieces = textsOf(text, bytesMax)
      assert.strictEqual(pieces.join(""), text)
      assert.isTrue(pieces.every((piece) => sizeOf(piece) <= bytesMax))
      assert.isTrue(pieces.length === 1 || pieces.every((piece) => piece !== ""))
      assert.deepStrictEqual(
        pieces.flatMap((piece) => [...piece]),
        [...text]
      )
    }
  )
})

describe("piecesOf: numbers", () => {
  it("a long line comes in numbered pieces, the last of which says so; a short one is one", () => {
    const line = { time: at(7), container: "main", id: "7" }
    const pieces = piecesOf(line, "x".repeat(LINE_BYTES_MAX), LINE_BYTES_MAX)
    assert.deepStrictEqual(
      pieces.map(({ bytes, isFirst, json, time }) => [
        JSON.parse(json).part,
        JSON.parse(json).last,
        isFirst,
        time,
        bytes
      ]),
      [
        [1, undefined, true, millis(7), pieces[0]?.json.length],
        [2, true, false, millis(7), pieces[1]?.json.length]
      ]
    )
    assert.deepStrictEqual(
      piecesOf(line, "ä", LINE_BYTES_MAX).map(({ json }) => JSON.parse(json)),
      [{ ...line, text: "ä" }]
    )
  })
})

describe("inBatches", () => {
  const bytesOf = (pieces: ReadonlyArray<Piece>) => pieces.reduce((sum, { bytes }) => sum + bytes + 1, 0)
  /** A line that takes so many bytes of a batch. */
  const lineOf = (bytes: number) =>
    pieceOf(aLine("x".repeat(bytes - bytesOf([pieceOf(aLine(""))])), { id: lineId("") }))

  it.each([
    { lines: 0, sizes: [] },
    { lines: 1, sizes: [1] },
    { lines: BATCH_LINES_MAX, sizes: [BATCH_LINES_MAX] },
    { lines: BATCH_LINES_MAX + 1, sizes: [BATCH_LINES_MAX, 1] }
  ])("$lines short lines in batches of $sizes", ({ lines, sizes }) => {
    const batches = inBatches(Array.from({ length: lines }, (_, n) => pieceOf(aLine(`line ${n}`))))
    assert.deepStrictEqual(
      batches.map(({ length }) => length),
      sizes
    )
  })

  it("a batch may be as large as allowed and not a byte larger", () => {
    const half = BATCH_BYTES_MAX / 2
    assert.strictEqual(bytesOf([lineOf(half), lineOf(half)]), BATCH_BYTES_MAX)
    assert.strictEqual(inBatches([lineOf(half), lineOf(half)]).length, 1)
    assert.strictEqual(inBatches([lineOf(half), lineOf(half + 1)]).length, 2)
  })

  it("the longest piece of a line fits", () => {
    const longest = { ...aLine("x".repeat(LINE_BYTES_MAX - 2)), late: true, part: 1000, last: true }
    assert.isBelow(bytesOf([pieceOf(longest)]), BATCH_BYTES_MAX)
  })

  const sizes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 48_000 })))
  it.prop(
    "nothing is lost, the order stays, every batch is within its limits and none is empty",
    [sizes],
    ([sizes]) => {
      const lines = sizes.map(lineOf)
      const batches = inBatches(lines)
      assert.deepStrictEqual(batches.flat(), lines)
      assert.isTrue(batches.every((batch) => batch.length > 0 && batch.length <= BATCH_LINES_MAX))
      assert.isTrue(batches.every((batch) => bytesOf(batch) <= BATCH_BYTES_MAX))
    }
  )
})
