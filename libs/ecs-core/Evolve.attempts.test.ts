import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import type { RetryPolicy } from "#ecs-core/RetryPolicy.ts"
import { type AttemptRecord, effects, isFinal, type Run, runFinished } from "#ecs-core/Run.ts"
import { LiveState, Outcome } from "#ecs-core/RunState.ts"
import {
  at,
  broken,
  cancel,
  changed,
  deferred,
  definitionGone,
  ready,
  rejected,
  requested,
  started,
  stopped
} from "#test/support/messages.ts"

/**
 * Runs of several attempts, whose facts come in any order, twice and late, also those of attempts long over. Orders come
 * only from the record's own effect, as a dispatcher makes them, at any moment after it.
 */

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))
const Step = Schema.Struct({
  pick: upTo(12),
  /** The current attempt is 1, the one before it 2. */
  back: upTo(3),
  seconds: upTo(2000),
  number: upTo(4),
  outcome: Outcome,
  lastStatus: Schema.Literals(["PROVISIONING", "PENDING", "RUNNING", "STOPPING", "STOPPED"])
})
type Step = typeof Step.Type

const Policy = Schema.Struct({
  attempts: upTo(3),
  platformAttempts: upTo(3),
  backoffSeconds: upTo(20),
  maxBackoffSeconds: upTo(60),
  onOutcomes: Schema.Array(Outcome),
  rerunUnknown: Schema.Boolean
})

const unknown = { code: "OutcomeUnknown", message: "Nobody knows.", advice: "Look." } as const

/** A fact of an attempt that has been ordered, or a wish; undefined = the dispatcher has its turn. */
const factOf = (step: Step, run: Run): RunMessage | undefined => {
  const { seconds, number, outcome, lastStatus } = step
  const attempt = run.attempts.length - step.back + 1
  if (step.pick === 12) return number === 1 ? cancel(seconds) : undefined
  if (attempt < 1) return undefined
  const choices: ReadonlyArray<RunMessage | undefined> = [
    started(seconds, { attempt, lastStatus }),
    deferred(seconds, { attempt, try: number }),
    changed(seconds, lastStatus, number, { attempt, ...(number === 4 ? { times: { startedAt: at(seconds) } } : {}) }),
    broken(seconds, { attempt }),
    broken(seconds, { attempt, problem: unknown }),
    stopped(seconds, { attempt, outcome, exitCode: number }),
    definitionGone(seconds, { attempt }),
    rejected(seconds, { attempt, outcome: "crashed", problem: unknown }),
    rejected(seconds, { attempt, outcome: "timed_out" })
  ]
  return choices[step.pick - 1]
}

/** What a dispatcher orders now, if the record wants an attempt defined. */
const orderOf = (run: Run, seconds: number, retry: RetryPolicy): RunMessage | undefined => {
  const define = effects(run).find((effect) => effect._tag === "Define")
  if (define === undefined) return undefined
  const { attempt, notBefore } = define
  return ready(seconds, { attempt, retry, ...(notBefore === undefined ? {} : { notBefore }) })
}

interface Folded {
  readonly before: Run
  readonly message: RunMessage
  readonly after: Run
}

const story = (retry: RetryPolicy, steps: ReadonlyArray<Step>): ReadonlyArray<Folded> => {
  let run = evolve(undefined, requested(0))
  return steps.flatMap((step) => {
    if (run === undefined) return []
    const message = factOf(step, run) ?? orderOf(run, step.seconds, retry)
    if (message === undefined) return []
    const before = run
    run = evolve(before, message)
    return run === undefined ? [] : [{ before, message, after: run }]
  })
}

const steps = Arbitrary.array(Arbitrary.schema(Step), { maxLength: 60 })
const policy = Arbitrary.schema(Policy)
const many = { arbitrary: { runs: 500 } }

const rank = (run: Run): number => LiveState.literals.findIndex((state) => state === run.state)

/** What is settled about an attempt once it is over: all but which task was too late, and that its task is gone. */
const settled = (attempt: AttemptRecord) => {
  const { straggler: _late, taskArn: _task, clusterArn: _cluster, try: _try, ...ended } = attempt
  const { lastStatus: _status, taskVersion: _version, times: _times, ...rest } = ended
  return rest
}

describe("several attempts: facts twice, late and out of order", () => {
  it.prop(
    "never more attempts than the first and both budgets (peers 84)",
    [policy, steps],
    ([retry, all]) => {
      const most = 1 + retry.attempts + retry.platformAttempts
      for (const { after } of story(retry, all)) {
        assert.isAtMost(after.attempts.length, most)
        assert.isAtMost(after.programFailures ?? 0, retry.attempts)
        assert.isAtMost(after.platformFailures ?? 0, retry.platformAttempts)
        const followed = after.attempts.filter(({ problem }) => problem !== undefined).length
        assert.strictEqual((after.programFailures ?? 0) + (after.platformFailures ?? 0), followed)
      }
    },
    many
  )

  it.prop(
    "a state goes back only with the end of an attempt, and within one only from waiting to launching",
    [policy, steps],
    ([retry, all]) => {
      for (const { before, message, after } of story(retry, all)) {
        if (isFinal(after) || rank(after) >= rank(before)) continue
        if (after.state === "launching" && message.kind !== "taskdef.ready") assert.strictEqual(before.state, "waiting")
        else assert.strictEqual(after.state, "defining", `${before.state} → ${after.state} by ${message.kind}`)
        assert.isUndefined(before.attempts.at(-1)?.over)
        assert.isTrue(after.attempts.at(-1)?.over)
      }
    },
    many
  )

  it.prop(
    "an attempt that is over stays as it ended",
    [policy, steps],
    ([retry, all]) => {
      for (const { before, after } of story(retry, all)) {
        before.attempts.forEach((known, n) => {
          const now = after.attempts[n]
          assert.isDefined(now)
          if (known.over === true) assert.deepStrictEqual(settled(now), settled(known))
        })
      }
    },
    many
  )

  it.prop(
    "one outcome and one end, whatever comes later",
    [policy, steps],
    ([retry, all]) => {
      const ends = story(retry, all).flatMap(({ after }) => (isFinal(after) ? [runFinished(after)] : []))
      for (const end of ends) assert.deepStrictEqual(end, ends[0])
    },
    many
  )

  it.prop(
    "twice is once",
    [policy, steps],
    ([retry, all]) => {
      for (const { message, after } of story(retry, all)) assert.strictEqual(evolve(after, message), after)
    },
    many
  )

  it.prop(
    "no task without an owner: one whose attempt is over without it is to be stopped",
    [policy, steps],
    ([retry, all]) => {
      for (const { message, after } of story(retry, all)) {
        if (message.kind !== "task.started") continue
        const known = after.attempts.find(({ attempt }) => attempt === message.message.attempt)
        const endedWithIt = known?.over === true && known.straggler !== true
        const stops = effects(after).some((each) => each._tag === "PublishTaskStop" && each.attempt === known?.attempt)
        assert.isDefined(known?.taskArn)
        if (!endedWithIt && (known?.over === true || isFinal(after))) assert.isTrue(stops)
      }
    },
    many
  )

  it.prop(
    "after a wish to cancel no attempt is added",
    [policy, steps],
    ([retry, all]) => {
      for (const { before, after } of story(retry, all)) {
        if (before.cancel !== undefined) assert.lengthOf(after.attempts, before.attempts.length)
      }
    },
    many
  )
})
