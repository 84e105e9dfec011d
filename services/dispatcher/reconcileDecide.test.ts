import { assert, describe, it } from "@effect/vitest"
import { evolve } from "#ecs-core/Evolve.ts"
import type { Run } from "#ecs-core/Run.ts"
import { aRun, millis } from "#test/support/builders.ts"
import { cancel, deferred, ready, requested, started, stopped } from "#test/support/messages.ts"
import {
  decideRun,
  GIVE_UP_SECONDS,
  launchUnknown,
  QUIET_SECONDS,
  type StoredOfRun,
  TELL_SECONDS
} from "./reconcileDecide.ts"

const stored: StoredOfRun = { isKnown: false, hasOrder: false, wholeSince: millis(-1000), orderlessSince: undefined }
const incomplete: Run = { ...aRun(requested(0)), incomplete: true }
const trimmed = { ...stored, wholeSince: millis(5) }
const late = QUIET_SECONDS + 10

describe("what becomes of a live run", () => {
  it.each([
    { what: "no record, nothing stored", run: undefined, change: {}, at: 0, step: "drop" },
    { what: "no record, messages are stored", run: undefined, change: { isKnown: true }, at: 0, step: "rebuild" },
    { what: "a wish alone", run: aRun(cancel(0)), change: {}, at: 0, step: "drop" },
    { what: "a wish, and messages", run: aRun(cancel(0)), change: { isKnown: true }, at: 0, step: "rebuild" },
    {
      what: "over lately",
      run: aRun(ready(1), started(2), stopped(9)),
      change: {},
      at: 8 + TELL_SECONDS,
      step: "perform"
    },
    {
      what: "over long ago",
      run: aRun(ready(1), started(2), stopped(9)),
      change: {},
      at: 9 + TELL_SECONDS,
      step: "drop"
    },
    { what: "changed lately", run: aRun(ready(1)), change: {}, at: QUIET_SECONDS, step: "nothing" },
    { what: "quiet", run: aRun(ready(1)), change: {}, at: 1 + QUIET_SECONDS, step: "perform" },
    { what: "not defined yet", run: aRun(), change: {}, at: late, step: "perform" },
    { what: "its order was never published", run: aRun(ready(1)), change: {}, at: late, step: "perform" },
    {
      what: "its order is there",
      run: aRun(ready(1)),
      change: { ...trimmed, hasOrder: true },
      at: late,
      step: "perform"
    },
    { what: "its order may be gone", run: aRun(ready(1)), change: trimmed, at: late, step: "wait" },
    { what: "a launcher told of it", run: aRun(ready(1), deferred(2)), change: trimmed, at: late, step: "perform" },
    { what: "its task is known", run: aRun(ready(1), started(2)), change: trimmed, at: late, step: "perform" },
    { what: "incomplete, without an attempt", run: incomplete, change: {}, at: late, step: "wait" },
    {
      what: "no task was found for too short",
      run: incomplete,
      change: { orderlessSince: millis(late - GIVE_UP_SECONDS + 1) },
      at: late,
      step: "wait"
    },
    {
      what: "no task was found for long enough",
      run: incomplete,
      change: { orderlessSince: millis(late - GIVE_UP_SECONDS) },
      at: late,
      step: "giveUp"
    }
  ])("$what: $step", ({ run, change, at, step }) => {
    assert.strictEqual(decideRun(run, { ...stored, ...change }, millis(at)), step)
  })

  it("twice: a launch that is given up ends the run as OutcomeUnknown, and never is another", () => {
    for (const run of [aRun(ready(1)), incomplete]) {
      const event = launchUnknown(run, millis(900))
      const ended = evolve(run, event)
      assert.deepInclude(ended, { state: "crashed" })
      assert.strictEqual(ended?.problems[0]?.code, "OutcomeUnknown")
      assert.strictEqual(evolve(ended, event), ended)
    }
    const launched = aRun(ready(1), started(2))
    assert.strictEqual(evolve(launched, launchUnknown(aRun(ready(1)), millis(900))), launched)
  })
})
