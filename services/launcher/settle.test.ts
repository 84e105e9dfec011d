import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type RetryClass, RetryClass as RetryClasses } from "#ecs-core/errors.ts"
import { type TaskDeferred, TaskStarted } from "#ecs-core/Messages.ts"
import { aMarker, anAwsFailure, aTaskDeferred, aTaskdefReady, millis } from "#test/support/builders.ts"
import { at, clusterArn, runId, taskArn } from "#test/support/messages.ts"
import { LISTED_SECONDS, NAK_SECONDS_MAX } from "./decide.ts"
import { type Evidence, type Marker, nextTry, tokenOf, untried } from "./evidence.ts"
import { capacityWaitSeconds, type Launch, type Settled, settleFailure, startedOf } from "./settle.ts"

const order = aTaskdefReady()

/** RunTask was called for the first time, with this token. */
const called: Marker = { ...aMarker(99, { try: 3 }), seq: 8 }
const firstCall: Evidence = {
  marker: aMarker(0, { try: 2 }),
  deferred: aTaskDeferred({ try: 2, settles: 7 }),
  isRejected: false
}
/** RunTask was called with the same token before, without an answer. */
const replay: Evidence = { ...untried, marker: aMarker(0, { try: 3 }) }

type Failure = Partial<Parameters<typeof anAwsFailure>[1]>

const settled = (retry: RetryClass, launch: Partial<Launch> = {}, failure: Failure = {}): Settled =>
  settleFailure(
    order,
    anAwsFailure(retry, { ...(retry === "conflict" ? { resourceIds: [taskArn] } : {}), ...failure }),
    { evidence: firstCall, called, deliveries: 1, jitter: 0, ...launch },
    millis(100)
  )

const deferral = (tryNumber: number, waitSeconds: number, change: Partial<TaskDeferred> = {}): TaskDeferred => ({
  runId,
  attempt: 1,
  at: at(100),
  try: tryNumber,
  problem: { code: "AwsError", message: "RunTask said no.", advice: "It is tried again." },
  nextTryAt: at(100 + waitSeconds),
  ...change
})

const blind = { code: "CredentialsRejected", message: "RunTask said no.", advice: "It is tried again." } as const

const rejected = { runId, attempt: 1, at: at(100), outcome: "rejected" as const, problem: deferral(3, 0).problem }

describe("settleFailure", () => {
  const raised = (waitSeconds: number, change: Partial<TaskDeferred> = {}) => ({
    _tag: "Defer" as const,
    deferred: deferral(3, waitSeconds, { settles: 8, ...change })
  })
  const kept = (waitSeconds: number, change: Partial<TaskDeferred> = {}) => ({
    _tag: "Defer" as const,
    deferred: deferral(2, waitSeconds, change)
  })

  it.each<{ what: RetryClass; expected: Settled }>([
    { what: "capacity", expected: raised(10, { capacityFailures: 1 }) },
    { what: "credentials", expected: raised(1, { problem: blind }) },
    { what: "throttle", expected: raised(1) },
    { what: "transient", expected: kept(1) },
    { what: "conflict", expected: { _tag: "Adopt", taskArns: [taskArn], otherwise: raised(0) } },
    { what: "never", expected: { _tag: "Reject", rejected } },
    { what: "inactive", expected: { _tag: "Reject", rejected } }
  ])("of the only call with the token, $what", ({ what, expected }) => {
    assert.deepStrictEqual(settled(what), expected)
  })

  const look = { _tag: "Look" as const, otherwise: { _tag: "Reject" as const, rejected } }
  const afterReplay: ReadonlyArray<{ what: RetryClass; expected: Settled }> = [
    { what: "capacity", expected: raised(10, { capacityFailures: 1 }) },
    { what: "credentials", expected: kept(1, { problem: blind }) },
    { what: "throttle", expected: kept(1) },
    { what: "transient", expected: kept(NAK_SECONDS_MAX) },
    { what: "conflict", expected: { _tag: "Adopt", taskArns: [taskArn], otherwise: raised(0) } },
    { what: "never", expected: look },
    { what: "inactive", expected: look }
  ]
  it.each(afterReplay)("of a call after one whose answer was lost, $what", ({ what, expected }) => {
    assert.deepStrictEqual(settled(what, { evidence: replay }), expected)
  })

  it("a call that the SDK repeated by itself may have launched something the first time", () => {
    for (const retry of ["credentials", "throttle"] as const) {
      const answer = settled(retry, {}, { repeated: true })
      assert.deepStrictEqual(answer, kept(1, retry === "throttle" ? {} : { problem: blind }))
    }
    const unlisted = { _tag: "Look", otherwise: kept(LISTED_SECONDS - 1) }
    assert.deepStrictEqual<object>(settled("never", {}, { repeated: true }), unlisted)
  })

  it("a refusal soon after a lost answer waits until ECS lists what that call launched", () => {
    const soon: Evidence = { ...untried, marker: aMarker(90, { try: 3 }) }
    assert.deepStrictEqual<object>(settled("never", { evidence: soon }), {
      _tag: "Look",
      otherwise: kept(LISTED_SECONDS - 10)
    })
  })

  it("a conflict that names no task: ECS is asked before a new token is taken", () => {
    assert.deepStrictEqual<object>(settled("conflict", { evidence: replay }, { resourceIds: [] }), {
      _tag: "Look",
      otherwise: raised(0)
    })
  })

  it("RunTask was not called: what was certain before stays so, and what was not does too", () => {
    const failure = { action: "DescribeSubnets" }
    for (const retry of ["throttle", "transient", "credentials"] as const) {
      for (const evidence of [untried, firstCall, replay]) {
        const answer = settled(retry, { evidence, called: undefined }, failure)
        assert(answer._tag === "Defer")
        const after = { ...evidence, deferred: answer.deferred }
        assert.deepStrictEqual(tokenOf(after), tokenOf(evidence))
      }
    }
    assert.strictEqual(settled("never", { evidence: firstCall, called: undefined }, failure)._tag, "Reject")
    assert.strictEqual(settled("never", { evidence: replay, called: undefined }, failure)._tag, "Look")
  })

  it("no wait outlasts the launch deadline: the order comes back right after it", () => {
    const late = aTaskdefReady({ launchDeadline: at(101) })
    const launch = { evidence: firstCall, called, deliveries: 1, jitter: 0 }
    const answer = settleFailure(late, anAwsFailure("capacity"), launch, millis(100))
    assert(answer._tag === "Defer")
    assert.strictEqual(Date.parse(answer.deferred.nextTryAt), millis(101) + 1)
  })

  it("what was waited for credentials is summed up, and put off the launch deadline", () => {
    const late = aTaskdefReady({ launchDeadline: at(60) })
    const since = (deferred: TaskDeferred) => ({
      evidence: { ...firstCall, deferred },
      called,
      deliveries: 1,
      jitter: 0
    })
    const first = aTaskDeferred({ at: at(50), problem: blind, blindSeconds: 5 })
    const still = settleFailure(late, anAwsFailure("credentials"), since(first), millis(100))
    assert(still._tag === "Defer")
    assert.strictEqual(still.deferred.blindSeconds, 55)
    const full = settleFailure(late, anAwsFailure("capacity"), since(still.deferred), millis(110))
    assert(full._tag === "Defer")
    assert.deepStrictEqual([full.deferred.blindSeconds, full.deferred.nextTryAt], [65, at(120)])
    const seeing = settleFailure(late, anAwsFailure("throttle"), since(full.deferred), millis(120))
    assert(seeing._tag === "Defer")
    assert.strictEqual(seeing.deferred.blindSeconds, 65)
  })

  it.each([
    { since: 100, seconds: 1 },
    { since: 95, seconds: 5 },
    { since: 71, seconds: 29 },
    { since: 0, seconds: NAK_SECONDS_MAX }
  ])("no answer since second $since of 100: the same token again after $seconds s", ({ since, seconds }) => {
    const answer = settled("transient", { evidence: untried, called: aMarker(99, { since: at(since) }) })
    assert(answer._tag === "Defer")
    assert.strictEqual(answer.deferred.nextTryAt, at(100 + seconds))
  })

  it("a throttled call comes again after 1 s to 2 s, however often", () => {
    for (const [jitter, millisLater] of [
      [0, 1000],
      [0.999, 1999]
    ] as const) {
      const answer = settled("throttle", { deliveries: 90, jitter })
      assert(answer._tag === "Defer")
      assert.strictEqual(Date.parse(answer.deferred.nextTryAt), millis(100) + millisLater)
    }
  })

  it("the waits for capacity count only refusals for lack of it", () => {
    const deferred = aTaskDeferred({ try: 40, settles: 7, capacityFailures: 2 })
    const evidence = { ...firstCall, marker: aMarker(0, { try: 40 }), deferred }
    const [again, other] = [settled("capacity", { evidence }), settled("credentials", { evidence })]
    assert(again._tag === "Defer" && other._tag === "Defer")
    assert.deepStrictEqual([again.deferred.capacityFailures, again.deferred.nextTryAt], [3, at(140)])
    assert.strictEqual(other.deferred.capacityFailures, 2)
  })

  it.each([
    { definition: "linked" as const, advice: /^Register it again, or name another: .* arn:aws/ },
    { definition: "registered" as const, advice: /^It is tried again\.$/ }
  ])("an inactive definition that is $definition: whose turn it is to register it", ({ definition, advice }) => {
    const failure = anAwsFailure("inactive", { code: "TaskDefinitionInactive" })
    const launch = { evidence: untried, called: aMarker(99), deliveries: 1, jitter: 0 }
    const answer = settleFailure(aTaskdefReady({ definition }), failure, launch, millis(100))
    assert(answer._tag === "Reject")
    assert.deepInclude(answer.rejected, { outcome: "rejected" })
    assert.strictEqual(answer.rejected.problem.code, "TaskDefinitionInactive")
    assert.match(answer.rejected.problem.advice, advice)
  })

  it("all reasons of ECS travel with the fact, as data", () => {
    const answer = settled("capacity", {}, { code: "NoCapacity", reasons: ["RESOURCE:CPU", "AGENT"] })
    assert(answer._tag === "Defer")
    assert.deepStrictEqual(answer.deferred.problem.reasons, ["RESOURCE:CPU", "AGENT"])
  })

  it("is repeated for every class that may pass, and for no other (peers 80)", () => {
    const tags = RetryClasses.literals.map((retry) => [retry, settled(retry)._tag])
    assert.deepStrictEqual(Object.fromEntries(tags), {
      throttle: "Defer",
      transient: "Defer",
      capacity: "Defer",
      credentials: "Defer",
      conflict: "Adopt",
      inactive: "Reject",
      never: "Reject"
    })
  })

  it.prop(
    "after a lost answer only capacity and a conflict raise the try, and what is said of it never falls",
    [RetryClasses, Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 })), Schema.Boolean],
    ([retry, tryNumber, isReplay]) => {
      const marker = aMarker(0, { try: isReplay ? tryNumber : tryNumber - 1 })
      const deferred = isReplay ? undefined : aTaskDeferred({ try: tryNumber - 1, settles: 7 })
      const own = { ...aMarker(99, { try: tryNumber }), seq: 8 }
      const answer = settled(retry, { evidence: { ...firstCall, marker, deferred }, called: own })
      const end = answer._tag === "Adopt" || answer._tag === "Look" ? answer.otherwise : answer
      if (end._tag !== "Defer") return
      const raised = nextTry(end.deferred) > tryNumber
      assert.strictEqual(tokenOf({ marker: own, deferred: end.deferred }).uncertain === undefined, raised)
      assert.isAtLeast(nextTry(end.deferred), tryNumber)
      if (isReplay) assert.strictEqual(raised, retry === "capacity" || retry === "conflict")
    }
  )
})

describe("capacityWaitSeconds", () => {
  it.each([
    [1, 10],
    [2, 20],
    [5, 160],
    [6, 300],
    [1000, 300]
  ])("after failure %i: %i s", (failures, seconds) => {
    assert.strictEqual(capacityWaitSeconds(failures, 0), seconds)
    assert.closeTo(capacityWaitSeconds(failures, 1), seconds * 0.8, 1e-9)
  })

  const jitter = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
  const failures = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))
  it.prop("8 s at least and 300 s at most, and never less after a later one", [failures, jitter], ([count, jitter]) => {
    const wait = capacityWaitSeconds(count, jitter)
    assert.isAtLeast(wait, 8 - 1e-9)
    assert.isAtMost(wait, 300)
    assert.isAtLeast(capacityWaitSeconds(count + 1, jitter), wait)
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
    assert.notProperty(started, "provisioningDeadline")
  })

  it("gives a task of own capacity providers its time for PROVISIONING on top", () => {
    const started = startedOf(aTaskdefReady({ provisioningTimeoutSeconds: 1800 }), task, 1, millis(100))
    assert.deepInclude(started, { provisioningDeadline: at(90 + 1800), startDeadline: at(90 + 1800 + 300) })
  })

  it("counts from now where ECS gave no time", () => {
    const started = startedOf(order, { ...task, createdAt: undefined }, 1, millis(100))
    assert.strictEqual(started.startDeadline, at(400))
  })
})
