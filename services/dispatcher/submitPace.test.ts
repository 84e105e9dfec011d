import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { reserve, type SubmitPace } from "./submitPace.ts"

const START = Date.UTC(2026, 2, 1, 9)

/** What replicas that share one pace are given, one reservation after the other, at the times at which they ask. */
const taken = (perSecond: number, asks: ReadonlyArray<readonly [afterMillis: number, wanted: number]>) => {
  let pace: SubmitPace | undefined
  let now = START
  return asks.flatMap(([afterMillis, wanted]) => {
    now += afterMillis
    const reserved = reserve(pace, perSecond, wanted, now)
    pace = reserved.pace
    return reserved.at.map((at) => ({ at, now }))
  })
}

describe("maxSubmitPerSecond", () => {
  it("the first admission is free at once, the next one a period later", () => {
    const first = reserve(undefined, 4, 1, START)
    assert.deepStrictEqual(first.at, [START])
    assert.deepStrictEqual(reserve(first.pace, 4, 1, START).at, [START + 250])
    assert.deepStrictEqual(reserve(first.pace, 4, 1, START + 700).at, [START + 700])
  })

  it("a batch is what belongs to a tenth of a second, and never less than one", () => {
    assert.deepStrictEqual(
      reserve(undefined, 50, 100, START).at,
      [0, 20, 40, 60, 80].map((at) => START + at)
    )
    assert.strictEqual(reserve(undefined, 0.01, 100, START).at.length, 1)
    assert.strictEqual(reserve(undefined, 1000, 3, START).at.length, 3)
  })

  it("a faster rate takes effect at once, whatever was reserved under the slow one", () => {
    const slow = reserve(undefined, 0.01, 1, START)
    assert.deepStrictEqual(reserve(slow.pace, 0.01, 1, START).at, [START + 100_000])
    assert.deepStrictEqual(reserve(slow.pace, 10, 1, START).at, [START + 100])
  })

  const Rates = Schema.Literals([0.01, 0.5, 1, 3, 20, 333, 1000])
  const Wait = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5000 }))
  const Wanted = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 }))
  const Asks = Arbitrary.array(Arbitrary.schema(Schema.Tuple([Wait, Wanted])), { minLength: 1, maxLength: 60 })

  it.prop(
    "no second ever has more than its admissions, however many replicas ask for how many and when",
    [Arbitrary.schema(Rates), Asks],
    ([perSecond, asks]) => {
      const all = taken(perSecond, asks)
      for (const [index, { at }] of all.entries()) {
        const within = all.slice(index).filter((other) => other.at < at + 1000 - 1e-3).length
        assert.isAtMost(within, Math.ceil(perSecond))
      }
    },
    { arbitrary: { runs: 200 } }
  )

  it.prop(
    "nobody waits while an admission is free: each comes at once, or a period after the one before",
    [Arbitrary.schema(Rates), Asks],
    ([perSecond, asks]) => {
      const all = taken(perSecond, asks)
      for (const [index, { at, now }] of all.entries()) {
        const before = all[index - 1]?.at ?? Number.NEGATIVE_INFINITY
        assert.approximately(at, Math.max(now, before + 1000 / perSecond), 1e-3)
      }
    },
    { arbitrary: { runs: 200 } }
  )
})
