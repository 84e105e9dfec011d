import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  BACK_MILLIS_MAX,
  BACK_MILLIS_MIN,
  HOLD_MILLIS,
  isAdmitted,
  type Line,
  promise,
  SHORT_WAIT_MILLIS,
  shareOf,
  slowDelayMillis
} from "./admission.ts"

const line = (change: Partial<Line> = {}): Line => ({
  nowMillis: 100_000,
  waitMillis: 0,
  stepMillis: 50,
  promisedMillis: 0,
  ...change
})

describe("isAdmitted", () => {
  const backlog = 200_000
  it.each([
    { what: "no wait", line: line(), isReturning: false, expected: true },
    {
      what: "no wait, though others were handed back",
      line: line({ promisedMillis: backlog }),
      isReturning: false,
      expected: true
    },
    {
      what: "a short wait",
      line: line({ waitMillis: SHORT_WAIT_MILLIS, promisedMillis: backlog }),
      isReturning: false,
      expected: true
    },
    {
      what: "longer, new, behind others",
      line: line({ waitMillis: SHORT_WAIT_MILLIS + 1, promisedMillis: backlog }),
      isReturning: false,
      expected: false
    },
    {
      what: "longer, new, nobody handed back",
      line: line({ waitMillis: HOLD_MILLIS }),
      isReturning: false,
      expected: true
    },
    {
      what: "longer, it was handed back itself",
      line: line({ waitMillis: HOLD_MILLIS, promisedMillis: backlog }),
      isReturning: true,
      expected: true
    },
    { what: "too long", line: line({ waitMillis: HOLD_MILLIS + 1 }), isReturning: true, expected: false }
  ])("$what: $expected", ({ line, isReturning, expected }) => {
    assert.strictEqual(isAdmitted(line, isReturning), expected)
  })
})

describe("promise", () => {
  it("gives each order a turn of its own, and calls it back before that", () => {
    const first = promise(line({ waitMillis: 10_000 }), 0)
    assert.deepStrictEqual(first, { delayMillis: 5050, promisedMillis: 110_050 })
    const second = promise(line({ waitMillis: 10_000, promisedMillis: first.promisedMillis }), 0)
    assert.deepStrictEqual(second, { delayMillis: 5100, promisedMillis: 110_100 })
  })

  it("promises nothing to who is too far behind: it comes to look again", () => {
    const far = line({ waitMillis: 10_000, promisedMillis: 100_000 + BACK_MILLIS_MAX + 5_000 })
    assert.deepStrictEqual(promise(far, 0), { delayMillis: 30_000, promisedMillis: far.promisedMillis })
    assert.strictEqual(promise(far, 1).delayMillis, 24_000)
    const near = { ...far, promisedMillis: far.promisedMillis - 50 }
    assert.deepStrictEqual(promise(near, 0), { delayMillis: 30_000, promisedMillis: far.promisedMillis })
  })

  const millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000_000 }))
  it.prop(
    "never hands back for less or more than the limits, nor takes a promise back",
    { wait: millis, step: millis, promised: millis },
    ({ wait, step, promised }) => {
      const given = line({ waitMillis: wait, stepMillis: step, promisedMillis: promised })
      const { delayMillis, promisedMillis } = promise(given, 0.5)
      assert.isAtLeast(delayMillis, BACK_MILLIS_MIN)
      assert.isAtMost(delayMillis, BACK_MILLIS_MAX)
      assert.isAtLeast(promisedMillis, promised)
    }
  )

  it("where AWS is slow, orders come again after 5 s to 10 s", () => {
    assert.deepStrictEqual([slowDelayMillis(0), slowDelayMillis(1)], [5000, 10_000])
  })
})

describe("shareOf", () => {
  it.each([1, 3, 30, 100])("%i lanes that are stuck leave a place for another", (lanes) => {
    const held = Array.from({ length: lanes }, () => 0)
    const total = () => held.reduce((sum, each) => sum + each, 0)
    for (let order = 0; order < 5000; order++) {
      const lane = order % lanes
      if ((held[lane] ?? 0) < shareOf(1024, total())) held[lane] = (held[lane] ?? 0) + 1
    }
    assert.isAbove(shareOf(1024, total()), 0)
    assert.isBelow(total(), 1024)
  })

  it("one order at a time is enough to go on", () => {
    assert.isAbove(shareOf(1, 0), 0)
    assert.strictEqual(shareOf(1, 1), 0)
  })
})
