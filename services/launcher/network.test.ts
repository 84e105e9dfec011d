import type { RunTaskCommandInput } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ModelNetwork } from "#aws/model/EcsModel.ts"
import { FleetId } from "#ecs-core/Ids.ts"
import { Codecs, type TaskdefReady } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { anOrder, recordedLaunches } from "#test/support/launches.ts"
import { layerMemoryFleet, messagesOf, processPorts } from "#test/support/MemoryFleet.ts"
import { runId } from "#test/support/messages.ts"
import { makeFleet } from "./Fleet.ts"
import { handleOrder } from "./handle.ts"

const launcher = Effect.provide(makeFleet(FleetId.make("0f1ee7aa")), processPorts())
const rejections = messagesOf(Streams.fleet, Subjects.taskRejected(runId, 1), Codecs.taskRejected)

const vpc = (vpcId: string, isDefault: boolean, ...subnetIds: ReadonlyArray<string>): ModelNetwork => ({
  vpcId,
  isDefault,
  securityGroupId: vpcId.replace("vpc", "sg"),
  subnetIds
})

/** Carries one order out where these networks are: what RunTask was called with, and why the order was refused. */
const carriedOut = (networks: ReadonlyArray<ModelNetwork>, order: Partial<TaskdefReady>) =>
  Effect.suspend(() => {
    const inputs: Array<RunTaskCommandInput> = []
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* handleOrder(yield* launcher, yield* anOrder(order)), { _tag: "Ack" })
      const [rejected] = yield* rejections
      const awsvpc = inputs.map(({ networkConfiguration }) => networkConfiguration?.awsvpcConfiguration)
      return { awsvpc, outcome: rejected?.outcome, problem: rejected?.problem }
    }).pipe(
      Effect.provide(recordedLaunches(inputs), { local: true }),
      Effect.provide(layerMemoryFleet({ networks }), { local: true })
    )
  })

type Awsvpc = NonNullable<TaskdefReady["runTask"]["networkConfiguration"]>["awsvpcConfiguration"]

/** An order with a network of its own, to be verified. */
const ownNetwork = (vpcId: string, awsvpcConfiguration: Awsvpc): Partial<TaskdefReady> => ({
  verifyNetwork: { vpcId },
  runTask: {
    cluster: "default",
    taskDefinition: "fleet_default",
    launchType: "FARGATE",
    networkConfiguration: { awsvpcConfiguration },
    overrides: { containerOverrides: [] }
  }
})

const two = [vpc("vpc-1", true, "subnet-b", "subnet-a"), vpc("vpc-2", false, "subnet-c")] as const

describe("an inferred network", () => {
  it.effect.each([
    { what: "a given VPC", inferNetwork: { vpcId: "vpc-2" }, subnets: ["subnet-c"] },
    { what: "the default VPC", inferNetwork: {}, subnets: ["subnet-a", "subnet-b"] }
  ])("of $what: all its subnets, a public IP, no security group (peers 54, scenario 16)", ({ inferNetwork, subnets }) =>
    Effect.gen(function* () {
      const { awsvpc } = yield* carriedOut(two, { inferNetwork })
      assert.deepStrictEqual(awsvpc, [{ subnets, assignPublicIp: "ENABLED", securityGroups: [] }])
    })
  )

  it.effect("that cannot be found: no default VPC, no such VPC, no subnets (peers 56, scenario 22)", () =>
    Effect.gen(function* () {
      const refused = [
        yield* carriedOut([vpc("vpc-1", false, "subnet-a")], { inferNetwork: {} }),
        yield* carriedOut(two, { inferNetwork: { vpcId: "vpc-9" } }),
        yield* carriedOut([vpc("vpc-1", true)], { inferNetwork: {} }),
        yield* carriedOut([vpc("vpc-1", false)], { inferNetwork: { vpcId: "vpc-1" } })
      ]
      assert.deepStrictEqual(
        refused.map(({ problem }) => problem?.message),
        [
          "Failed to find the default VPC. Network configuration cannot be inferred.",
          "Failed to find VPC with ID vpc-9. Network configuration cannot be inferred.",
          "Failed to find subnets for the default VPC. Network configuration cannot be inferred.",
          "Failed to find subnets for VPC with ID vpc-1. Network configuration cannot be inferred."
        ]
      )
      const advice = refused.map(({ problem }) => problem?.advice ?? "")
      assert.match(advice[0] ?? "", /^Pass an explicit `vpcId`, or configure a default VPC/)
      assert.match(advice[1] ?? "", /^Check that the VPC exists in the current region/)
      for (const { awsvpc, outcome, problem } of refused) {
        assert.deepStrictEqual([awsvpc, outcome, problem?.code], [[], "rejected", "NetworkNotFound"])
      }
    })
  )

  it.effect("is the default VPC's; without one the run is refused with what to do (scenario 20)", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* carriedOut(two, { inferNetwork: {} })).outcome, undefined)
      const { awsvpc, problem } = yield* carriedOut([vpc("vpc-2", false, "subnet-c")], { inferNetwork: {} })
      assert.match(problem?.advice ?? "", /^Pass an explicit `vpcId`, or configure a default VPC/)
      assert.deepStrictEqual(awsvpc, [])
    })
  )
})

describe("a network of the request's own", () => {
  it.effect("has one subnet of one, one of many, many of many (scenario 17)", () =>
    Effect.gen(function* () {
      for (const [vpcId, subnets] of [
        ["vpc-2", ["subnet-c"]],
        ["vpc-1", ["subnet-b"]],
        ["vpc-1", ["subnet-b", "subnet-a"]]
      ] as const) {
        const { awsvpc, outcome } = yield* carriedOut(two, ownNetwork(vpcId, { subnets }))
        assert.deepStrictEqual([awsvpc, outcome], [[{ subnets: [...subnets] }], undefined])
      }
    })
  )

  it.effect("with one of the VPC's many subnets uses that one only (peers 58)", () =>
    Effect.gen(function* () {
      const { awsvpc } = yield* carriedOut(two, ownNetwork("vpc-1", { subnets: ["subnet-b"] }))
      assert.deepStrictEqual(awsvpc, [{ subnets: ["subnet-b"] }])
    })
  )

  it.effect("with an alien subnet is refused, also when others fit (scenario 18)", () =>
    Effect.gen(function* () {
      for (const subnets of [["subnet-c"], ["subnet-a", "subnet-c"]]) {
        const { awsvpc, outcome, problem } = yield* carriedOut(two, ownNetwork("vpc-1", { subnets }))
        assert.deepStrictEqual([awsvpc, outcome, problem?.code], [[], "rejected", "NetworkInvalid"])
        assert.strictEqual(problem?.message, "Subnets [subnet-c] not found within VPC with ID vpc-1.")
        assert.match(problem?.advice ?? "", /^Please check that the VPC is associated with the supplied subnets/)
      }
    })
  )

  it.effect("needs a VPC that exists and has every subnet, and is then sent as it is (peers 57)", () =>
    Effect.gen(function* () {
      const own = { subnets: ["subnet-b"], securityGroups: ["sg-1"], assignPublicIp: "DISABLED" } as const
      const nowhere = yield* carriedOut(two, ownNetwork("vpc-9", own))
      assert.deepStrictEqual([nowhere.awsvpc, nowhere.problem?.code], [[], "NetworkNotFound"])
      assert.match(nowhere.problem?.message ?? "", /^Failed to find VPC with ID vpc-9\. .* Pass an explicit `vpcId`\.$/)
      const alien = yield* carriedOut(two, ownNetwork("vpc-1", { ...own, subnets: ["subnet-b", "subnet-c"] }))
      assert.deepStrictEqual([alien.awsvpc, alien.problem?.code], [[], "NetworkInvalid"])
      const within = yield* carriedOut(two, ownNetwork("vpc-1", own))
      assert.deepStrictEqual(
        [within.awsvpc, within.problem],
        [[{ ...own, subnets: ["subnet-b"], securityGroups: ["sg-1"] }], undefined]
      )
    })
  )
})
