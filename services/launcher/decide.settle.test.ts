import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type RetryClass, RetryClass as RetryClasses } from "#ecs-core/errors.ts"
import type { TaskDeferred } from "#ecs-core/Messages.ts"
import { anAwsFailure, aTaskdefReady, millis } from "#test/support/builders.ts"
import { at, runId, taskArn } from "#test/support/messages.ts"
import { NAK_SECONDS_MAX, nextTry, settleFailure } from "./decide.ts"

const order = aTaskdefReady()

const settled = (retry: RetryClass, context: { try?: number; deliveries?: number; jitter?: number } = {}) =>
  settleFailure(
    order,
    anAwsFailure(retry, retry === "conflict" ? { resourceIds: [taskArn] } : {}),
    { try: 3, deliveries: 1, jitter: 0, ...context },
    millis(100)
  )

const deferral = (tryNumber: number, waitSeconds: number): TaskDeferred => ({
  runId,
  attempt: 1,
  at: at(100),
  try: tryNumber,
  problem: { code: "AwsError", message: "RunTask said no.", advice: "It is tried again." },
  nextTryAt: at(100 + waitSeconds)
})

describe("settleFailure", () => {
  it("capacity: nothing was launched, so that the next try is a new one", () => {
    assert.deepStrictEqual(settled("capacity"), { _tag: "Deferred", deferred: deferral(3, 40) })
  })

  it("credentials: an earlier answer may be lost, so that the token stays", () => {
    const answer = settled("credentials")
    assert.deepStrictEqual(answer, { _tag: "Deferred", deferred: deferral(2, NAK_SECONDS_MAX) })
    assert(answer._tag === "Deferred")
    assert.strictEqual(nextTry(answer.deferred), 3)
  })

  it("no wait outlasts the launch deadline: the order comes back right after it", () => {
    const late = aTaskdefReady({ launchDeadline: at(101) })
    for (const retry of ["capacity", "credentials"] as const) {
      const answer = settleFailure(late, anAwsFailure(retry), { try: 3, deliveries: 1, jitter: 0 }, millis(100))
      assert(answer._tag === "Deferred")
      assert.strictEqual(Date.parse(answer.deferred.nextTryAt), millis(101) + 1)
    }
  })

  it("conflict: the named tasks may be ours; else a new token at once", () => {
    assert.deepStrictEqual(settled("conflict"), { _tag: "Adopt", taskArns: [taskArn], otherwise: deferral(3, 0) })
  })

  it.each([
    { retry: "throttle" as const, deliveries: 9, jitter: 0, delayMillis: 1000, throttled: true },
    { retry: "throttle" as const, deliveries: 1, jitter: 0.999, delayMillis: 1999, throttled: true },
    { retry: "transient" as const, deliveries: 1, jitter: 0.9, delayMillis: 1000, throttled: false },
    { retry: "transient" as const, deliveries: 30, jitter: 0, delayMillis: 30_000, throttled: false },
    { retry: "transient" as const, deliveries: 31, jitter: 0, delayMillis: 30_000, throttled: false }
  ])("$retry at delivery $deliveries: the same token again after $delayMillis ms", ({ retry, ...given }) => {
    const { delayMillis, throttled, ...context } = given
    assert.deepStrictEqual(settled(retry, context), { _tag: "Again", delayMillis, throttled })
  })

  it.each(["never", "inactive"] as const)("%s: the attempt is over, at once if no answer can be lost", (retry) => {
    const rejected = { runId, attempt: 1, at: at(100), outcome: "rejected" as const, problem: deferral(3, 0).problem }
    assert.deepStrictEqual(settled(retry), { _tag: "Rejected", rejected })
    assert.deepStrictEqual(settled(retry, { deliveries: 2 }), { _tag: "Look", otherwise: rejected })
  })

  it("a throttled look at EC2 says nothing about the pace of RunTask", () => {
    const failure = anAwsFailure("throttle", { action: "DescribeSubnets" })
    const answer = settleFailure(order, failure, { try: 3, deliveries: 1, jitter: 0 }, millis(100))
    assert.deepStrictEqual(answer, { _tag: "Again", delayMillis: 1000, throttled: false })
  })

  it.each([
    { definition: "linked" as const, advice: /^Register it again, or name another: .* arn:aws/ },
    { definition: "registered" as const, advice: /^It is tried again\.$/ }
  ])("an inactive definition that is $definition: whose turn it is to register it", ({ definition, advice }) => {
    const failure = anAwsFailure("inactive", { code: "TaskDefinitionInactive" })
    const ready = aTaskdefReady({ definition })
    const answer = settleFailure(ready, failure, { try: 1, deliveries: 1, jitter: 0 }, millis(100))
    assert(answer._tag === "Rejected")
    assert.deepInclude(answer.rejected, { outcome: "rejected" })
    assert.strictEqual(answer.rejected.problem.code, "TaskDefinitionInactive")
    assert.match(answer.rejected.problem.advice, advice)
  })

  it("all reasons of ECS travel with the fact, as data", () => {
    const failure = anAwsFailure("capacity", { code: "NoCapacity", reasons: ["RESOURCE:CPU", "AGENT"] })
    const answer = settleFailure(order, failure, { try: 1, deliveries: 1, jitter: 0 }, millis(100))
    assert(answer._tag === "Deferred")
    assert.deepStrictEqual(answer.deferred.problem.reasons, ["RESOURCE:CPU", "AGENT"])
  })

  it("is repeated for every class that may pass, and for no other (peers 80)", () => {
    const tags = RetryClasses.literals.map((retry) => [retry, settled(retry)._tag])
    assert.deepStrictEqual(Object.fromEntries(tags), {
      throttle: "Again",
      transient: "Again",
      capacity: "Deferred",
      credentials: "Deferred",
      conflict: "Adopt",
      inactive: "Rejected",
      never: "Rejected"
    })
  })

  it.prop(
    "only capacity and a conflict ever raise the try, whatever else came before",
    [RetryClasses, Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 }))],
    ([retry, tryNumber]) => {
      const answer = settled(retry, { try: tryNumber, deliveries: tryNumber + 1 })
      const stored =
        answer._tag === "Deferred" ? answer.deferred : answer._tag === "Adopt" ? answer.otherwise : undefined
      const raised = stored !== undefined && nextTry(stored) > tryNumber
      assert.strictEqual(raised, retry === "capacity" || retry === "conflict")
      if (stored !== undefined) assert.isAtLeast(nextTry(stored), tryNumber)
    }
  )
})
