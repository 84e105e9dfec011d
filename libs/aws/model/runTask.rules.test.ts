import type { CapacityProviderStrategyItem, RunTaskRequest } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { aFurnishedWorld, fargateLaunch, ok, onFargate, refusal, region, subnet } from "#test/support/EcsWorld.ts"
import { createCapacityProvider, describeCapacityProviders, putClusterCapacityProviders } from "./capacityProviders.ts"
import { createCluster, deleteCluster, describeClusters } from "./clusters.ts"
import { runTask } from "./runTask.ts"
import { registerTaskDefinition } from "./taskDefinitions.ts"

const autoScalingGroupProvider = {
  autoScalingGroupArn: "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:g"
}

const aWorldWithProvider = () => {
  const world = aFurnishedWorld()
  ok(createCapacityProvider(world, region, { name: "asg", autoScalingGroupProvider }))
  return world
}

const item = (capacityProvider: string, more: Partial<CapacityProviderStrategyItem> = {}) => ({
  capacityProvider,
  weight: 1,
  ...more
})

describe("capacity provider strategies", () => {
  const { launchType: _, ...launch } = fargateLaunch
  const run = (capacityProviderStrategy: Array<CapacityProviderStrategyItem>, more: Partial<RunTaskRequest> = {}) =>
    runTask(aWorldWithProvider(), region, { ...launch, capacityProviderStrategy, ...more }, 0)

  it.each<readonly [string, Array<CapacityProviderStrategyItem>, RegExp]>([
    ["21 providers", Array.from({ length: 21 }, () => item("FARGATE")), /maximum of 20/],
    ["two bases", [item("FARGATE", { base: 1 }), item("FARGATE_SPOT", { base: 1 })], /^Only one .* base/],
    [
      "no weight at all",
      [item("FARGATE", { weight: 0 }), item("FARGATE_SPOT", { weight: 0 })],
      /weight greater than 0/
    ],
    ["a weight of 1001", [item("FARGATE", { weight: 1001 })], /between 0 and 1000/],
    ["a base of 100001", [item("FARGATE", { base: 100_001 })], /between 0 and 100000/],
    ["Fargate beside an Auto Scaling group", [item("FARGATE"), item("asg")], /cannot contain a mix/],
    ["an unknown provider", [item("nobody")], /capacity provider was not found/],
    ["one that does not belong to the cluster", [item("asg")], /not associated with the cluster/]
  ])("refuses %s", (_, strategy, text) => {
    const { __type, message } = refusal(run(strategy))
    assert.strictEqual(__type, "InvalidParameterException")
    assert.match(message, text)
  })

  it("takes 20 providers, and one without a weight", () => {
    for (const strategy of [
      Array.from({ length: 20 }, () => item("FARGATE", { weight: 1000 })),
      [{ capacityProvider: "FARGATE" }]
    ]) {
      assert.strictEqual(ok(run(strategy)).tasks?.[0]?.capacityProviderName, "FARGATE")
    }
  })

  it("refuses a launch type beside it", () => {
    assert.match(refusal(run([item("FARGATE")], { launchType: "FARGATE" })).message, /both a launch type and capacity/)
  })

  it("a cluster has none until it is given some, with AWS's defaults read back", () => {
    const world = aWorldWithProvider()
    const { cluster } = ok(createCluster(world, region, { clusterName: "c" }))
    assert.deepStrictEqual([cluster?.capacityProviders, cluster?.defaultCapacityProviderStrategy], [[], []])
    const put = (capacityProviders: Array<string>) =>
      putClusterCapacityProviders(world, region, {
        cluster: "c",
        capacityProviders,
        defaultCapacityProviderStrategy: [{ capacityProvider: "asg" }]
      })
    assert.match(refusal(put(["FARGATE"])).message, /not associated/)
    assert.match(refusal(put(["asg", "nobody"])).message, /was not found/)
    ok(put(["asg"]))
    const [read] = ok(describeClusters(world, region, { clusters: ["c"] })).clusters ?? []
    assert.deepStrictEqual(read?.defaultCapacityProviderStrategy, [{ capacityProvider: "asg", weight: 0, base: 0 }])
  })

  it("providers are described, with their kind", () => {
    const asked = { capacityProviders: ["FARGATE", "asg", "nobody"] }
    const { capacityProviders, failures } = ok(describeCapacityProviders(aWorldWithProvider(), region, asked))
    assert.deepStrictEqual(
      capacityProviders?.map(({ type }) => type),
      ["FARGATE", "EC2_AUTOSCALING"]
    )
    assert.strictEqual(failures?.[0]?.reason, "MISSING")
  })

  it.each<readonly [string, Parameters<typeof createCapacityProvider>[2], RegExp]>([
    ["a name of AWS's own", { name: "fargate_own", autoScalingGroupProvider }, /name is invalid/],
    ["no kind", { name: "n" }, /Specify either/],
    [
      "Managed Instances without a cluster",
      { name: "n", managedInstancesProvider: { infrastructureRoleArn: "r", instanceLaunchTemplate: undefined } },
      /needs the cluster/
    ]
  ])("CreateCapacityProvider refuses %s", (_, input, text) => {
    assert.match(refusal(createCapacityProvider(aFurnishedWorld(), region, input)).message, text)
  })
})

describe("clusters", () => {
  it("late: a deleted cluster runs nothing", () => {
    const world = aFurnishedWorld()
    ok(deleteCluster(world, region, { cluster: "default" }))
    const { __type, message } = refusal(runTask(world, region, fargateLaunch, 0))
    assert.deepStrictEqual([__type, message], ["ClusterNotFoundException", "The referenced cluster was inactive."])
  })
})

describe("networks", () => {
  const run = (awsvpcConfiguration: { subnets: Array<string>; securityGroups?: Array<string> }) =>
    runTask(aFurnishedWorld(), region, { ...fargateLaunch, networkConfiguration: { awsvpcConfiguration } }, 0)

  it.each([
    ["no subnet", { subnets: [] }, /^subnets can not be empty/],
    ["17 subnets", { subnets: Array.from({ length: 17 }, () => subnet) }, /at most 16/],
    ["subnets of two VPCs", { subnets: [subnet, "subnet-0f1ee7000000001a"] }, /from the same VPC/],
    ["an unknown subnet", { subnets: [subnet, "subnet-1"] }, /^Error retrieving subnet information for \[subnet-1\]/],
    [
      "an unknown security group",
      { subnets: [subnet], securityGroups: ["sg-1"] },
      /security group information for \[sg-1\]/
    ],
    ["another VPC's security group", { subnets: [subnet], securityGroups: ["sg-0f1ee70000000002"] }, /same VPC/]
  ])("refuses %s", (_, configuration, text) => {
    const { __type, message } = refusal(run(configuration))
    assert.strictEqual(__type, "InvalidParameterException")
    assert.match(message, text)
  })

  it("takes 16 subnets and 5 security groups", () => {
    const securityGroups = Array.from({ length: 5 }, () => "sg-0f1ee70000000001")
    const { tasks } = ok(run({ subnets: Array.from({ length: 16 }, () => subnet), securityGroups }))
    assert.strictEqual(tasks?.length, 1)
  })
})

describe("platform versions", () => {
  const run = (platformVersion: string, more: Partial<RunTaskRequest> = {}) => {
    const world = aFurnishedWorld()
    const runtimePlatform = { cpuArchitecture: "ARM64" as const }
    ok(registerTaskDefinition(world, region, { ...onFargate, family: "arm", runtimePlatform }, 0))
    return runTask(world, region, { ...fargateLaunch, platformVersion, ...more }, 0)
  }

  it.each([
    ["LATEST", "1.4.0"],
    ["1.3.0", "1.3.0"]
  ])("%s is %s", (asked, version) => {
    assert.strictEqual(ok(run(asked)).tasks?.[0]?.platformVersion, version)
  })

  it.each([
    ["an unknown one", "9.9.9", {}, "PlatformUnknownException"],
    ["an old one for ARM64", "1.3.0", { taskDefinition: "arm" }, "PlatformTaskDefinitionIncompatibilityException"]
  ])("refuses %s", (_, version, more, type) => {
    assert.strictEqual(refusal(run(version, more)).__type, type)
  })

  it("is Fargate's alone", () => {
    const world = aFurnishedWorld()
    const input = { taskDefinition: "instances", launchType: "EC2" as const, platformVersion: "LATEST" }
    assert.match(refusal(runTask(world, region, input, 0)).message, /must be null when specifying an EC2 launch type/)
  })
})

describe("tags and placement", () => {
  const tags = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: "v" }))

  it.each<readonly [string, Partial<RunTaskRequest>, RegExp]>([
    ["51 tags", { tags: tags(51) }, /50/],
    ["a key twice", { tags: [...tags(1), ...tags(1)] }, /Duplicate tag keys/],
    ["a key of 129", { tags: [{ key: "k".repeat(129), value: "" }] }, /Invalid tag/],
    ["a value of 257", { tags: [{ key: "k", value: "v".repeat(257) }] }, /Invalid tag/],
    ["a key with a sign of its own", { tags: [{ key: "k?", value: "" }] }, /Invalid tag/],
    ["a strategy on Fargate", { placementStrategy: [{ type: "random" }] }, /strategies are not supported with FARGATE/],
    [
      "a constraint on Fargate",
      { placementConstraints: [{ type: "distinctInstance" }] },
      /constraints are not supported/
    ],
    [
      "11 constraints",
      { placementConstraints: Array.from({ length: 11 }, () => ({ type: "memberOf" as const })) },
      /at most 10/
    ],
    [
      "6 strategies",
      { placementStrategy: Array.from({ length: 6 }, () => ({ type: "random" as const })) },
      /at most 5/
    ],
    ["storage of 20 GiB", { overrides: { ephemeralStorage: { sizeInGiB: 20 } } }, /between 21 GiB and 200 GiB/]
  ])("refuses %s", (_, more, text) => {
    assert.match(refusal(runTask(aFurnishedWorld(), region, { ...fargateLaunch, ...more }, 0)).message, text)
  })

  it("takes 50 tags at their longest", () => {
    const longest = [{ key: "k".repeat(128), value: "ü".repeat(256) }, ...tags(49)]
    const { tasks } = ok(runTask(aFurnishedWorld(), region, { ...fargateLaunch, tags: longest }, 0))
    assert.deepStrictEqual(tasks?.[0]?.tags, longest)
  })
})
