import { assert, describe, it } from "@effect/vitest"
import { CallLog } from "./CallLog.ts"

const read = { region: "us-east-1", action: "FilterLogEvents" }
const afar = { ...read, region: "eu-central-1" }

describe("CallLog", () => {
  const filled = () => {
    const log = new CallLog(100)
    log.add(read, 1000)
    log.add(afar, 1000)
    log.add({ ...afar, error: "ThrottlingException" }, 1001)
    log.add(read, 2000)
    return log
  }

  it("counts by action, also region by region", () => {
    assert.deepStrictEqual(filled().totals(), {
      calls: { FilterLogEvents: 3 },
      refused: { "FilterLogEvents ThrottlingException": 1 },
      regions: {
        "us-east-1": { calls: { FilterLogEvents: 2 }, refused: {} },
        "eu-central-1": { calls: { FilterLogEvents: 1 }, refused: { "FilterLogEvents ThrottlingException": 1 } }
      }
    })
  })

  it.each([
    { from: 0, to: 3000, calls: 3 },
    { from: 1000, to: 2000, calls: 2 },
    { from: 1001, to: 2000, calls: 0 },
    { from: 2000, to: Number.POSITIVE_INFINITY, calls: 1 },
    { from: 1000, to: 1000, calls: 0 }
  ])("from $from, before $to: $calls calls", ({ from, to, calls }) => {
    const found = filled().within({ from, to })
    assert.deepStrictEqual([found.calls["FilterLogEvents"] ?? 0, found.knownSince], [calls, 0])
  })

  it("keeps the times of 3 and no more; says since when it knows all, and still counts all", () => {
    const log = new CallLog(3)
    for (const at of [10, 20, 30]) log.add(read, at)
    assert.deepInclude(log.within({ from: 0, to: 100 }), { calls: { FilterLogEvents: 3 }, knownSince: 0 })
    log.add(read, 40)
    assert.deepInclude(log.within({ from: 0, to: 100 }), { calls: { FilterLogEvents: 3 }, knownSince: 11 })
    assert.deepStrictEqual(log.totals().calls, { FilterLogEvents: 4 })
  })
})
