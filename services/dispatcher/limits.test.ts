import { assert, describe, it } from "@effect/vitest"
import { aRun } from "#test/support/builders.ts"
import { admitted, changed, ready, requested, started, stopped } from "#test/support/messages.ts"
import { fitsIn, type HandedOut, handedOutMax, IN_HAND_MAX, isLimited, limitsOf } from "./limits.ts"

const waits = aRun(requested(0, { queued: true }))
const runs = aRun(requested(0, { queued: true }), admitted(1), ready(2), started(3))
const ends = aRun(requested(0, { queued: true }), admitted(1), ready(2), started(3), stopped(4))
const isGone = aRun(
  requested(0, { queued: true }),
  admitted(1),
  ready(2),
  started(3),
  stopped(4),
  changed(5, "STOPPED", 9)
)

describe("limits of a pool", () => {
  it.each([
    ["no pool at all", limitsOf(undefined, false), false],
    ["a pool without limits", limitsOf({ maxRunning: null }, false), false],
    ["maxRunning", limitsOf({ maxRunning: 1 }, false), true],
    ["maxSubmitPerSecond", limitsOf({ maxSubmitPerSecond: 0.5 }, false), true],
    ["a pause", limitsOf(undefined, true), true]
  ])("%s", (_, limits, limited) => {
    assert.strictEqual(isLimited(limits), limited)
  })

  it("as many messages are out as runs may be at work; without maxRunning as many as are in hand", () => {
    assert.strictEqual(handedOutMax(limitsOf({ maxRunning: 7 }, true)), 7)
    assert.strictEqual(handedOutMax(limitsOf({ maxSubmitPerSecond: 3 }, false)), IN_HAND_MAX)
  })
})

describe("fitsIn: more messages are out than maxRunning", () => {
  const out = (...records: ReadonlyArray<HandedOut["run"]>) => records.map((run, index) => ({ seq: index + 1, run }))

  it.each([
    ["nobody has a slot: the first ones fit", out(waits, waits, waits), 2, [true, true, false]],
    ["a run at work counts wherever it stands", out(waits, waits, runs), 2, [true, false]],
    ["a run that is over counts until its task is gone", out(ends, waits), 1, [false]],
    ["gone: its place is free", out(isGone, waits), 1, [true]],
    ["a message without a record may stand for a task", out(undefined, waits), 1, [false]],
    ["all places are taken", out(runs, runs, waits), 2, [false]]
  ])("%s", (_, all, maxRunning, expected) => {
    const waiting = all.filter(({ run }) => run === waits)
    assert.deepStrictEqual(
      waiting.map(({ seq }) => fitsIn(all, seq, maxRunning)),
      expected
    )
  })

  it("two who ask at once are told of different places", () => {
    const all = out(runs, waits, waits, waits)
    const admittedNow = all.filter(({ run, seq }) => run === waits && fitsIn(all, seq, 3))
    assert.deepStrictEqual(
      admittedNow.map(({ seq }) => seq),
      [2, 3]
    )
  })
})
