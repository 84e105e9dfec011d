import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { launched, layerWatchedFleet, least } from "#test/parity/launched.ts"

const first = "vpc-0f1ee70000000001"
const second = "vpc-0f1ee70000000002"
const subnetsOfFirst = ["subnet-0f1ee7000000000a", "subnet-0f1ee7000000000b", "subnet-0f1ee7000000000c"]
const subnetsOfSecond = ["subnet-0f1ee7000000001a", "subnet-0f1ee7000000001b"]

layer(layerWatchedFleet, { excludeTestServices: true })("networks", (it) => {
  it.effect.each([
    { what: "no VPC named: the default one", request: {}, subnets: subnetsOfFirst },
    { what: "a VPC named: its own", request: { vpcId: second }, subnets: subnetsOfSecond }
  ])("$what, with every subnet and a public IP (peers 54, scenario 16, 20, 86)", ({ request, subnets }) =>
    Effect.gen(function* () {
      const { end, runTask } = yield* launched({ ...least, ...request })
      assert.strictEqual(end.outcome, "succeeded")
      assert.deepStrictEqual(runTask?.networkConfiguration, {
        awsvpcConfiguration: { subnets, assignPublicIp: "ENABLED", securityGroups: [] }
      })
    })
  )

  it.effect.each([
    { what: "one of many", vpcId: first, subnets: subnetsOfFirst.slice(1, 2) },
    { what: "many of many", vpcId: second, subnets: subnetsOfSecond }
  ])("a custom network with $what is sent as it is (peers 57, 58, scenario 17, 86)", ({ subnets, vpcId }) =>
    Effect.gen(function* () {
      const networkConfiguration = { subnets, assignPublicIp: "DISABLED" }
      const { end, runTask } = yield* launched({ ...least, vpcId, networkConfiguration })
      assert.strictEqual(end.outcome, "succeeded")
      assert.deepStrictEqual(runTask?.networkConfiguration as object, { awsvpcConfiguration: networkConfiguration })
    })
  )

  it.effect("one alien subnet refuses the job, also beside valid ones (peers 57, scenario 18)", () =>
    Effect.gen(function* () {
      const subnets = [...subnetsOfFirst, ...subnetsOfSecond.slice(0, 1)]
      const { end, runTasks } = yield* launched({ ...least, vpcId: first, networkConfiguration: { subnets } })
      assert.strictEqual(end.outcome, "rejected")
      assert.strictEqual(end.error?.code, "NetworkInvalid")
      assert.match(
        end.error?.message ?? "",
        /subnet-0f1ee7000000001a.*not found within VPC with ID vpc-0f1ee70000000001/
      )
      assert.deepStrictEqual(runTasks, [])
    })
  )

  it.effect("a custom network without a VPC is refused before any call (peers 11, scenario 19)", () =>
    Effect.gen(function* () {
      const { calls, end } = yield* launched({ ...least, networkConfiguration: { subnets: subnetsOfFirst } })
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
        vpcId: second,
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
      request: { vpcId: first, networkConfiguration: { securityGroups: ["sg-1"] } },
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
