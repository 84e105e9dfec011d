import type { RunTaskCommandInput } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { type Ec2Calls, Ec2Network, makeNetwork } from "#aws/Ec2Network.ts"
import { Pace } from "#aws/Pace.ts"
import type { TaskdefReady } from "#ecs-core/Messages.ts"
import { anAwsFailure } from "#test/support/builders.ts"
import {
  aLauncher,
  allTasks,
  anOrder,
  recordedLaunches,
  rejections,
  spoiltLaunches,
  startedFacts,
  untilDone
} from "#test/support/launches.ts"
import { again, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import { handleOrder } from "./handle.ts"

const launcher = aLauncher()

/** ECS knows these; EC2 may tell of others that are gone, or not tell of one that is new. */
const known = ["subnet-a", "subnet-b"]
const networks = [{ vpcId: "vpc-1", isDefault: true, securityGroupId: "sg-1", subnetIds: known }]

/** A VPC that changes: what EC2 tells of it at each look, the last for ever. */
const changing = (...looks: ReadonlyArray<ReadonlyArray<string>>) => {
  const asked: Array<ReadonlyArray<string>> = []
  const calls: Ec2Calls = {
    region: ({ region }) => region,
    describeVpcs: () => Effect.succeed({ Vpcs: [{ VpcId: "vpc-1" }] }),
    describeSubnets: () =>
      Effect.sync(() => {
        const subnets = looks[Math.min(asked.length, looks.length - 1)] ?? []
        asked.push(subnets)
        return { Subnets: subnets.map((SubnetId) => ({ SubnetId })) }
      })
  }
  return { asked, layer: Layer.effect(Ec2Network, makeNetwork(calls, 300)) }
}

/** Everything around one launcher; what RunTask was called with stays in `inputs`. */
const around = (inputs: Array<RunTaskCommandInput>, ec2: ReturnType<typeof changing>) =>
  Layer.merge(recordedLaunches(inputs), ec2.layer).pipe(Layer.provideMerge(layerMemoryFleet({ networks })))

const subnetsOf = (inputs: ReadonlyArray<RunTaskCommandInput>) =>
  inputs.map(({ networkConfiguration }) => networkConfiguration?.awsvpcConfiguration?.subnets)

const ownSubnets = (...subnets: ReadonlyArray<string>): Partial<TaskdefReady> => ({
  verifyNetwork: { vpcId: "vpc-1" },
  runTask: {
    cluster: "default",
    taskDefinition: "fleet_default",
    launchType: "FARGATE",
    networkConfiguration: { awsvpcConfiguration: { subnets } },
    overrides: { containerOverrides: [] }
  }
})

describe("a subnet that was deleted after EC2 was asked", () => {
  it.effect("is left out when RunTask refuses it: a second call, the same token, one task", () => {
    const [inputs, ec2] = [Array<RunTaskCommandInput>(), changing(["subnet-a", "subnet-gone"], known)]
    return Effect.gen(function* () {
      const fleet = yield* launcher
      const order = yield* anOrder()
      assert.deepStrictEqual(yield* handleOrder(fleet, order), { _tag: "Ack" })
      assert.deepStrictEqual(subnetsOf(inputs), [["subnet-a", "subnet-gone"], known])
      assert.strictEqual(inputs[0]?.clientToken, inputs[1]?.clientToken)
      assert.deepStrictEqual(yield* handleOrder(fleet, again(order)), { _tag: "Ack" })
      assert.strictEqual((yield* allTasks).length, 1)
      assert.strictEqual((yield* startedFacts)[0]?.try, 1)
      assert.strictEqual(ec2.asked.length, 2)
    }).pipe(Effect.provide(around(inputs, ec2)))
  })

  it.effect("twice: the second answer was lost, and the redelivered order finds its task", () => {
    const ec2 = changing(["subnet-gone"], known)
    const refused = anAwsFailure("never", { code: "NetworkInvalid" })
    return Effect.gen(function* () {
      const fleet = yield* launcher
      const order = yield* anOrder()
      assert.deepStrictEqual(yield* handleOrder(fleet, order), { _tag: "Nak", delayMillis: 1000 })
      assert.deepStrictEqual(yield* untilDone(fleet, again(order)), { _tag: "Ack" })
      assert.deepStrictEqual(
        (yield* startedFacts).map(({ taskArn }) => taskArn),
        yield* allTasks
      )
      assert.strictEqual((yield* allTasks).length, 1)
    }).pipe(
      Effect.provide(
        Layer.merge(
          spoiltLaunches(
            { failure: refused, carriedOut: false },
            { failure: anAwsFailure("transient"), carriedOut: true }
          ),
          ec2.layer
        )
      ),
      Effect.provide(layerMemoryFleet({ networks }))
    )
  })

  it.effect("never: what EC2 still tells is refused for good, after one more look and one call", () => {
    const [inputs, ec2] = [Array<RunTaskCommandInput>(), changing(["subnet-gone"])]
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* handleOrder(yield* launcher, yield* anOrder()), { _tag: "Ack" })
      assert.deepStrictEqual(
        (yield* rejections).map(({ outcome, problem }) => [outcome, problem.code]),
        [["rejected", "NetworkInvalid"]]
      )
      assert.deepStrictEqual([inputs.length, ec2.asked.length], [1, 2])
    }).pipe(Effect.provide(around(inputs, ec2)))
  })

  it.effect("never: a second refusal is the last word", () => {
    const [inputs, ec2] = [Array<RunTaskCommandInput>(), changing(["subnet-gone"], ["subnet-also-gone"])]
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* handleOrder(yield* launcher, yield* anOrder()), { _tag: "Ack" })
      assert.include((yield* rejections)[0]?.problem.message, "subnet-also-gone")
      assert.deepStrictEqual([inputs.length, ec2.asked.length], [2, 2])
    }).pipe(Effect.provide(around(inputs, ec2)))
  })
})

describe("a subnet that is newer than what is remembered", () => {
  it.effect("is not alien: EC2 is asked once more", () => {
    const [inputs, ec2] = [Array<RunTaskCommandInput>(), changing(["subnet-a"], known)]
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* handleOrder(yield* launcher, yield* anOrder(ownSubnets("subnet-b"))), {
        _tag: "Ack"
      })
      assert.deepStrictEqual(subnetsOf(inputs), [["subnet-b"]])
      assert.deepStrictEqual(yield* rejections, [])
    }).pipe(Effect.provide(around(inputs, ec2)))
  })

  it.effect("never: a network that was given, not inferred, is refused without asking EC2 again", () => {
    const [inputs, ec2] = [Array<RunTaskCommandInput>(), changing(["subnet-gone"])]
    return Effect.gen(function* () {
      yield* handleOrder(yield* launcher, yield* anOrder(ownSubnets("subnet-gone")))
      assert.deepStrictEqual((yield* rejections)[0]?.problem.code, "NetworkInvalid")
      assert.deepStrictEqual([inputs.length, ec2.asked.length], [1, 1])
    }).pipe(Effect.provide(around(inputs, ec2)))
  })
})

describe("EC2 that throttles", () => {
  it.effect("hands the order back, with its token, and does not slow RunTask down", () => {
    const refusal = anAwsFailure("throttle", { code: "Throttled", action: "DescribeSubnets" })
    const throttling = Layer.effect(
      Ec2Network,
      Effect.map(Ec2Network, (network) => {
        let left = 1
        return Ec2Network.of({
          ...network,
          describe: (target, vpcId) =>
            Effect.suspend(() => (left-- > 0 ? Effect.fail(refusal) : network.describe(target, vpcId)))
        })
      })
    )
    return Effect.gen(function* () {
      const fleet = yield* launcher
      const order = yield* anOrder()
      const verdict = yield* handleOrder(fleet, order)
      assert.strictEqual(verdict._tag, "Nak")
      assert.strictEqual(yield* (yield* Pace).waitMillis("runTask", { region: "us-east-1" }), 0)
      assert.deepStrictEqual(yield* untilDone(fleet, again(order)), { _tag: "Ack" })
      assert.deepStrictEqual([(yield* startedFacts)[0]?.try, (yield* allTasks).length], [1, 1])
    }).pipe(Effect.provide(throttling), Effect.provide(layerMemoryFleet({ networks })))
  })
})
