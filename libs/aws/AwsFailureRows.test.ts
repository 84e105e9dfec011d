import { assert, describe, it } from "@effect/vitest"
import { problemOf } from "#ecs-core/errors.ts"
import { classifyFailures, maxReasons } from "./AwsError.ts"

/** Reason of AWS -> code, retry. */
const reasons: ReadonlyArray<readonly [string, string, string]> = [
  ["RESOURCE:CPU", "NoCapacity", "capacity"],
  ["RESOURCE:MEMORY", "NoCapacity", "capacity"],
  ["RESOURCE:ENI", "NoCapacity", "capacity"],
  ["AGENT", "NoCapacity", "capacity"],
  [
    "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    "NoCapacity",
    "capacity"
  ],
  ["You\u2019ve reached the limit on the number of vCPUs you can run concurrently", "VcpuQuotaReached", "capacity"],
  ["You've reached the limit on the number of tasks you can run concurrently", "VcpuQuotaReached", "capacity"],
  ["LOCATION", "PlacementUnsatisfied", "never"],
  ["ATTRIBUTE", "PlacementUnsatisfied", "never"],
  ["MemberOf placement constraint unsatisfied.", "PlacementUnsatisfied", "never"],
  ["EMPTY CAPACITY PROVIDER", "NoContainerInstances", "capacity"],
  ["A reason nobody has seen", "NoCapacity", "capacity"]
]

describe("classifyFailures", () => {
  it.each(reasons)("%s -> %s, %s", (reason, code, retry) => {
    const failure = classifyFailures([{ arn: "arn:x", reason }])
    assert.deepStrictEqual([failure.code, failure.retry], [code, retry])
    assert.match(failure.message, /^Failed to run ECS task: /)
    assert.include(failure.message, reason)
  })

  it("waits when one instance is full, though another does not fit at all", () => {
    const failure = classifyFailures([{ reason: "ATTRIBUTE" }, { reason: "RESOURCE:CPU", detail: "needs 2048" }])
    assert.deepStrictEqual([failure.code, failure.retry], ["NoCapacity", "capacity"])
    assert.include(failure.message, "ATTRIBUTE; RESOURCE:CPU (needs 2048)")
  })

  it("keeps the reason that AWS gave (scenario 24)", () => {
    const failure = classifyFailures([{ arn: "arn:x", reason: "string" }])
    assert.match(failure.message, /^Failed to run ECS task: .*string$/)
  })

  it("keeps every reason, in the message and as data (peers 78, scenario 79)", () => {
    const given = [
      "RESOURCE:CPU",
      "RESOURCE:MEMORY",
      "AGENT",
      "Capacity is unavailable at this time",
      "ATTRIBUTE",
      "LOCATION"
    ]
    const failure = classifyFailures(given.map((reason) => ({ reason })))
    assert.strictEqual(failure.retry, "capacity")
    assert.match(failure.message, /^Failed to run ECS task: /)
    for (const reason of given) assert.include(failure.message, reason)
    assert.deepStrictEqual(failure.reasons, given)
    assert.deepStrictEqual(problemOf(failure).reasons, given)
  })

  it.each([
    { of: maxReasons, kept: maxReasons, tail: `reason ${maxReasons}` },
    { of: maxReasons + 2, kept: maxReasons, tail: "; and 2 more" }
  ])("of $of different reasons $kept are kept, and the others counted", ({ of, kept, tail }) => {
    const failures = Array.from({ length: of }, (_, index) => ({ reason: `reason ${index + 1}` }))
    const failure = classifyFailures([...failures, ...failures])
    assert.strictEqual(failure.reasons?.length, kept)
    assert.isTrue(failure.message.endsWith(tail))
  })

  it("neither tasks nor failures: the same call again", () => {
    const failure = classifyFailures([])
    assert.strictEqual(failure.message, "Failed to run ECS task: no tasks or failures were returned.")
    assert.strictEqual(failure.retry, "transient")
    assert.isUndefined(problemOf(failure).reasons)
  })
})
