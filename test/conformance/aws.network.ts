import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { failureOf, target } from "./aws.steps.ts"

/** Steps of the conformance suite about what EC2 says of networks. */

export const defaultNetwork = Effect.gen(function* () {
  const found = yield* Ec2Network.use((network) => network.describe(target, undefined))
  assert.match(found.vpcId, /^vpc-/)
  assert.isNotEmpty(found.subnetIds)
  assert.deepStrictEqual(yield* Ec2Network.use((network) => network.describe(target, found.vpcId)), found)
})

export const unknownVpc = Effect.gen(function* () {
  const failure = yield* failureOf(Ec2Network.use((network) => network.describe(target, "vpc-0000000000000bad")))
  assert.deepStrictEqual([failure.code, failure.retry], ["NetworkNotFound", "never"])
  assert.match(failure.message, /^Failed to find VPC with ID vpc-0000000000000bad\./)
})
