import { assert, describe, it } from "@effect/vitest"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import { RETRY_DEFAULTS } from "#ecs-core/RetryPolicy.ts"
import { blindMillis, runFinished } from "#ecs-core/Run.ts"
import { aRun, millis } from "#test/support/builders.ts"
import {
  at,
  cancel,
  changed,
  deferred,
  definitionGone,
  delayed,
  finished,
  ready,
  refused,
  rejected,
  requested,
  started,
  stopped
} from "#test/support/messages.ts"

const again = (attempt: number): ReadonlyArray<RunMessage> => [
  ready(10 * attempt, { attempt }),
  definitionGone(10 * attempt + 5, { attempt })
]

describe("a launch that ECS refuses because it no longer knows the definition", () => {
  it.each([
    { what: "inactive", code: "TaskDefinitionInactive" },
    { what: "unknown", code: "TaskDefinitionNotFound" }
  ] as const)("$what: the run is defined again, and nothing is finished", ({ code }) => {
    const problem = { code, message: "It is gone.", advice: "It is made again." }
    const run = aRun(requested(0), ready(1), definitionGone(2, { problem }))
    assert.deepInclude(run, { state: "defining", platformFailures: 1, problems: [], updatedAt: at(2) })
    assert.deepInclude(run.attempts[0], { over: true, outcome: "rejected", problem })
    assert.isUndefined(runFinished(run))
    assert.notProperty(run, "finishedAt")
  })

  it("nor does a placement that fails, however often, cost an attempt (peers 85)", () => {
    const failures = Array.from({ length: 50 }, (_, n) => deferred(n + 2, { try: n + 1 }))
    const run = aRun(requested(0), ready(1), ...failures)
    assert.lengthOf(run.attempts, 1)
    assert.notProperty(run, "platformFailures")
    assert.strictEqual(run.state, "waiting")
  })

  it("also after it had waited for capacity", () => {
    assert.strictEqual(aRun(requested(0), ready(1), deferred(2), definitionGone(3)).state, "defining")
  })

  it("goes on with the next attempt to the program's own end", () => {
    const run = aRun(
      requested(0),
      ...again(1),
      ready(20, { attempt: 2 }),
      started(21, { attempt: 2 }),
      stopped(30, { attempt: 2, outcome: "failed", exitCode: 3 })
    )
    assert.deepInclude(run, { state: "failed", exitCode: 3, platformFailures: 1 })
    assert.deepInclude(runFinished(run), { outcome: "failed", attempts: 2 })
  })

  it("five times is borne, the sixth ends the run with the reason", () => {
    const failures = (count: number) => Array.from({ length: count }, (_, n) => again(n + 1)).flat()
    const borne = aRun(requested(0), ...failures(RETRY_DEFAULTS.platformAttempts))
    assert.deepInclude(borne, { state: "defining", platformFailures: 5 })
    const ended = aRun(requested(0), ...failures(RETRY_DEFAULTS.platformAttempts + 1))
    assert.deepInclude(ended, { state: "rejected", platformFailures: 5 })
    assert.strictEqual(ended.problems[0]?.code, "TaskDefinitionInactive")
  })

  it.each([
    { what: "a definition of somebody else", messages: [ready(1, { definition: "linked" }), definitionGone(2)] },
    { what: "another problem", messages: [ready(1), rejected(2)] },
    { what: "a launch whose outcome is unknown", messages: [ready(1), definitionGone(2, { outcome: "crashed" })] }
  ])("not so $what: the run ends", ({ messages }) => {
    const run = aRun(requested(0), ...messages)
    assert.isDefined(runFinished(run))
    assert.notProperty(run, "platformFailures")
  })

  it("out of order: a task that is there is believed, and the rejection void", () => {
    const run = aRun(requested(0), ready(1), started(2))
    for (const late of [definitionGone(3), rejected(3)]) assert.strictEqual(evolve(run, late), run)
  })

  it.each([
    { what: "before the fact", messages: [ready(1), cancel(2), definitionGone(3)], end: 3 },
    { what: "after the fact", messages: [ready(1), definitionGone(2), cancel(3)], end: 3 },
    {
      what: "while the next attempt is delayed",
      messages: [ready(1), definitionGone(2), delayed(3), cancel(4)],
      end: 4
    }
  ])("a cancel $what ends the run as cancelled", ({ messages, end }) => {
    assert.deepInclude(aRun(requested(0), ...messages), { state: "cancelled", finishedAt: at(end) })
  })

  it("late, twice and out of order: what still comes of the first attempt changes nothing", () => {
    const between = aRun(requested(0), ready(1), definitionGone(2))
    const after = evolve(between, ready(9, { attempt: 2 }))
    const late = [
      ready(3),
      deferred(3),
      rejected(3),
      definitionGone(3),
      changed(3, "RUNNING", 3),
      stopped(3, { outcome: "failed" })
    ]
    for (const fact of late) {
      assert.strictEqual(evolve(between, fact), between, `${fact.kind} between the attempts`)
      assert.strictEqual(evolve(after, fact), after, `${fact.kind} after the next attempt`)
    }
  })
})

describe("a definition that cannot be made", () => {
  it("just now: each delay is noted once, repeats are folded", () => {
    const run = aRun(requested(0), delayed(1), delayed(31), delayed(61))
    assert.deepStrictEqual(run.timeline.slice(1), [
      { at: at(1), what: "task definition delayed: AWS asks for patience.", count: 3 }
    ])
    assert.deepInclude(run, { state: "defining", updatedAt: at(61) })
    assert.deepInclude(run.delayed, { at: at(61) })
  })

  it.each([delayed(30), delayed(60)])("twice and late: a delay that is not news changes nothing", (late) => {
    const run = aRun(requested(0), delayed(60))
    assert.strictEqual(evolve(run, late), run)
  })

  it.each([
    { what: "once it is made", before: [ready(1)] },
    { what: "once the run is over", before: [finished(1)] }
  ])("late: $what, neither a delay nor a refusal changes anything", ({ before }) => {
    const run = aRun(requested(0), ...before)
    assert.strictEqual(evolve(run, delayed(9)), run)
    assert.strictEqual(evolve(run, refused(9)), run)
  })

  it("in time: the run ends with the deadline that it missed and every problem", () => {
    const problems = ["a", "b"].map(
      (field) => ({ code: "LaunchTimeout", field, message: "Too late.", advice: "Wait longer." }) as const
    )
    const run = aRun(requested(0), {
      kind: "run.refused",
      at: at(60),
      outcome: "timed_out",
      phase: "launch",
      problems
    })
    assert.deepInclude(runFinished(run), { outcome: "timed_out", phase: "launch", errors: problems, attempts: 0 })
  })

  it("for the next attempt: the run ends, the first attempt stays as it was", () => {
    const run = aRun(requested(0), ready(1), definitionGone(2), refused(3))
    assert.deepInclude(runFinished(run), { outcome: "rejected", attempts: 1 })
  })
})

describe("a definition that waits for credentials", () => {
  const blind = { code: "CredentialsRejected", message: "ExpiredTokenException", advice: "Renew them." } as const
  const busy = { code: "Throttled", message: "AWS throttles.", advice: "Wait." } as const
  const told = (seconds: number, problem: typeof blind | typeof busy) =>
    ({ kind: "run.delayed", at: at(seconds), problem }) as const

  it.each([
    { what: "nothing waited", events: [], now: 100, seconds: 0 },
    { what: "waiting", events: [told(10, blind)], now: 100, seconds: 90 },
    { what: "waited once", events: [told(10, blind), told(40, busy)], now: 100, seconds: 30 },
    { what: "waiting again", events: [told(10, blind), told(40, busy), told(50, blind)], now: 100, seconds: 80 },
    { what: "twice: told again meanwhile", events: [told(10, blind), told(20, blind)], now: 100, seconds: 90 }
  ])("$what: $seconds s that count against no deadline", ({ events, now, seconds }) => {
    assert.strictEqual(blindMillis(aRun(requested(0), ...events), millis(now)), seconds * 1000)
  })

  it("waited before an earlier attempt: that is over", () => {
    const run = aRun(requested(0), told(10, blind), ready(40), definitionGone(50))
    assert.strictEqual(blindMillis(run, millis(100)), 0)
  })
})
