import { assert, describe, it } from "@effect/vitest"
import { awsBuckets, chargesOf, type Levels, take } from "./quotas.ts"

/** How many of `calls` pass at this moment, and what is left. */
const allowed = (
  action: string,
  input: object,
  calls: number,
  atMillis: number,
  { levels = {}, region = "us-east-1" }: { readonly levels?: Levels; readonly region?: string } = {}
) => {
  let left = levels
  let passed = 0
  for (let call = 0; call < calls; call++) {
    const taken = take(left, chargesOf(action, input), region, atMillis)
    left = taken.levels
    if (taken.allowed) passed++
  }
  return { passed, levels: left }
}

describe("quotas", () => {
  it.each([
    { action: "DescribeTasks", burst: 100, perSecond: 20 },
    { action: "RegisterTaskDefinition", burst: 20, perSecond: 1 },
    { action: "RunTask", burst: 20, perSecond: 20 },
    { action: "GetLogEvents", burst: 25, perSecond: 25 }
  ])("$action: $burst at once, then $perSecond a second", ({ action, burst, perSecond }) => {
    const first = allowed(action, {}, burst + 1, 0)
    assert.strictEqual(first.passed, burst)
    const second = allowed(action, {}, 1000, 1000, first)
    assert.strictEqual(second.passed, perSecond)
  })

  it.each([
    { region: "us-east-1", action: "FilterLogEvents", perSecond: 25 },
    { region: "eu-central-1", action: "FilterLogEvents", perSecond: 5 },
    { region: "eu-west-1", action: "FilterLogEvents", perSecond: 10 },
    { region: "us-east-1", action: "GetLogEvents", perSecond: 25 },
    { region: "us-west-2", action: "GetLogEvents", perSecond: 10 },
    { region: "eu-central-1", action: "GetLogEvents", perSecond: 10 },
    { region: "ap-southeast-2", action: "GetLogEvents", perSecond: 25 },
    { region: "eu-central-1", action: "DescribeTasks", burst: 100, perSecond: 20 }
  ])("$action in $region: $perSecond a second", ({ region, action, perSecond, burst = perSecond }) => {
    const first = allowed(action, {}, 1000, 0, { region })
    assert.strictEqual(first.passed, burst)
    assert.strictEqual(allowed(action, {}, 1000, 1000, { ...first, region }).passed, perSecond)
  })

  it("DescribeTasks and ListTasks share one bucket, RegisterTaskDefinition has another", () => {
    const { levels } = allowed("DescribeTasks", {}, 100, 0)
    assert.strictEqual(allowed("ListTasks", {}, 1, 0, { levels }).passed, 0)
    assert.strictEqual(allowed("RegisterTaskDefinition", {}, 1, 0, { levels }).passed, 1)
  })

  it("RunTask pays for each task it launches", () => {
    assert.strictEqual(allowed("RunTask", { count: 10 }, 20, 0).passed, 10)
  })

  it("a launch on container instances takes nothing from Fargate's buckets", () => {
    assert.strictEqual(allowed("RunTask", { launchType: "EC2", count: 10 }, 101, 0).passed, 100)
  })

  it("a throttled call takes nothing", () => {
    const full = allowed("RunTask", { count: 10 }, 10, 0)
    const throttled = take(full.levels, chargesOf("RunTask", { count: 10 }), "us-east-1", 0)
    assert.deepStrictEqual(throttled, { allowed: false, levels: full.levels })
  })

  it("a bucket never holds more than its burst", () => {
    const { levels } = allowed("DescribeTasks", {}, 1, 0)
    assert.strictEqual(
      allowed("DescribeTasks", {}, 1000, 3_600_000, { levels }).passed,
      awsBuckets.clusterResourceRead.burst
    )
  })

  it("unfiltered DescribeSecurityGroups costs more than a filtered one", () => {
    assert.strictEqual(allowed("DescribeSecurityGroups", {}, 1000, 0).passed, 50)
    assert.strictEqual(allowed("DescribeSecurityGroups", { GroupIds: ["sg-1"] }, 1000, 0).passed, 100)
  })

  it.each(["GetCallerIdentity", "toString"])("%s has no quota", (action) => {
    assert.deepStrictEqual(chargesOf(action, {}), [])
  })
})
