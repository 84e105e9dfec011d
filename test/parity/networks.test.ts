import { DescribeSubnetsCommand, DescribeVpcsCommand } from "@aws-sdk/client-ec2"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { launched, layerWatchedFleet, least } from "#test/parity/launched.ts"
import { ec2Client } from "#test/support/LocalAws.ts"

interface Vpc {
  readonly vpcId: string
  readonly subnets: ReadonlyArray<string>
}

/** The region's default VPC and another one, with their subnets, as EC2 has them. */
const vpcs = Effect.gen(function* () {
  const ec2 = yield* ec2Client
  const { Vpcs = [] } = yield* Effect.promise(() => ec2.send(new DescribeVpcsCommand({})))
  const { Subnets = [] } = yield* Effect.promise(() => ec2.send(new DescribeSubnetsCommand({})))
  const vpcWhere = (isDefault: boolean): Vpc => {
    const vpcId = Vpcs.find(({ IsDefault }) => IsDefault === isDefault)?.VpcId ?? assert.fail("no such VPC")
    return { vpcId, subnets: Subnets.flatMap(({ SubnetId, VpcId }) => (VpcId === vpcId && SubnetId ? [SubnetId] : [])) }
  }
  return { first: vpcWhere(true), second: vpcWhere(false) }
})

layer(layerWatchedFleet, { excludeTestServices: true })("networks", (it) => {
  it.effect.each([
    { what: "no VPC named: the default one", isNamed: false },
    { what: "a VPC named: its own", isNamed: true }
  ])("$what, with every subnet and a public IP (peers 54, scenario 16, 20, 86)", ({ isNamed }) =>
    Effect.gen(function* () {
      const { first, second } = yield* vpcs
      const { subnets, vpcId } = isNamed ? second : first
      const { end, runTask } = yield* launched({ ...least, ...(isNamed ? { vpcId } : {}) })
      assert.strictEqual(end.outcome, "succeeded")
      const { subnets: sent = [], ...network } = runTask?.networkConfiguration?.awsvpcConfiguration ?? {}
      assert.sameMembers(sent, [...subnets])
      assert.deepStrictEqual(network, { assignPublicIp: "ENABLED", securityGroups: [] })
    })
  )

  it.effect.each([
    { what: "one of many", isOne: true },
    { what: "many of many", isOne: false }
  ])("a custom network with $what is sent as it is (peers 57, 58, scenario 17, 86)", ({ isOne }) =>
    Effect.gen(function* () {
      const { first, second } = yield* vpcs
      const { vpcId, subnets } = isOne ? { ...first, subnets: first.subnets.slice(1, 2) } : second
      const networkConfiguration = { subnets, assignPublicIp: "DISABLED" }
      const { end, runTask } = yield* launched({ ...least, vpcId, networkConfiguration })
      assert.strictEqual(end.outcome, "succeeded")
      assert.deepStrictEqual(runTask?.networkConfiguration as object, { awsvpcConfiguration: networkConfiguration })
    })
  )

  it.effect("one alien subnet refuses the job, also beside valid ones (peers 57, scenario 18)", () =>
    Effect.gen(function* () {
      const { first, second } = yield* vpcs
      const [alien = ""] = second.subnets
      const networkConfiguration = { subnets: [...first.subnets, alien] }
      const { end, runTasks } = yield* launched({ ...least, vpcId: first.vpcId, networkConfiguration })
      assert.strictEqual(end.outcome, "rejected")
      assert.strictEqual(end.error?.code, "NetworkInvalid")
      assert.include(end.error?.message ?? "", `[${alien}] not found within VPC with ID ${first.vpcId}`)
      assert.deepStrictEqual(runTasks, [])
    })
  )

  it.effect("a custom network without a VPC is refused before any call (peers 11, scenario 19)", () =>
    Effect.gen(function* () {
      const { calls, end } = yield* launched({ ...least, networkConfiguration: { subnets: ["subnet-1"] } })
      assert.deepInclude(end, { outcome: "rejected" })
      assert.match(end.error?.message ?? "", /`vpcId`.*`networkConfiguration`/)
      assert.deepStrictEqual(calls, [])
    })
  )

  it.effect("network mode bridge: no network configuration, whatever VPC is named (peers 55, scenario 21, 86)", () =>
    Effect.gen(function* () {
      const { end, runTask } = yield* launched({
        ...least,
        launchType: "EC2",
        vpcId: (yield* vpcs).second.vpcId,
        family: "bridge",
        taskDefinition: { networkMode: "bridge" }
      })
      assert.strictEqual(end.outcome, "succeeded")
      assert.isUndefined(runTask?.networkConfiguration)
    })
  )

  it.effect.each([
    {
      what: "a container that is not there",
      request: { containerName: "worker", taskDefinition: { containerDefinitions: [{ name: "other" }] } },
      says: /worker/
    },
    {
      what: "groups without a subnet",
      request: { vpcId: "vpc-1", networkConfiguration: { securityGroups: ["sg-1"] } },
      says: /subnet/
    },
    {
      what: "a free run request that is no object",
      request: { taskRunRequest: ["count"] },
      says: /taskRunRequest|object/
    },
    {
      what: "a member that RunTask does not have",
      request: { taskRunRequest: { launchtype: "EC2" } },
      says: /launchtype/
    }
  ])("$what is refused before any call, with a clear message (scenario 68)", ({ request, says }) =>
    Effect.gen(function* () {
      const { calls, end } = yield* launched({ ...least, ...request })
      assert.strictEqual(end.outcome, "rejected")
      assert.match(`${end.error?.message} ${end.error?.advice}`, says)
      assert.deepStrictEqual(calls, [])
    })
  )

  it.effect("bridge on Fargate is refused, naming both, before any call (peers 15, scenario 23)", () =>
    Effect.gen(function* () {
      const { calls, end } = yield* launched({ ...least, taskDefinition: { networkMode: "bridge" } })
      assert.strictEqual(end.outcome, "rejected")
      assert.match(end.error?.message ?? "", /'bridge'.*'FARGATE'/)
      assert.deepStrictEqual(calls, [])
    })
  )
})
