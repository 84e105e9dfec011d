import { assert, describe, it } from "@effect/vitest"
import { alienSubnets, inferNetwork, networkOf, networkPlan } from "#ecs-core/Network.ts"
import { type RunRequest, SUBNETS_MAX } from "#ecs-core/RunRequest.ts"
import { aJob } from "#test/support/builders.ts"

const awsvpc = { networkMode: "awsvpc" }
const network = { subnets: ["subnet-b"], securityGroups: [], assignPublicIp: "ENABLED" as const }
const custom: RunRequest = { vpcId: "vpc-a", networkConfiguration: network }

describe("networkPlan", () => {
  it.each<{ what: string; request: RunRequest; plan: object }>([
    { what: "nothing said: the default VPC's", request: {}, plan: { inferNetwork: {} } },
    { what: "a VPC: its own", request: { vpcId: "vpc-a" }, plan: { inferNetwork: { vpcId: "vpc-a" } } }
  ])("infers a network under awsvpc, $what (peers 54)", ({ request, plan }) => {
    assert.deepStrictEqual(networkPlan(aJob(request), awsvpc), plan)
    assert.isUndefined(networkOf(aJob(request), awsvpc))
  })

  it("has a custom network's subnets verified against the VPC, and sends it as it is", () => {
    assert.deepStrictEqual(networkPlan(aJob(custom), awsvpc), { verifyNetwork: { vpcId: "vpc-a" } })
    assert.deepStrictEqual(networkOf(aJob(custom), awsvpc), network)
  })

  it("takes the network of a free run request as it is", () => {
    const job = aJob({ vpcId: "vpc-a", taskRunRequest: { networkConfiguration: { awsvpcConfiguration: network } } })
    assert.deepStrictEqual(networkPlan(job, awsvpc), {})
    assert.deepStrictEqual(networkOf(job, awsvpc), network)
  })

  it.each(["bridge", "host", "none", undefined])("adds none with network mode %s (peers 55)", (networkMode) => {
    const definition = networkMode === undefined ? {} : { networkMode }
    for (const request of [{}, { vpcId: "vpc-a" }, custom]) {
      const job = aJob({ ...request, launchType: "EC2" })
      assert.deepStrictEqual(networkPlan(job, definition), {})
      assert.isUndefined(networkOf(job, definition))
    }
  })

  it("asks for no public IP off Fargate", () => {
    const { assignPublicIp: _ip, ...rest } = network
    assert.deepStrictEqual(networkOf(aJob({ ...custom, launchType: "EC2" }), awsvpc), rest)
  })
})

describe("inferNetwork", () => {
  it("is all subnets of the VPC, a public IP, no security group of ours (peers 54)", () => {
    assert.deepStrictEqual(inferNetwork({ subnetIds: ["subnet-b", "subnet-a"] }, {}), {
      subnets: ["subnet-a", "subnet-b"],
      securityGroups: [],
      assignPublicIp: "ENABLED"
    })
  })

  it.each([
    { request: { launchType: "EC2" as const }, publicIp: false },
    { request: { capacityProviderStrategy: [{ capacityProvider: "mine" }] }, publicIp: false },
    { request: { capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT" }] }, publicIp: true },
    { request: { launchType: null, taskDefinition: { requiresCompatibilities: ["EC2"] } }, publicIp: false },
    { request: {}, publicIp: true }
  ])("of $request has a public IP: $publicIp (peers 77)", ({ request, publicIp }) => {
    const job = aJob(request)
    const plan = networkPlan(job, { ...awsvpc, ...job.taskDefinition }).inferNetwork ?? {}
    assert.strictEqual("assignPublicIp" in inferNetwork({ subnetIds: ["a"] }, plan), publicIp)
  })

  it("gives the same network whatever the order EC2 listed the subnets in, so that a token replays", () => {
    const inOrder = (...subnetIds: ReadonlyArray<string>) => inferNetwork({ subnetIds }, {})
    assert.deepStrictEqual(inOrder("c", "a", "b"), inOrder("b", "c", "a"))
  })

  it("takes at most 16 subnets", () => {
    const subnetIds = Array.from({ length: SUBNETS_MAX + 1 }, (_, n) => `subnet-${String(n).padStart(2, "0")}`)
    assert.strictEqual(inferNetwork({ subnetIds }, {}).subnets.length, 16)
    assert.strictEqual(inferNetwork({ subnetIds: subnetIds.slice(0, 16) }, {}).subnets.length, 16)
  })
})

describe("alienSubnets", () => {
  it.each([
    { subnets: ["a"], aliens: [] },
    { subnets: ["b", "a"], aliens: [] },
    { subnets: ["x"], aliens: ["x"] },
    { subnets: ["a", "y", "x"], aliens: ["y", "x"] }
  ])("of $subnets in a VPC with a, b and c are $aliens", ({ subnets, aliens }) => {
    assert.deepStrictEqual(alienSubnets(subnets, ["a", "b", "c"]), aliens)
  })
})
