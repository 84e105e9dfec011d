import { assert, describe, it } from "@effect/vitest"
import type { LogLine } from "#ecs-core/LogLine.ts"
import { aLine } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import {
  HELD_CHARACTERS_MAX,
  HELD_LINES_MAX,
  type HoldLimits,
  joinPieces,
  nothingHeld,
  releaseHeld,
  type WholeLine
} from "./join.ts"

/** Each batch is lines of one attempt; what comes out, up to the end. */
const joined = (
  batches: ReadonlyArray<readonly [attempt: number, ...lines: ReadonlyArray<LogLine>]>,
  max?: HoldLimits
): ReadonlyArray<WholeLine> => {
  let held = nothingHeld
  const out: Array<WholeLine> = []
  for (const [attempt, ...lines] of batches) {
    const [next, whole] = joinPieces(held, attempt, lines, max)
    held = next
    out.push(...whole)
  }
  return [...out, ...releaseHeld(held)]
}

const shown = (lines: ReadonlyArray<WholeLine>): ReadonlyArray<string> =>
  lines.map(({ text, partial }) => `${text}${partial === true ? " (partial)" : ""}`)

const piece = (id: string, part: number, change: Partial<LogLine> = {}): LogLine =>
  aLine(`${id}${part}`, { id, part, ...change })
const last = (id: string, part: number, change: Partial<LogLine> = {}) => piece(id, part, { last: true, ...change })
const sidecar = { container: "sidecar" }

describe("joinPieces", () => {
  it.each([
    { what: "lines as they are", batches: [[1, aLine("one"), aLine("")] as const], lines: ["one", ""] },
    {
      what: "pieces as one line",
      batches: [[1, piece("a", 1), piece("a", 2), last("a", 3)] as const],
      lines: ["a1a2a3"]
    },
    {
      what: "pieces in several batches, in the place of the last one",
      batches: [
        [1, piece("a", 1)] as const,
        [1, aLine("between")] as const,
        [1, last("a", 2), aLine("after")] as const
      ],
      lines: ["between", "a1a2", "after"]
    },
    {
      what: "long lines of two containers, piece by piece between each other",
      batches: [[1, piece("a", 1), piece("b", 1, sidecar), last("a", 2), last("b", 2, sidecar)] as const],
      lines: ["a1a2", "b1b2"]
    },
    {
      what: "long lines of two attempts, though nothing else tells them apart",
      batches: [
        [1, piece("a", 1)] as const,
        [2, piece("a", 1)] as const,
        [2, last("a", 2)] as const,
        [1, last("a", 2)] as const
      ],
      lines: ["a1a2", "a1a2"]
    },
    {
      what: "two long lines of one container",
      batches: [[1, piece("a", 1), piece("b", 1), last("a", 2), last("b", 2)] as const],
      lines: ["a1a2", "b1b2"]
    },
    {
      what: "a line whose first pieces are gone",
      batches: [[1, piece("a", 2), last("a", 3)] as const],
      lines: ["a2a3 (partial)"]
    },
    { what: "a line whose last piece never comes", batches: [[1, piece("a", 1)] as const], lines: ["a1 (partial)"] },
    {
      what: "a line with a gap, in two",
      batches: [[1, piece("a", 1), last("a", 3)] as const],
      lines: ["a1 (partial)", "a3 (partial)"]
    }
  ])("gives $what", ({ batches, lines }) => {
    assert.deepStrictEqual(shown(joined(batches)), lines)
  })

  it("gives a long line time, container and attempt of its first piece, and says that it is late", () => {
    const pieces = [piece("a", 1, { time: at(3), late: true }), last("a", 2, { time: at(3), late: true })]
    assert.deepStrictEqual(joined([[2, ...pieces]]), [
      { attempt: 2, container: "main", time: at(3), text: "a1a2", late: true }
    ])
  })

  const four = [piece("a", 1), piece("a", 2), piece("a", 3), last("a", 4)]

  it("holds as many characters as the limit, and lets go of the line that has waited longest beyond it", () => {
    assert.deepStrictEqual(shown(joined([[1, ...four]], { characters: 6, lines: 9 })), ["a1a2a3a4"])
    const beyond = shown(joined([[1, ...four]], { characters: 5, lines: 9 }))
    assert.deepStrictEqual(beyond, ["a1a2a3 (partial)", "a4 (partial)"])
    const two = [piece("a", 1), piece("b", 1), piece("b", 2), last("b", 3), last("a", 2)]
    assert.deepStrictEqual(shown(joined([[1, ...two]], { characters: 5, lines: 9 })), [
      "a1 (partial)",
      "b1b2b3",
      "a2 (partial)"
    ])
  })

  it("holds as many lines as the limit", () => {
    const two = [piece("a", 1), piece("b", 1), last("b", 2), last("a", 2)]
    assert.deepStrictEqual(shown(joined([[1, ...two]], { characters: 99, lines: 2 })), ["b1b2", "a1a2"])
    const beyond = shown(joined([[1, ...two]], { characters: 99, lines: 1 }))
    assert.deepStrictEqual(beyond, ["a1 (partial)", "b1b2", "a2 (partial)"])
  })

  it("can hold CloudWatch's longest line, and never more than its limits", () => {
    const piece48 = "x".repeat(48 * 1024)
    const pieces = Array.from({ length: 100 }, (_, n) => aLine(piece48, { id: "a", part: n + 1 }))
    let held = nothingHeld
    let most = 0
    for (const line of pieces) {
      held = joinPieces(held, 1, [line])[0]
      most = Math.max(most, held.characters)
    }
    assert.isAtLeast(most, 1024 * 1024)
    assert.isAtMost(most, HELD_CHARACTERS_MAX)
    const many = Array.from({ length: HELD_LINES_MAX + 5 }, (_, n) => piece(`line${n}`, 1))
    assert.strictEqual(joinPieces(nothingHeld, 1, many)[0].lines.size, HELD_LINES_MAX)
  })
})
