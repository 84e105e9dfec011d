import { assert, describe, it } from "@effect/vitest"
import type { PoolPlan } from "./plan.ts"
import { awsQuotas, type Kept, paceFinding, poolFinding, vcpuFinding } from "./poolFindings.ts"

const kept: Kept = { name: "p", pool: {}, problems: [], isFromFile: false, pause: undefined }

const plan = (change: Partial<PoolPlan> = {}): PoolPlan => ({
  pool: "p",
  target: { region: "us-east-1" },
  cluster: "default",
  executionRoleArn: "arn",
  isLinked: false,
  fargate: { vcpus: 1, isSpot: false },
  ...change
})

describe("a pool", () => {
  it.each<readonly [string, Partial<Kept>, PoolPlan | undefined, string, RegExp]>([
    ["valid", {}, plan(), "OK", /^valid$/],
    ["paused", { pause: {} }, plan(), "OK", /^valid; paused: fleet pool resume p$/],
    ["that only requests complete", {}, undefined, "SKIP", /values that only requests give/],
    [
      "not valid",
      { problems: ["No.", "No, too."] },
      undefined,
      "NG",
      /^No\. No, too\. Correct it: fleet pool get p --raw .*fleet pool set p -f/
    ],
    ["not valid, from a file", { problems: ["No."], isFromFile: true }, undefined, "NG", /FLEET_POOLS/],
    ["of a set that is known", { pool: { credentials: "team-a" } }, plan(), "OK", /^valid$/],
    [
      "of one that is nearly known",
      { pool: { credentials: "team-b" } },
      plan(),
      "NG",
      /did you mean team-a\?.*FLEET_AWS_CREDENTIALS_FILE/
    ],
    ["of one that is not", { pool: { credentials: "x" } }, plan(), "NG", /known here are default, team-a/]
  ])("%s", (_, change, planned, verdict, text) => {
    const finding = poolFinding({ ...kept, ...change }, planned, ["default", "team-a"])
    assert.strictEqual(finding.verdict, verdict)
    assert.match([finding.says, finding.fix].filter(Boolean).join(" "), text)
  })
})

const spot = { vcpus: 2, isSpot: true }

describe("vCPUs", () => {
  it.each<readonly [string, ReadonlyArray<PoolPlan>, string, RegExp]>([
    ["at the quota", [plan({ maxRunning: 6 })], "OK", /^maxRunning of pools takes 6, the quota is 6$/],
    ["one over it", [plan({ maxRunning: 7 })], "NG", /takes 7 Fargate vCPUs \(p 7\).*L-3032A538 --desired-value 7/],
    ["over it together", [plan({ maxRunning: 4 }), plan({ pool: "q", maxRunning: 3 })], "NG", /\(p 4, q 3\)/],
    [
      "Spot, which has a quota of its own",
      [plan({ maxRunning: 6 }), plan({ fargate: spot, maxRunning: 3 })],
      "OK",
      /takes 12/
    ],
    ["Spot over its own", [plan({ fargate: spot, maxRunning: 4 })], "NG", /L-36FBB829 --desired-value 8/],
    ["no limit", [plan()], "OK", /over the quota of 6 waits/]
  ])("%s", (_, plans, verdict, text) => {
    const finding = vcpuFinding("us-east-1", { plans, uncounted: [] }, awsQuotas)
    assert.strictEqual(finding.verdict, verdict)
    assert.match([finding.says, finding.fix].filter(Boolean).join(" "), text)
  })

  it("off Fargate do not count", () => {
    const { fargate: _, ...ofEc2 } = plan({ maxRunning: 1000 })
    assert.strictEqual(vcpuFinding("us-east-1", { plans: [ofEc2], uncounted: [] }, awsQuotas).verdict, "OK")
  })
})

describe("vCPUs where a pool cannot be counted", () => {
  const of = (maxRunning: number) =>
    vcpuFinding("us-east-1", { plans: [plan({ maxRunning })], uncounted: ["q"] }, awsQuotas)

  it("are not called OK", () => {
    assert.deepStrictEqual([of(1).verdict, of(1).says], ["SKIP", "of pools q nobody can tell what they take"])
  })

  it("are NG where the others alone are over", () => {
    assert.strictEqual(of(7).verdict, "NG")
  })
})

describe("the pace of launches", () => {
  it.each<readonly [string, number, number | undefined, string, RegExp]>([
    ["the default", 19, undefined, "OK", /^19 launches a second, the quota is 20$/],
    ["at the quota", 20, 20, "OK", /^20 launches/],
    ["over it", 21, undefined, "NG", /FLEET_AWS_RUN_TASK_PER_SECOND is 21.*--run-tasks-per-second/],
    [
      "a pool that wants more than a launcher gives",
      19,
      20,
      "NG",
      /maxSubmitPerSecond \(p 20\).*Lower maxSubmitPerSecond to 19/
    ]
  ])("%s", (_, perSecond, maxSubmitPerSecond, verdict, text) => {
    const plans = [plan(maxSubmitPerSecond === undefined ? {} : { maxSubmitPerSecond })]
    const finding = paceFinding(plans, perSecond, awsQuotas)
    assert.strictEqual(finding.verdict, verdict)
    assert.match([finding.says, finding.fix].filter(Boolean).join(" "), text)
  })
})
