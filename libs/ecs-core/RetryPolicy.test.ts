import { assert, describe, it } from "@effect/vitest"
import {
  type AttemptEnd,
  nextAttempt,
  pauseMillis,
  RETRY_DEFAULTS,
  RETRYABLE_OUTCOMES,
  type RetryPolicy
} from "#ecs-core/RetryPolicy.ts"
import { Outcome } from "#ecs-core/RunState.ts"

const policy = (change: Partial<RetryPolicy> = {}): RetryPolicy => ({ ...RETRY_DEFAULTS, attempts: 2, ...change })
const none = { program: 0, platform: 0 }
const unknown = { code: "OutcomeUnknown", message: "Nobody knows.", advice: "Look." } as const

const failed: AttemptEnd = { outcome: "failed", exitCode: 3, ran: true, passing: false }
const killed: AttemptEnd = { outcome: "failed", exitCode: 137, ran: true, passing: false }
const unplaced: AttemptEnd = { outcome: "crashed", ran: false, passing: true }
const noImage: AttemptEnd = { outcome: "crashed", ran: false, passing: false }
const interrupted: AttemptEnd = { outcome: "crashed", ran: true, passing: true }
const lost: AttemptEnd = { outcome: "crashed", problem: unknown, ran: true, passing: false }
const late: AttemptEnd = { outcome: "timed_out", ran: false, passing: false }
const endless: AttemptEnd = { outcome: "timed_out", ran: true, passing: false }

describe("nextAttempt", () => {
  it.each<{ what: string; change?: Partial<RetryPolicy>; end: AttemptEnd; paidBy: string | undefined }>([
    { what: "a failed program", end: failed, paidBy: "program" },
    { what: "a failed program, none allowed", change: { attempts: 0 }, end: failed, paidBy: undefined },
    { what: "an exit code that is named", change: { onExitCodes: [3] }, end: failed, paidBy: "program" },
    { what: "an exit code that is not named", change: { onExitCodes: [3] }, end: killed, paidBy: undefined },
    { what: "any exit code where the list is empty", change: { onExitCodes: [] }, end: failed, paidBy: undefined },
    { what: "failed, not among the outcomes", change: { onOutcomes: ["crashed"] }, end: failed, paidBy: undefined },
    { what: "a passing cause before it ran (peers 101)", end: unplaced, paidBy: "platform" },
    {
      what: "a passing cause, not among the outcomes",
      change: { onOutcomes: ["failed"] },
      end: unplaced,
      paidBy: "platform"
    },
    { what: "a passing cause, none allowed", change: { platformAttempts: 0 }, end: unplaced, paidBy: undefined },
    { what: "a lasting cause before it ran", end: noImage, paidBy: undefined },
    { what: "a lasting cause, asked for", change: { onOutcomes: ["crashed"] }, end: noImage, paidBy: "platform" },
    { what: "the same passing cause after it ran (scenario 77)", end: interrupted, paidBy: undefined },
    { what: "an interruption, asked for", change: { onOutcomes: ["crashed"] }, end: interrupted, paidBy: "platform" },
    { what: "an unknown outcome (scenario 95)", end: lost, paidBy: undefined },
    {
      what: "an unknown outcome, crashed being asked for",
      change: { onOutcomes: ["crashed"] },
      end: lost,
      paidBy: undefined
    },
    {
      what: "an unknown outcome, safe to rerun (scenario 95)",
      change: { rerunUnknown: true },
      end: lost,
      paidBy: "platform"
    },
    { what: "a missed deadline", end: endless, paidBy: undefined },
    {
      what: "a missed run deadline, asked for",
      change: { onOutcomes: ["timed_out"] },
      end: endless,
      paidBy: "program"
    },
    { what: "a missed start, asked for", change: { onOutcomes: ["timed_out"] }, end: late, paidBy: "platform" }
  ])("paid by $paidBy: $what", ({ change, end, paidBy }) => {
    assert.strictEqual(nextAttempt(policy(change), none, end), paidBy)
  })

  it.each(Outcome.literals.filter((outcome) => !RETRYABLE_OUTCOMES.includes(outcome)))(
    "never follows %s, whatever is asked for",
    (outcome) => {
      const greedy = policy({ onOutcomes: Outcome.literals, rerunUnknown: true })
      for (const ran of [true, false])
        assert.isUndefined(nextAttempt(greedy, none, { outcome, ran, passing: true, exitCode: 0 }))
    }
  )

  it("each budget is counted alone, to its edge (peers 85)", () => {
    const used = { program: 1, platform: 4 }
    assert.strictEqual(nextAttempt(policy(), used, failed), "program")
    assert.strictEqual(nextAttempt(policy(), used, unplaced), "platform")
    assert.isUndefined(nextAttempt(policy(), { ...used, program: 2 }, failed))
    assert.strictEqual(nextAttempt(policy(), { ...used, program: 2 }, unplaced), "platform")
    assert.isUndefined(nextAttempt(policy(), { ...used, platform: 5 }, unplaced))
    assert.strictEqual(nextAttempt(policy(), { ...used, platform: 5 }, failed), "program")
  })
})

describe("pauseMillis", () => {
  const pause = (failures: number, change: Partial<RetryPolicy> = {}, run = "nightly", attempt = 1) =>
    pauseMillis(policy(change), { program: failures, platform: 0 }, run, attempt)

  it.each([
    { failures: 0, seconds: 10 },
    { failures: 1, seconds: 20 },
    { failures: 4, seconds: 160 },
    { failures: 5, seconds: 300 },
    { failures: 200, seconds: 300 }
  ])("after $failures earlier ones: $seconds s, shortened by at most a fifth", ({ failures, seconds }) => {
    for (const run of ["a", "b", "c", "d", "e", "f"]) {
      assert.isAtMost(pause(failures, {}, run), seconds * 1000)
      assert.isAtLeast(pause(failures, {}, run), seconds * 800)
    }
  })

  it("both budgets count towards it", () => {
    assert.strictEqual(pauseMillis(policy(), { program: 1, platform: 2 }, "nightly", 4), pause(3, {}, "nightly", 4))
  })

  it("is that of run and attempt, the same for whoever asks, and different for others", () => {
    assert.strictEqual(pause(0), pause(0))
    assert.notStrictEqual(pause(0), pause(0, {}, "daily"))
    assert.notStrictEqual(pause(0), pause(0, {}, "nightly", 2))
  })

  it("never exceeds the maximum, however short that is", () => {
    assert.isAtMost(pause(9, { backoffSeconds: 1, maxBackoffSeconds: 1 }), 1000)
  })
})
