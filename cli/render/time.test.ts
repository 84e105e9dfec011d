import { assert, describe, it } from "@effect/vitest"
import { age, between, lengthOf } from "./time.ts"

const since = "2026-03-01T09:00:00.000Z"
const after = (seconds: number) => Date.parse(since) + seconds * 1000

describe("age", () => {
  it.each([
    { seconds: -5, shown: "0s" },
    { seconds: 0, shown: "0s" },
    { seconds: 59.9, shown: "59s" },
    { seconds: 60, shown: "1m" },
    { seconds: 3599, shown: "59m" },
    { seconds: 3600, shown: "1h" },
    { seconds: 86_399, shown: "23h" },
    { seconds: 86_400, shown: "1d" },
    { seconds: 12.5 * 86_400, shown: "12d" }
  ])("$seconds s are $shown", ({ seconds, shown }) => {
    assert.strictEqual(age(since, after(seconds)), shown)
  })
})

describe("lengthOf", () => {
  it.each([
    { millis: -1, shown: "0.0 s" },
    { millis: 940, shown: "0.9 s" },
    { millis: 9_949, shown: "9.9 s" },
    { millis: 59_400, shown: "59 s" },
    { millis: 60_000, shown: "1 min 0 s" },
    { millis: 200_000, shown: "3 min 20 s" },
    { millis: 3_600_000, shown: "1 h 0 min" },
    { millis: 7_500_000, shown: "2 h 5 min" }
  ])("$millis ms are $shown", ({ millis, shown }) => {
    assert.strictEqual(lengthOf(millis), shown)
  })

  it("measures from one moment to another", () => {
    assert.strictEqual(between(since, "2026-03-01T09:00:01.500Z"), "1.5 s")
  })
})
