import { assert, describe, it } from "@effect/vitest"
import { figure, figures, judge, median, quantile } from "./figures.ts"

describe("figures", () => {
  it.each([
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.99, 10],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.1, 1],
    [[7], 0, 7]
  ])("of %j the quantile %f is %d", (values, q, expected) => {
    assert.strictEqual(quantile(values, q), expected)
  })

  it("of nothing there is no median", () => {
    assert.isNaN(median([]))
  })

  it("a figure has its spread", () => {
    assert.deepStrictEqual(figure("ms", [9, 2, 4]), { median: 4, min: 2, max: 9, unit: "ms" })
  })

  it("repetitions become figures, key by key", () => {
    const made = figures({ p50: "ms", calls: "calls" }, [
      { p50: 3, calls: 1 },
      { p50: 1, calls: 1 },
      { p50: 2, calls: 5 }
    ])
    assert.deepStrictEqual(made, {
      p50: { median: 2, min: 1, max: 3, unit: "ms" },
      calls: { median: 1, min: 1, max: 5, unit: "calls" }
    })
  })
})

describe("goals", () => {
  const measured = { figures: { a: figure("ms", [1, 15, 90]) }, ratios: { b: 0.3 } }

  it.each([
    ["a", "<=", 15, true],
    ["a", "<=", 14.9, false],
    ["a", ">=", 15, true],
    ["a", "=", 15, true],
    ["b", ">=", 0.3, true],
    ["b", ">=", 0.31, false],
    ["absent", "<=", 1000, false],
    ["absent", ">=", 0, false]
  ] as const)("%s %s %d: %s", (key, op, value, met) => {
    assert.deepStrictEqual(judge({ ...measured, goals: { [key]: { op, value } } }), { [key]: { op, value, met } })
  })
})
