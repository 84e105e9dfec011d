import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { at } from "#test/support/messages.ts"
import { afterDrains, begun, DRAINS_MAX, type Drain, DrainCodec, ended, isDraining } from "./Drain.ts"

const past = (from: number, to: number, more: Partial<Drain> = {}): Drain => ({
  at: at(from),
  endedAt: at(to),
  ...more
})

describe("a drain", () => {
  it.each([
    { what: "none yet", drain: undefined, expected: false },
    { what: "begun", drain: { at: at(1) }, expected: true },
    { what: "ended", drain: past(1, 2), expected: false }
  ])("$what: in force $expected", ({ drain, expected }) => {
    assert.strictEqual(isDraining(drain), expected)
  })

  it("begins once: asked twice, time and reason stay those of the first", () => {
    const first = begun(undefined, at(1), "patches")
    assert.deepStrictEqual(first, { at: at(1), reason: "patches" })
    assert.strictEqual(begun(first, at(2), "others"), first)
  })

  it("ends once: asked twice, the end stays that of the first; without a drain there is nothing to end", () => {
    const over = ended({ at: at(1), reason: "patches" }, at(5))
    assert.deepStrictEqual(over, { at: at(1), reason: "patches", endedAt: at(5) })
    assert.strictEqual(ended(over, at(6)), over)
    assert.isUndefined(ended(undefined, at(6)))
  })

  it(`keeps the times of the last ${DRAINS_MAX} before it, the latest first`, () => {
    let drain: Drain | undefined
    for (let number = 0; number <= DRAINS_MAX + 1; number++)
      drain = ended(begun(drain, at(10 * number), "x"), at(10 * number + 1))
    assert.deepStrictEqual(drain?.earlier?.length, DRAINS_MAX)
    assert.deepStrictEqual(drain?.earlier?.[0], { at: at(10 * DRAINS_MAX), endedAt: at(10 * DRAINS_MAX + 1) })
  })

  it("is read as it was written", () => {
    const drain = past(1, 2, { reason: "patches", earlier: [{ at: at(0), endedAt: at(1) }] })
    assert.deepInclude(Result.getOrThrow(DrainCodec.decode(DrainCodec.encode(drain))), drain)
  })
})

describe("afterDrains", () => {
  it.each([
    { what: "no drain", drain: undefined, expected: 100 },
    { what: "one before the order", drain: past(1, 9), expected: 100 },
    { what: "one that ended with the order", drain: past(1, 10), expected: 100 },
    { what: "one that began before the order", drain: past(1, 15), expected: 105 },
    { what: "one within", drain: past(20, 27), expected: 107 },
    { what: "two", drain: past(40, 50, { earlier: [{ at: at(20), endedAt: at(27) }] }), expected: 117 },
    { what: "one in force, of which nobody knows how long it lasts", drain: { at: at(20) }, expected: 100 }
  ])("a deadline at 100 s of an order at 10 s, $what: at $expected s", ({ drain, expected }) => {
    assert.strictEqual(afterDrains(at(100), at(10), drain), at(expected))
  })
})
