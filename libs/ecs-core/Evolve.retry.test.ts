import { assert, describe, it } from "@effect/vitest"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import { RETRY_DEFAULTS, type RetryPolicy } from "#ecs-core/RetryPolicy.ts"
import { effects, type Run, runFinished } from "#ecs-core/Run.ts"
import { aRun } from "#test/support/builders.ts"
import {
  at,
  broken,
  cancel,
  changed,
  deferred,
  definitionGone,
  failed,
  ready,
  refused,
  rejected,
  requested,
  started,
  stopped,
  taskArn
} from "#test/support/messages.ts"

const policy = (change: Partial<RetryPolicy> = {}): RetryPolicy => ({ ...RETRY_DEFAULTS, attempts: 1, ...change })
const first = (change: Partial<RetryPolicy> = {}) => [requested(0), ready(1, { retry: policy(change) }), started(2)]
const second = [ready(20, { attempt: 2, notBefore: at(25) }), started(30, { attempt: 2 })]
const unknown = { code: "OutcomeUnknown", message: "Nobody knows.", advice: "Look." } as const
const running = changed(3, "RUNNING", 3, { times: { startedAt: at(3) } })

const retryAt = (run: Run) => run.attempts.at(-1)?.retryAt

describe("a failed attempt that is followed by another", () => {
  const run = aRun(...first(), running, failed(10))

  it("keeps what it ended with, and the run goes on as one that is to be defined", () => {
    assert.deepInclude(run, { state: "defining", programFailures: 1, problems: [], updatedAt: at(10) })
    assert.notProperty(run, "platformFailures")
    assert.notProperty(run, "exitCode")
    assert.deepInclude(run.attempts[0], { over: true, endedAt: at(10), outcome: "failed", exitCode: 3 })
    assert.strictEqual(run.attempts[0]?.problem?.code, "ProgramFailed")
    assert.isUndefined(runFinished(run))
  })

  it("says when the next one may be launched, in the record, the order's effect and the timeline", () => {
    const notBefore = retryAt(run) ?? at(0)
    const pause = millisOf(notBefore) - millisOf(at(10))
    assert.isAtLeast(pause, 8000)
    assert.isAtMost(pause, 10_000)
    assert.deepStrictEqual(effects(run), [{ _tag: "Define", attempt: 2, notBefore }])
    assert.strictEqual(
      run.timeline.at(-1)?.what,
      `attempt 2 follows in ${Math.round(pause / 1000)} s: The program ended with exit code 3.`
    )
  })

  it("the next attempt keeps its order's time, and its end is the run's", () => {
    const ended = aRun(...first(), failed(10), ...second, stopped(40, { attempt: 2 }))
    assert.strictEqual(ended.attempts[1]?.notBefore, at(25))
    assert.deepInclude(runFinished(ended), { outcome: "succeeded", exitCode: 0, attempts: 2, finishedAt: at(40) })
    assert.notProperty(runFinished(ended), "error")
  })

  it("the exit code is the last one, and every attempt's reason is told once, the last first", () => {
    const two = [ready(20, { attempt: 2 }), started(30, { attempt: 2 }), broken(40, { attempt: 2 })]
    const three = [ready(50, { attempt: 3 }), failed(60, { attempt: 3, exitCode: 9, problem: killed })]
    const end = runFinished(aRun(...first(), failed(10), ...two, ...three))
    assert.deepInclude(end, { outcome: "failed", exitCode: 9, attempts: 3, error: killed })
    assert.deepStrictEqual(
      end?.errors?.map(({ code }) => code),
      ["OutOfMemory", "NoCapacity", "ProgramFailed"]
    )
  })

  it("whoever folds the same facts finds the same record, its times too", () => {
    assert.deepStrictEqual(aRun(...first(), running, failed(10)), run)
  })

  it("twice: the same fact again changes nothing", () => {
    assert.strictEqual(evolve(run, failed(10)), run)
    assert.strictEqual(evolve(run, failed(99)), run)
  })

  it("a policy that a later order brings does not replace the first", () => {
    const later = aRun(...first(), failed(10), ready(20, { attempt: 2, retry: policy({ attempts: 9 }) }))
    assert.deepStrictEqual(later.retry, policy())
  })
})

const killed = { code: "OutOfMemory", message: "The container was killed.", advice: "Raise `memory`." } as const

describe("budgets", () => {
  const attempt = (number: number, end: RunMessage): ReadonlyArray<RunMessage> => [
    ready(100 * number, { attempt: number, retry: policy({ attempts: 2, platformAttempts: 3 }) }),
    end
  ]

  it("a failure to submit, to start and of the program add up to one maximum (peers 84, scenario 62)", () => {
    const ends = (n: number): ReadonlyArray<RunMessage> => [
      definitionGone(100 * n + 9, { attempt: n }),
      broken(100 * n + 9, { attempt: n }),
      failed(100 * n + 9, { attempt: n })
    ]
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 1, 2],
      [0, 0, 2],
      [2, 2, 0],
      [1, 0, 2]
    ]) {
      let run = aRun(requested(0))
      for (let n = 1; runFinished(run) === undefined; n++) {
        const end = ends(n)[order[n % 3] ?? 0]
        assert.isDefined(end)
        run = attempt(n, end).reduce((folded, message) => evolve(folded, message) ?? folded, run)
        assert.isAtMost(n, 1 + 2 + 3)
      }
      assert.isAtMost(run.programFailures ?? 0, 2)
      assert.isAtMost(run.platformFailures ?? 0, 3)
    }
  })

  it("failures of the platform leave the program's budget alone (peers 85)", () => {
    const run = aRun(
      requested(0),
      ...[1, 2, 3].flatMap((n) => attempt(n, broken(100 * n + 9, { attempt: n }))),
      ...[4, 5].flatMap((n) => attempt(n, failed(100 * n + 9, { attempt: n })))
    )
    assert.deepInclude(run, { state: "defining", programFailures: 2, platformFailures: 3 })
    const after = (end: RunMessage) =>
      attempt(6, end).reduce((folded, message) => evolve(folded, message) ?? folded, run)
    assert.strictEqual(after(broken(609, { attempt: 6 })).state, "crashed")
    assert.strictEqual(after(failed(609, { attempt: 6 })).state, "failed")
  })

  it("waits for capacity, however many, cost neither (peers 85)", () => {
    const waits = Array.from({ length: 50 }, (_, n) => deferred(n + 2, { try: n + 1 }))
    const run = aRun(requested(0), ready(1, { retry: policy() }), ...waits)
    assert.lengthOf(run.attempts, 1)
    assert.notProperty(run, "platformFailures")
  })

  it("a record without a policy has the defaults", () => {
    assert.strictEqual(aRun(requested(0), ready(1), started(2), failed(10)).state, "failed")
    assert.strictEqual(aRun(requested(0), ready(1), started(2), broken(10)).state, "defining")
  })
})

describe("what is run again", () => {
  it.each<{ what: string; change?: Partial<RetryPolicy>; facts: ReadonlyArray<RunMessage>; state: string }>([
    { what: "a passing cause before RUNNING: yes (peers 101)", facts: [broken(9)], state: "defining" },
    { what: "the same once it was seen RUNNING: no (scenario 77)", facts: [running, broken(9)], state: "crashed" },
    {
      what: "the same where only the fact tells of RUNNING: no (scenario 77)",
      facts: [broken(9, { times: { startedAt: at(3) } })],
      state: "crashed"
    },
    {
      what: "interrupted after RUNNING, allowed: yes",
      change: { onOutcomes: ["failed", "crashed"] },
      facts: [running, broken(9)],
      state: "defining"
    },
    { what: "missing at last: no (scenario 95)", facts: [running, broken(9, { problem: unknown })], state: "crashed" },
    {
      what: "missing at last, safe to rerun: yes (scenario 95)",
      change: { rerunUnknown: true },
      facts: [running, broken(9, { problem: unknown })],
      state: "defining"
    },
    { what: "a run deadline: no", facts: [failed(9, { outcome: "timed_out", phase: "run" })], state: "timed_out" },
    {
      what: "a run deadline, allowed: yes",
      change: { onOutcomes: ["timed_out"] },
      facts: [failed(9, { outcome: "timed_out", phase: "run" })],
      state: "defining"
    },
    { what: "stopped by somebody: no", facts: [failed(9, { outcome: "cancelled" })], state: "cancelled" }
  ])("$what", ({ change, facts, state }) => {
    assert.strictEqual(aRun(...first(change), ...facts).state, state)
  })

  it.each<{ what: string; change?: Partial<RetryPolicy>; end: Parameters<typeof rejected>[1]; state: string }>([
    { what: "unknown: no", end: { outcome: "crashed", problem: unknown }, state: "crashed" },
    {
      what: "unknown, safe to rerun: yes",
      change: { rerunUnknown: true },
      end: { outcome: "crashed", problem: unknown },
      state: "defining"
    },
    { what: "too late: no", end: { outcome: "timed_out", phase: "launch" }, state: "timed_out" },
    {
      what: "too late, allowed: yes",
      change: { onOutcomes: ["timed_out"] },
      end: { outcome: "timed_out", phase: "launch" },
      state: "defining"
    },
    { what: "at fault: no", change: { onOutcomes: ["crashed"] }, end: {}, state: "rejected" }
  ])("a launch that is $what", ({ change, end, state }) => {
    assert.strictEqual(aRun(requested(0), ready(1, { retry: policy(change) }), rejected(9, end)).state, state)
  })

  it("nothing once the run is to be cancelled, and the attempt's own end stays", () => {
    assert.strictEqual(aRun(...first(), cancel(5), failed(10)).state, "failed")
    assert.strictEqual(aRun(...first(), cancel(5), broken(10)).state, "crashed")
  })
})

describe("a next attempt that cannot be launched", () => {
  const before = aRun(...first(), failed(10))

  it.each([
    { what: "defined", messages: [refused(11)], attempts: 1, reason: "TaskDefinitionInvalid" },
    {
      what: "launched",
      messages: [ready(11, { attempt: 2 }), rejected(12, { attempt: 2 })],
      attempts: 2,
      reason: "ClusterNotFound"
    }
  ])("(not $what) leaves the run with the end of the one that ran, and says why", ({ messages, attempts, reason }) => {
    const run = messages.reduce<Run | undefined>(evolve, before)
    assert.isDefined(run)
    const end = runFinished(run)
    assert.deepInclude(end, { outcome: "failed", exitCode: 3, attempts, taskArn })
    assert.deepStrictEqual(
      end?.errors?.map(({ code }) => code),
      ["ProgramFailed", reason]
    )
  })
})
