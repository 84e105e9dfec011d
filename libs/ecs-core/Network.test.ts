import { assert, describe, it } from "@effect/vitest"
import { inferNetwork } from "#ecs-core/Network.ts"

describe("inferNetwork", () => {
  it("statement 54: all subnets of the VPC, a public IP, no security group of ours", () => {
    assert.deepStrictEqual(inferNetwork({ subnetIds: ["subnet-b", "subnet-a"] }), {
      subnets: ["subnet-a", "subnet-b"],
      securityGroups: [],
      assignPublicIp: "ENABLED"
    })
  })

  it("gives the same network whatever the order EC2 listed the subnets in, so that a token replays", () => {
    assert.deepStrictEqual(inferNetwork({ subnetIds: ["c", "a", "b"] }), inferNetwork({ subnetIds: ["b", "c", "a"] }))
  })

  it("statement 60: takes at most 16 subnets", () => {
    const subnetIds = Array.from({ length: 17 }, (_, n) => `subnet-${String(n).padStart(2, "0")}`)
    assert.strictEqual(inferNetwork({ subnetIds }).subnets.length, 16)
    assert.strictEqual(inferNetwork({ subnetIds: subnetIds.slice(0, 16) }).subnets.length, 16)
  })
})
