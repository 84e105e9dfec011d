import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type TaskDeferred, TaskRejected, TaskStarted } from "#ecs-core/Messages.ts"
import type { Run } from "#ecs-core/Run.ts"
import { aRun, aTaskDeferred, aTaskdefReady, millis } from "#test/support/builders.ts"
import * as messages from "#test/support/messages.ts"
import { at, clusterArn, runId, taskArn } from "#test/support/messages.ts"
import {
  capacityWaitSeconds,
  type Decision,
  decide,
  NAK_SECONDS_MAX,
  nextTry,
  type Seen,
  startedOf,
  TOKEN_TRUST_SECONDS
} from "./decide.ts"

const order = aTaskdefReady()
const launching = aRun(messages.ready(0))
const cancelled = aRun(messages.ready(0), messages.cancel(5, "too slow"))

const decided = (
  seen: Partial<Seen> & { readonly deferred?: TaskDeferred },
  nowSeconds: number,
  of = order
): Decision =>
  decide(of, { run: launching, deliveries: 1, orderedAt: millis(0), deferred: undefined, ...seen }, millis(nowSeconds))

/** A decision in short: its kind, and the outcome and code of the rejection in it. */
const short = (decision: Decision): string => {
  switch (decision._tag) {
    case "Launch":
      return `Launch ${decision.try}`
    case "Later":
      return `Later ${decision.delayMillis}`
    case "Look":
      return `Look ${decision.otherwise.outcome} ${decision.otherwise.problem.code}`
    case "Drop":
      return `Drop: ${decision.why}`
  }
}

describe("decide", () => {
  const over = aRun(messages.ready(0), messages.rejected(1))
  const atSecondAttempt = aRun(messages.ready(0), messages.ready(1, { attempt: 2 }))
  const table: ReadonlyArray<{
    readonly what: string
    readonly run?: Run | undefined
    readonly deliveries?: number
    readonly now: number
    readonly expected: string
  }> = [
    { what: "first delivery", now: 1, expected: "Launch 1" },
    { what: "twice: the same try, hence the same token", deliveries: 2, now: 31, expected: "Launch 1" },
    { what: "out of order: no record yet", run: undefined, now: 1, expected: "Later 1000" },
    { what: "late: the run is over", run: over, deliveries: 2, now: 9, expected: "Drop: the run is over" },
    {
      what: "late: a newer attempt is current",
      run: atSecondAttempt,
      now: 9,
      expected: "Drop: another attempt is current"
    },
    {
      what: "twice: the record knows the task",
      run: aRun(messages.ready(0), messages.started(1)),
      deliveries: 2,
      now: 31,
      expected: "Drop: the task was launched"
    },
    {
      what: "twice: the record knows the task, which is to be stopped",
      run: aRun(messages.ready(0), messages.started(1), messages.cancel(5)),
      deliveries: 2,
      now: 31,
      expected: "Drop: the task was launched"
    },
    { what: "cancelled before the first delivery", run: cancelled, now: 6, expected: "Look cancelled Cancelled" },
    {
      what: "cancelled after a delivery whose outcome is unknown",
      run: cancelled,
      deliveries: 2,
      now: 6,
      expected: "Look cancelled Cancelled"
    },
    { what: "at the launch deadline", now: 3600, expected: "Launch 1" },
    { what: "after the launch deadline", now: 3600.001, expected: "Look timed_out LaunchTimeout" },
    { what: "after the deadline, redelivered", deliveries: 2, now: 3601, expected: "Look timed_out LaunchTimeout" },
    { what: "redelivered, the token just trusted", deliveries: 9, now: TOKEN_TRUST_SECONDS, expected: "Launch 1" },
    {
      what: "redelivered, the token no longer trusted",
      deliveries: 9,
      now: TOKEN_TRUST_SECONDS + 0.001,
      expected: "Look crashed OutcomeUnknown"
    },
    {
      what: "never delivered before, however old: no token was used yet",
      now: TOKEN_TRUST_SECONDS + 1,
      expected: "Launch 1"
    }
  ]
  it.each(table)("$what: $expected", ({ expected, what: _what, now, ...seen }) => {
    assert.strictEqual(short(decided(seen, now)), expected)
  })

  it.each([
    { what: "due in 5 s", nextTryAt: 15, now: 10, expected: "Later 5000" },
    { what: "due later than the longest pause", nextTryAt: 310, now: 10, expected: `Later ${NAK_SECONDS_MAX * 1000}` },
    { what: "due right now", nextTryAt: 10, now: 10, expected: "Launch 4" },
    { what: "overdue", nextTryAt: 10, now: 60, expected: "Launch 4" },
    { what: "cancelled while it waits", nextTryAt: 310, now: 60, run: cancelled, expected: "Look cancelled Cancelled" }
  ])("after three failed tries, $what: $expected", ({ expected, nextTryAt, now, run = launching }) => {
    const deferred = aTaskDeferred({ try: 3, at: at(0), nextTryAt: at(nextTryAt) })
    assert.strictEqual(short(decided({ run, deliveries: 4, deferred }, now)), expected)
  })

  it("a stored deferral is evidence: the trust counts from it", () => {
    const long = aTaskdefReady({ launchDeadline: at(86_400) })
    const deferred = aTaskDeferred({ at: at(3000), nextTryAt: at(3010) })
    assert.strictEqual(short(decided({ deliveries: 9, deferred }, 3000 + TOKEN_TRUST_SECONDS, long)), "Launch 2")
    assert.strictEqual(
      short(decided({ deliveries: 9, deferred }, 3001 + TOKEN_TRUST_SECONDS, long)),
      "Look crashed OutcomeUnknown"
    )
  })

  it("a rejection is a valid message that says why", () => {
    const rejection = decided({ run: cancelled }, 6)
    assert(rejection._tag === "Look")
    assert.isTrue(Schema.is(TaskRejected)(rejection.otherwise))
    assert.deepInclude(rejection.otherwise, { runId, attempt: 1, at: at(6) })
    assert.strictEqual(rejection.otherwise.problem.message, "The run was cancelled before it was launched: too slow.")
  })

  it("a missed deadline passes on what the last try said", () => {
    const decision = decided({ deliveries: 2, deferred: aTaskDeferred() }, 3601)
    assert(decision._tag === "Look")
    assert.strictEqual(decision.otherwise.phase, "launch")
    assert.include(decision.otherwise.problem.message, "the last try said: ECS has no capacity.")
    assert.strictEqual(
      decision.otherwise.problem.advice,
      "Raise `launchTimeoutSeconds`, or remove the cause: `fleet explain NoCapacity`."
    )
  })
})

describe("nextTry", () => {
  it("is one more than the last that certainly launched nothing", () => {
    assert.strictEqual(nextTry(undefined), 1)
    assert.strictEqual(nextTry(aTaskDeferred({ try: 0 })), 1)
    assert.strictEqual(nextTry(aTaskDeferred({ try: 4 })), 5)
  })
})

describe("capacityWaitSeconds", () => {
  it.each([
    [1, 10],
    [2, 20],
    [5, 160],
    [6, 300],
    [1000, 300]
  ])("before try %i + 1: %i s", (tryNumber, seconds) => {
    assert.strictEqual(capacityWaitSeconds(tryNumber, 0), seconds)
    assert.closeTo(capacityWaitSeconds(tryNumber, 1), seconds * 0.8, 1e-9)
  })

  const jitter = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
  const tries = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))
  it.prop("8 s at least and 300 s at most, and never less at a later try", [tries, jitter], ([tryNumber, jitter]) => {
    const wait = capacityWaitSeconds(tryNumber, jitter)
    assert.isAtLeast(wait, 8 - 1e-9)
    assert.isAtMost(wait, 300)
    assert.isAtLeast(capacityWaitSeconds(tryNumber + 1, jitter), wait)
  })
})

describe("startedOf", () => {
  const task = { taskArn, clusterArn, lastStatus: "PROVISIONING", createdAt: at(90) }

  it("counts the start deadline from ECS's own time, also when the task is found again late", () => {
    const started = startedOf(order, task, 2, millis(100))
    assert.isTrue(Schema.is(TaskStarted)(started))
    assert.deepInclude(started, {
      taskArn,
      clusterArn,
      lastStatus: "PROVISIONING",
      runId,
      attempt: 1,
      at: at(100),
      try: 2,
      startDeadline: at(90 + 300),
      taskDefinitionArn: order.runTask.taskDefinition,
      runTimeoutSeconds: 3600,
      logs: order.logs,
      target: order.target
    })
  })

  it("counts it from now where ECS gave no time", () => {
    const started = startedOf(order, { ...task, createdAt: undefined }, 1, millis(100))
    assert.strictEqual(started.startDeadline, at(400))
  })
})
