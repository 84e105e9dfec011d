import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { type Ec2Calls, makeNetwork, maxCachedNetworks } from "./Ec2Network.ts"

/** EC2 with one VPC per id, whose subnets a test may change; it counts what it is asked. */
const ec2 = (subnets: Array<string> = ["subnet-a", "subnet-b"]) => {
  const asked: Array<string> = []
  const calls: Ec2Calls = {
    region: ({ region }) => region,
    describeVpcs: (target, { Filters: [filter] = [] }) =>
      Effect.sync(() => {
        const VpcId = filter?.Name === "is-default" ? "vpc-default" : (filter?.Values?.[0] ?? "")
        asked.push([target.credentials ?? "default", target.region ?? "own", VpcId].join(" "))
        return { Vpcs: [{ VpcId }] }
      }),
    describeSubnets: () => Effect.sync(() => ({ Subnets: subnets.map((SubnetId) => ({ SubnetId })) }))
  }
  return { calls, asked, subnets }
}

describe("what EC2 said", () => {
  it.effect("is asked once for many, and again when it is too old (peers 59)", () =>
    Effect.gen(function* () {
      const { calls, asked } = ec2()
      const network = yield* makeNetwork(calls, 300)
      const twenty = Array.from({ length: 20 }, () => network.describe({}, undefined))
      yield* Effect.all(twenty, { concurrency: "unbounded" })
      yield* TestClock.adjust("299 seconds")
      yield* network.describe({}, undefined)
      assert.deepStrictEqual(asked, ["default own vpc-default"])
      yield* TestClock.adjust("1 second")
      yield* network.describe({}, undefined)
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.scoped)
  )

  it.effect("is kept apart by credentials, region and VPC", () =>
    Effect.gen(function* () {
      const { calls, asked } = ec2()
      const network = yield* makeNetwork(calls, 300)
      const wanted = [
        [{}, undefined],
        [{}, "vpc-1"],
        [{ region: "eu-west-1" }, "vpc-1"],
        [{ region: "eu-west-1", credentials: "other" }, "vpc-1"]
      ] as const
      for (const [target, vpcId] of [...wanted, ...wanted]) yield* network.describe(target, vpcId)
      assert.deepStrictEqual(asked, [
        "default own vpc-default",
        "default own vpc-1",
        "default eu-west-1 vpc-1",
        "other eu-west-1 vpc-1"
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("is not believed at all with a cache of 0 s", () =>
    Effect.gen(function* () {
      const { calls, asked } = ec2()
      const network = yield* makeNetwork(calls, 0)
      yield* network.describe({}, undefined)
      yield* network.describe({}, undefined)
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.scoped)
  )

  it.effect("is forgotten for the VPC that was longest unused, when there are too many", () =>
    Effect.gen(function* () {
      const { calls, asked } = ec2()
      const network = yield* makeNetwork(calls, 300)
      for (let vpc = 0; vpc < maxCachedNetworks; vpc++) yield* network.describe({}, `vpc-${vpc}`)
      yield* network.describe({}, "vpc-0")
      assert.strictEqual(asked.length, maxCachedNetworks)
      yield* network.describe({}, "vpc-one-more")
      yield* network.describe({}, "vpc-0")
      yield* network.describe({}, "vpc-1")
      assert.deepStrictEqual(asked.slice(maxCachedNetworks), ["default own vpc-one-more", "default own vpc-1"])
    }).pipe(Effect.scoped)
  )

  it.effect("is not kept when it was a failure", () =>
    Effect.gen(function* () {
      const { calls, asked, subnets } = ec2([])
      const network = yield* makeNetwork(calls, 300)
      assert.strictEqual((yield* Effect.flip(network.describe({}, undefined))).code, "NetworkNotFound")
      subnets.push("subnet-new")
      assert.deepStrictEqual((yield* network.describe({}, undefined)).subnetIds, ["subnet-new"])
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.scoped)
  )
})

describe("an answer that AWS does not agree with", () => {
  it.effect("is forgotten, once for all who had it", () =>
    Effect.gen(function* () {
      const { calls, asked, subnets } = ec2()
      const network = yield* makeNetwork(calls, 300)
      const stale = yield* network.describe({}, undefined)
      subnets.shift()
      const refreshed = Array.from({ length: 20 }, () => network.refresh({}, undefined, stale))
      const found = yield* Effect.all(refreshed, { concurrency: "unbounded" })
      assert.deepStrictEqual(
        found.map(({ subnetIds }) => subnetIds),
        found.map(() => ["subnet-b"])
      )
      assert.strictEqual(asked.length, 2)
      assert.deepStrictEqual(yield* network.describe({}, undefined), found[0])
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.scoped)
  )

  it.effect("late: is not forgotten again when somebody has looked since", () =>
    Effect.gen(function* () {
      const { calls, asked } = ec2()
      const network = yield* makeNetwork(calls, 300)
      const stale = yield* network.describe({}, undefined)
      const fresh = yield* network.refresh({}, undefined, stale)
      assert.strictEqual(yield* network.refresh({}, undefined, stale), fresh)
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.scoped)
  )
})

describe("EC2 that throttles", () => {
  it.effect("is a throttle, not a fault of the network, and is asked again the next time", () =>
    Effect.gen(function* () {
      const { calls, asked } = ec2()
      let throttles = 1
      const describeSubnets: typeof calls.describeSubnets = (target, input) =>
        throttles-- > 0
          ? Effect.fail({ name: "RequestLimitExceeded", message: "Request limit exceeded." })
          : calls.describeSubnets(target, input)
      const network = yield* makeNetwork({ ...calls, describeSubnets }, 300)
      const failure = yield* Effect.flip(network.describe({}, "vpc-1"))
      assert.deepStrictEqual(
        [failure.code, failure.retry, failure.action],
        ["Throttled", "throttle", "DescribeSubnets"]
      )
      assert.strictEqual((yield* network.describe({}, "vpc-1")).vpcId, "vpc-1")
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.scoped)
  )
})
