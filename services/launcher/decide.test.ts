import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Drain } from "#ecs-core/Drain.ts"
import { type TaskDeferred, TaskRejected } from "#ecs-core/Messages.ts"
import type { Run } from "#ecs-core/Run.ts"
import { aMarker, aRun, aTaskDeferred, aTaskdefReady, millis } from "#test/support/builders.ts"
import * as messages from "#test/support/messages.ts"
import { at, runId } from "#test/support/messages.ts"
import {
  type Decision,
  decide,
  LISTED_SECONDS,
  NAK_SECONDS_MAX,
  PAUSED_SECONDS_MAX,
  pausedMillis,
  TOKEN_TRUST_SECONDS
} from "./decide.ts"
import { type Marker, untried } from "./evidence.ts"

const order = aTaskdefReady()
const launching = aRun(messages.ready(0))
const cancelled = aRun(messages.ready(0), messages.cancel(5, "too slow"))

/** A decision in short: its kind, and the outcome and code of the rejection in it. */
const short = (decision: Decision): string => {
  switch (decision._tag) {
    case "Launch":
      return `Launch ${decision.try}${decision.replays === undefined ? "" : " again"}`
    case "Later":
      return `Later ${decision.delayMillis}`
    case "Reject":
      return `Reject ${decision.rejected.outcome} ${decision.rejected.problem.code}`
    case "Look":
      return `Look, or ${decision.otherwise._tag === "Defer" ? "Defer" : short(decision.otherwise)}`
    case "Drop":
      return `Drop: ${decision.why}`
  }
}

interface Row {
  readonly what: string
  readonly run?: Run | undefined
  readonly marker?: Marker
  readonly deferred?: TaskDeferred
  readonly isRejected?: boolean
  readonly drain?: Drain
  readonly now: number
  readonly expected: string
}

const decided = (row: Omit<Row, "what" | "expected">, of = order): Decision =>
  decide(
    of,
    "run" in row ? row.run : launching,
    { marker: row.marker, deferred: row.deferred, isRejected: row.isRejected ?? false },
    millis(row.now),
    row.drain
  )

const settled = (change: Partial<TaskDeferred> = {}) => aTaskDeferred({ settles: 7, ...change })

describe("decide", () => {
  const table: ReadonlyArray<Row> = [
    { what: "nobody tried", now: 1, expected: "Launch 1" },
    { what: "out of order: no record yet", run: undefined, now: 1, expected: "Later 1000" },
    {
      what: "late: the run is over",
      run: aRun(messages.ready(0), messages.rejected(1)),
      now: 9,
      expected: "Drop: the run is over"
    },
    {
      what: "late: the attempt is over, the next one is not defined yet",
      run: aRun(messages.ready(0), messages.definitionGone(1)),
      now: 9,
      expected: "Drop: the attempt is over"
    },
    {
      what: "late: a newer attempt is current",
      run: aRun(messages.ready(0), messages.ready(1, { attempt: 2 })),
      now: 9,
      expected: "Drop: another attempt is current"
    },
    {
      what: "twice: the record knows the task",
      run: aRun(messages.ready(0), messages.started(1)),
      now: 31,
      expected: "Drop: the task was launched"
    },
    {
      what: "twice: the record knows the task, which is to be stopped",
      run: aRun(messages.ready(0), messages.started(1), messages.cancel(5)),
      now: 31,
      expected: "Drop: the task was launched"
    },
    {
      what: "late: rejected, and the record does not say so yet",
      isRejected: true,
      now: 9,
      expected: "Drop: the attempt was rejected"
    },
    { what: "at the launch deadline", now: 3600, expected: "Launch 1" },
    { what: "after the launch deadline", now: 3600.001, expected: "Reject timed_out LaunchTimeout" },
    { what: "cancelled, and nobody tried", run: cancelled, now: 6, expected: "Reject cancelled Cancelled" },
    { what: "however old, while nobody tried", now: TOKEN_TRUST_SECONDS + 1, expected: "Launch 1" }
  ]
  it.each(table)("$what: $expected", ({ expected, ...row }) => {
    assert.strictEqual(short(decided(row)), expected)
  })

  const marker = aMarker(10)
  const uncertain: ReadonlyArray<Row> = [
    { what: "twice: the same try, hence the same token", marker, now: 31, expected: "Launch 1 again" },
    {
      what: "cancelled, and ECS may not list it yet",
      run: cancelled,
      marker,
      now: 11,
      expected: "Look, or Later 15000"
    },
    { what: "cancelled, nearly listed", run: cancelled, marker, now: 69, expected: "Look, or Later 1000" },
    {
      what: "cancelled, listed",
      run: cancelled,
      marker,
      now: 10 + LISTED_SECONDS,
      expected: "Look, or Reject cancelled Cancelled"
    },
    { what: "after the launch deadline", marker, now: 3601, expected: "Look, or Reject timed_out LaunchTimeout" },
    { what: "the token just trusted", marker, now: 10 + TOKEN_TRUST_SECONDS, expected: "Launch 1 again" },
    {
      what: "the token no longer trusted",
      marker,
      now: 10.001 + TOKEN_TRUST_SECONDS,
      expected: "Look, or Reject crashed OutcomeUnknown"
    },
    {
      what: "the token no longer trusted, replayed just now",
      marker: aMarker(10 + TOKEN_TRUST_SECONDS, { since: at(9) }),
      now: 15 + TOKEN_TRUST_SECONDS,
      expected: "Look, or Later 15000"
    },
    {
      what: "a deferral that settles another call",
      marker,
      deferred: settled({ settles: 6, nextTryAt: at(11) }),
      now: 31,
      expected: "Launch 1 again"
    },
    {
      what: "a deferral that settles nothing, not due",
      marker,
      deferred: aTaskDeferred({ try: 0, nextTryAt: at(41) }),
      now: 31,
      expected: "Later 10000"
    }
  ]
  it.each(uncertain)("RunTask may have been called, $what: $expected", ({ expected, ...row }) => {
    assert.strictEqual(short(decided(row)), expected)
  })

  const third = aMarker(0, { try: 3 })
  const certain: ReadonlyArray<Row> = [
    { what: "due in 5 s", deferred: settled({ nextTryAt: at(15) }), now: 10, expected: "Later 5000" },
    {
      what: "due late",
      deferred: settled({ nextTryAt: at(310) }),
      now: 10,
      expected: `Later ${NAK_SECONDS_MAX * 1000}`
    },
    { what: "due right now", deferred: settled({ nextTryAt: at(10) }), now: 10, expected: "Launch 4" },
    { what: "overdue", deferred: settled({ nextTryAt: at(10) }), now: 60, expected: "Launch 4" },
    {
      what: "cancelled",
      run: cancelled,
      deferred: settled({ nextTryAt: at(310) }),
      now: 60,
      expected: "Reject cancelled Cancelled"
    },
    {
      what: "timed out",
      deferred: settled({ nextTryAt: at(310) }),
      now: 3601,
      expected: "Reject timed_out LaunchTimeout"
    },
    { what: "long ago", deferred: settled({ nextTryAt: at(10) }), now: TOKEN_TRUST_SECONDS + 1, expected: "Launch 4" }
  ]
  it.each(certain)("the third try launched nothing, the next is $what: $expected", ({ expected, ...row }) => {
    assert.strictEqual(short(decided({ marker: third, ...row })), expected)
  })

  const draining: ReadonlyArray<Row> = [
    { what: "nobody tried", now: 10, expected: "Later 10000" },
    { what: "after the launch deadline", now: 3601, expected: "Later 10000" },
    { what: "the next try due", marker: third, deferred: settled(), now: 600, expected: "Later 10000" },
    { what: "RunTask may have been called", marker, now: 11, expected: "Look, or Later 15000" },
    { what: "the token no longer trusted", marker, now: 11 + TOKEN_TRUST_SECONDS, expected: "Look, or Later 15000" },
    { what: "cancelled", run: cancelled, now: 10, expected: "Reject cancelled Cancelled" },
    { what: "late: rejected", isRejected: true, now: 10, expected: "Drop: the attempt was rejected" }
  ]
  it.each(draining)("while the fleet drains, $what: $expected", ({ expected, ...row }) => {
    assert.strictEqual(short(decided({ drain: { at: at(5) }, ...row })), expected)
  })

  it("when the drain has ended: as before it", () => {
    assert.strictEqual(short(decided({ drain: { at: at(5), endedAt: at(9) }, now: 10 })), "Launch 1")
  })

  const blind = { code: "CredentialsRejected", message: "ExpiredTokenException", advice: "Renew them." } as const
  const afterBlindness: ReadonlyArray<Row> = [
    {
      what: "the launch deadline has passed meanwhile, and it is tried all the same",
      deferred: settled({ at: at(3590), problem: blind, nextTryAt: at(9000) }),
      now: 4000,
      expected: "Launch 4"
    },
    {
      what: "it was cancelled",
      run: cancelled,
      deferred: settled({ at: at(3590), problem: blind }),
      now: 4000,
      expected: "Reject cancelled Cancelled"
    },
    {
      what: "the deadline comes so much later",
      deferred: settled({ blindSeconds: 410, nextTryAt: at(4005) }),
      now: 4010,
      expected: "Launch 4"
    },
    {
      what: "the deadline comes, too",
      deferred: settled({ blindSeconds: 410, nextTryAt: at(4005) }),
      now: 4010.001,
      expected: "Reject timed_out LaunchTimeout"
    }
  ]
  it.each(afterBlindness)("after a wait for credentials $what: $expected (peers 83)", ({ expected, ...row }) => {
    assert.strictEqual(short(decided({ marker: third, ...row })), expected)
  })

  it.each([
    { waited: 0, jitter: 0, expected: 1000 },
    { waited: 4, jitter: 0.5, expected: 5000 },
    { waited: 4000, jitter: 0, expected: PAUSED_SECONDS_MAX * 1000 },
    { waited: 4000, jitter: 1, expected: PAUSED_SECONDS_MAX * 1500 }
  ])("paused for $waited s: looked at again after $expected ms", ({ expected, jitter, waited }) => {
    const deferred = settled({ at: at(0), problem: blind })
    assert.strictEqual(pausedMillis({ ...untried, deferred }, jitter, millis(waited)), expected)
  })

  it.each([
    { what: "far", now: 10, expected: "Later 30000" },
    { what: "near", now: 599.5, expected: "Later 500" },
    { what: "reached", now: 600, expected: "Launch 1" },
    { what: "far, and the run cancelled", run: cancelled, now: 10, expected: "Reject cancelled Cancelled" }
  ])("not before a time that is $what: $expected", ({ expected, ...row }) => {
    assert.strictEqual(short(decided(row, aTaskdefReady({ notBefore: at(600) }))), expected)
  })

  it("a rejection is a valid message that says why", () => {
    const decision = decided({ run: cancelled, now: 6 })
    assert(decision._tag === "Reject")
    assert.isTrue(Schema.is(TaskRejected)(decision.rejected))
    assert.deepInclude(decision.rejected, { runId, attempt: 1, at: at(6) })
    assert.strictEqual(decision.rejected.problem.message, "The run was cancelled before it was launched: too slow.")
  })

  it("a missed deadline passes on what the last try said", () => {
    const decision = decided({ marker: third, deferred: settled(), now: 3601 })
    assert(decision._tag === "Reject")
    assert.strictEqual(decision.rejected.phase, "launch")
    assert.include(decision.rejected.problem.message, "the last try said: ECS has no capacity.")
    assert.strictEqual(
      decision.rejected.problem.advice,
      "Raise `launchTimeoutSeconds`, or remove the cause: `fleet explain NoCapacity`."
    )
  })
})
