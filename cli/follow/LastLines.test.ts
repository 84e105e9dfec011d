import { assert, describe, it } from "@effect/vitest"
import { at } from "#test/support/messages.ts"
import type { WholeLine } from "./join.ts"
import { LastLines, TAIL_LINES_MAX } from "./LastLines.ts"

const lines = (texts: ReadonlyArray<string>): ReadonlyArray<WholeLine> =>
  texts.map((text) => ({ attempt: 1, container: "main", time: at(0), text }))

const kept = (linesMax: number, charactersMax: number, ...batches: ReadonlyArray<ReadonlyArray<string>>) => {
  const last = new LastLines(linesMax, charactersMax)
  for (const batch of batches) last.add(lines(batch))
  const { lines: taken, areFewer } = last.take()
  return { texts: taken.map(({ text }) => text), areFewer }
}

describe("LastLines", () => {
  it.each([
    { what: "nothing of nothing", max: 2, batches: [], texts: [] },
    { what: "all when they fit", max: 2, batches: [["a"], ["b"]], texts: ["a", "b"] },
    { what: "the last ones", max: 2, batches: [["a", "b"], ["c"], ["d", "e"]], texts: ["d", "e"] },
    { what: "none for 0", max: 0, batches: [["a", "b"]], texts: [] }
  ])("keeps $what", ({ max, batches, texts }) => {
    assert.deepStrictEqual(kept(max, 100, ...batches), { texts, areFewer: false })
  })

  it("keeps fewer than asked for where their characters do not fit, and says so", () => {
    assert.deepStrictEqual(kept(3, 4, ["aa", "bb"]), { texts: ["aa", "bb"], areFewer: false })
    assert.deepStrictEqual(kept(3, 4, ["aa", "bb", "c"]), { texts: ["bb", "c"], areFewer: true })
    assert.deepStrictEqual(kept(2, 4, ["aaaaa", "b", "c"]), { texts: ["b", "c"], areFewer: false })
  })

  it("keeps no more than asked for, however many come", () => {
    const last = new LastLines(TAIL_LINES_MAX)
    const texts = Array.from({ length: 3 * TAIL_LINES_MAX + 7 }, (_, n) => `${n}`)
    last.add(lines(texts))
    const taken = last.take().lines
    assert.lengthOf(taken, TAIL_LINES_MAX)
    assert.strictEqual(taken[0]?.text, `${2 * TAIL_LINES_MAX + 7}`)
    assert.deepStrictEqual(last.take().lines, [])
  })
})
