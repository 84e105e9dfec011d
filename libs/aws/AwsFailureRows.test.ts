import { assert, describe, it } from "@effect/vitest"
import { classifyFailures } from "./AwsError.ts"

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
    assert.include(failure.message, "ATTRIBUTE; RESOURCE:CPU: needs 2048")
  })

  it("neither tasks nor failures: the same call again", () => {
    const failure = classifyFailures([])
    assert.strictEqual(failure.message, "Failed to run ECS task: no tasks or failures were returned.")
    assert.strictEqual(failure.retry, "transient")
  })
})
