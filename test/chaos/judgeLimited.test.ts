import { assert, describe, it } from "@effect/vitest"
import { judgePools, type SeenPools } from "./judgeLimited.ts"

const requested = ["a", "b", "c", "d", "e", "f"]
const inTurn = requested.map((runId, at) => ({ runId, createdAt: at * 100 }))
const peak = { family: "fleet_narrow", launched: 6, running: 0, most: 2, mostAt: 100 }
const seen = (change: Partial<SeenPools> = {}): SeenPools => ({
  maxRunning: 2,
  peak,
  requested,
  tasks: [...inTurn, { runId: "other", createdAt: 5100 }],
  others: [{ runId: "other", at: 5000 }],
  ...change
})

describe("judge of a limited pool", () => {
  it("all is well: as many tasks as may be, in turn, and the other pool at once", () => {
    assert.deepStrictEqual(judgePools(seen()), { most: 2, places: [0, 0, 0], otherMillis: 100, violations: [] })
  })

  it.each([
    ["one task too many", { peak: { ...peak, most: 3 } }, /had 3 tasks at a time, of 2 at most/],
    ["slots that nobody used", { peak: { ...peak, most: 1 } }, /never had more than 1 tasks, of 2/],
    ["no task at all", { peak: undefined }, /never had more than 0 tasks/],
    [
      "starts in the opposite order",
      { tasks: inTurn.map(({ runId }, at) => ({ runId, createdAt: -at })), others: [] },
      /half of the runs started 3 places or more/
    ],
    ["another pool that waits", { others: [{ runId: "other", at: 4000 }] }, /1 runs of another pool waited longer/],
    ["another pool that never starts", { others: [{ runId: "none", at: 0 }] }, /1 runs of another pool waited longer/]
  ])("%s", (_, change, message) => {
    const { violations } = judgePools(seen(change))
    assert.strictEqual(violations.length, 1)
    assert.match(violations[0] ?? "", message)
  })

  it("one run that was in the hands of a killed service is late, and no violation", () => {
    const tasks = inTurn.map(({ createdAt, runId }) => ({ runId, createdAt: runId === "a" ? 9999 : createdAt }))
    assert.deepInclude(judgePools(seen({ tasks, others: [] })), { places: [1, 5, 5], violations: [] })
  })
})
