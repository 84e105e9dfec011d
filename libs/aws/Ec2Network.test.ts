import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Ec2Network } from "./Ec2Network.ts"
import { EcsModel, type ModelNetwork } from "./model/EcsModel.ts"
import { Runtime } from "./model/Runtime.ts"

const over = (networks: ReadonlyArray<ModelNetwork>) =>
  Ec2Network.layerMemory.pipe(Layer.provide(EcsModel.layer({ networks })), Layer.provide(Runtime.layerSimulated))

const network = (vpcId: string, isDefault: boolean, subnets: number): ModelNetwork => ({
  vpcId,
  isDefault,
  securityGroupId: "sg-1",
  subnetIds: Array.from({ length: subnets }, (_, index) => `subnet-${index}`)
})

const describeVpc = (vpcId?: string) => Ec2Network.use((ports) => ports.describe({}, vpcId))

describe("Ec2Network", () => {
  it.effect("reads every page of a large VPC (peers 59)", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* describeVpc()).subnetIds.length, 250)
    }).pipe(Effect.provide(over([network("vpc-1", true, 250)])))
  )

  it.effect("without a default VPC: says so, and what to do", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(describeVpc())
      assert.strictEqual(failure.code, "NetworkNotFound")
      assert.strictEqual(failure.message, "Failed to find the default VPC. Network configuration cannot be inferred.")
      assert.include(failure.advice, "vpcId")
      assert.strictEqual((yield* describeVpc("vpc-1")).vpcId, "vpc-1")
    }).pipe(Effect.provide(over([network("vpc-1", false, 1)])))
  )

  it.effect("a VPC without subnets is of no use", () =>
    Effect.gen(function* () {
      const messages = [yield* Effect.flip(describeVpc()), yield* Effect.flip(describeVpc("vpc-1"))].map(
        (each) => each.message
      )
      assert.match(messages[0] ?? "", /^Failed to find subnets for the default VPC\./)
      assert.match(messages[1] ?? "", /^Failed to find subnets for VPC with ID vpc-1\./)
    }).pipe(Effect.provide(over([network("vpc-1", true, 0)])))
  )
})
