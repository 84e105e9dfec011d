import { assert, describe, it } from "@effect/vitest"
import { aTaskStarted, millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { type Watched, watch } from "./decide.ts"
import { LONG_SECONDS, pollMillis, SLOW_FACTOR, YOUNG_SECONDS } from "./pollInterval.ts"

const settings = { youngPollSeconds: 1, slowPollSeconds: 30 }

/** A task launched at nine, by default far from any deadline. */
const known = (change: Partial<Watched>, interval = 5): Watched => ({
  ...watch(aTaskStarted({ pollIntervalSeconds: interval, startDeadline: at(9000), runTimeoutSeconds: 90_000 })),
  ...change
})
const launched = { lastStatus: "PENDING" }
const running = { lastStatus: "RUNNING", startedAt: millis(100) }
const afterStart = (seconds: number) => 100 + seconds

describe("pollMillis", () => {
  it.each([
    { what: "just launched", is: launched, at: 0, often: 1 },
    { what: "young to the end", is: launched, at: YOUNG_SECONDS - 0.001, often: 1 },
    { what: "starting for longer", is: launched, at: YOUNG_SECONDS, often: 5 },
    { what: "starting for very long: as its request says", is: launched, at: 3000, often: 5 },
    { what: "just RUNNING", is: running, at: afterStart(0), often: 1 },
    { what: "RUNNING for a minute", is: running, at: afterStart(YOUNG_SECONDS), often: 5 },
    { what: "RUNNING not yet long", is: running, at: afterStart(LONG_SECONDS - 0.001), often: 5 },
    { what: "RUNNING for long", is: running, at: afterStart(LONG_SECONDS), often: 30 },
    { what: "STOPPING", is: { ...running, lastStatus: "STOPPING" }, at: 9000, often: 1 },
    { what: "a stop was sent", is: { ...running, stop: { reason: "x", sentAt: 0 } }, at: 9000, often: 1 },
    { what: "DEPROVISIONING", is: { ...running, lastStatus: "DEPROVISIONING" }, at: 9000, often: 1 },
    { what: "over, until STOPPED", is: { ...running, lastStatus: "DEPROVISIONING", over: true }, at: 9000, often: 5 },
    { what: "not known to ECS", is: { ...running, missingSince: millis(8999) }, at: 9000, often: 1 }
  ])("$what: every $often s", ({ at: seconds, is, often }) => {
    assert.strictEqual(pollMillis(known(is), settings, millis(seconds)), often * 1000)
  })

  it.each([
    { interval: 0.1, young: 0.1, starting: 0.1, long: 0.1 * SLOW_FACTOR },
    { interval: 2, young: 1, starting: 2, long: 12 },
    { interval: 30, young: 1, starting: 30, long: 30 },
    { interval: 300, young: 1, starting: 300, long: 300 }
  ])("a request's interval of $interval s is respected: $young, $starting, $long s", (row) => {
    const seconds = (is: Partial<Watched>, when: number) =>
      pollMillis(known(is, row.interval), settings, millis(when)) / 1000
    assert.strictEqual(seconds(launched, 0), row.young)
    assert.strictEqual(seconds(launched, 90), row.starting)
    assert.closeTo(seconds(running, afterStart(LONG_SECONDS)), row.long, 1e-9)
  })

  const due = 100 + 3600
  it.each([
    { before: 60, millisLater: 30_000 },
    { before: 20, millisLater: 20_001 },
    { before: 0.5, millisLater: 1000 },
    { before: -5, millisLater: 1000 }
  ])("$before s before its deadline: asked again in $millisLater ms, right behind it", ({ before, millisLater }) => {
    const task = {
      ...watch(aTaskStarted({ pollIntervalSeconds: 5, runTimeoutSeconds: 3600 })),
      lastStatus: "RUNNING",
      startedAt: millis(100)
    }
    assert.strictEqual(pollMillis(task, settings, millis(due - before)), millisLater)
  })

  it("10,000 long tasks in one cluster cost less than a fifth of the 19 calls a second (peers 102)", () => {
    const questionsPerSecond = 10_000 / (pollMillis(known(running), settings, millis(9000)) / 1000)
    assert.isBelow(questionsPerSecond / 100, 19 / 5)
  })
})
