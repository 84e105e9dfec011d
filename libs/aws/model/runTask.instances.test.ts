import type { RunTaskRequest } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import {
  aFurnishedWorld,
  fargateLaunch,
  launchOnInstances,
  ok,
  onFargate,
  onInstances,
  refusal,
  region,
  subnet
} from "#test/support/EcsWorld.ts"
import { createCapacityProvider, putClusterCapacityProviders } from "./capacityProviders.ts"
import { createCluster, describeClusters } from "./clusters.ts"
import { describeContainerInstances, listContainerInstances, registerContainerInstance } from "./containerInstances.ts"
import { EcsModel } from "./EcsModel.ts"
import { Runtime } from "./Runtime.ts"
import { maxWaitingTasks, runTask } from "./runTask.ts"
import { registerTaskDefinition } from "./taskDefinitions.ts"
import { describeTasks } from "./tasks.ts"

/** Room for two tasks of `onInstances`. */
const small = { cluster: "default", launchType: "EC2" as const, count: 1, cpu: 2048, memory: 4096, gpu: 0 }
const containerInstances = [small]

const autoScalingGroupProvider = {
  autoScalingGroupArn: "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:g"
}

/** The cluster `default` launches on an Auto Scaling group by default. */
const aScalingWorld = (instances = containerInstances) => {
  const world = aFurnishedWorld({ containerInstances: instances })
  ok(createCapacityProvider(world, region, { name: "asg", autoScalingGroupProvider }))
  const strategy = [{ capacityProvider: "asg", weight: 1 }]
  ok(
    putClusterCapacityProviders(world, region, {
      cluster: "default",
      capacityProviders: ["asg", "FARGATE"],
      defaultCapacityProviderStrategy: strategy
    })
  )
  return world
}

describe("launch type EC2", () => {
  it("runs on an instance, on bridge without a network interface, and begins with PENDING", () => {
    const world = aFurnishedWorld({ containerInstances })
    const [task] = ok(launchOnInstances(world)).tasks ?? []
    assert.deepInclude(task, { launchType: "EC2", lastStatus: "PENDING", attachments: [], cpu: "1024", memory: "2048" })
    assert.match(task?.containerInstanceArn ?? "", /:container-instance\/default\/[0-9a-f]{32}$/)
    assert.isUndefined(task?.platformVersion)
    const [cluster] = ok(describeClusters(world, region, {})).clusters ?? []
    assert.strictEqual(cluster?.registeredContainerInstancesCount, 1)
  })

  it("tells the reason of each instance when none has room; those that found room are launched", () => {
    const world = aFurnishedWorld({ containerInstances })
    const { failures = [], tasks = [] } = ok(launchOnInstances(world, { count: 3 }))
    assert.strictEqual(tasks.length, 2)
    assert.deepStrictEqual(failures, [{ arn: tasks[0]?.containerInstanceArn, reason: "RESOURCE:CPU" }])
    assert.deepStrictEqual(ok(launchOnInstances(world)).tasks, [])
  })

  it("never: a cluster without instances refuses, also one that was made just now", () => {
    const world = aFurnishedWorld()
    ok(createCluster(world, region, { clusterName: "fresh" }))
    for (const launchType of ["EC2", "EXTERNAL", undefined] as const) {
      const input: RunTaskRequest = { taskDefinition: "instances", cluster: "fresh", ...(launchType && { launchType }) }
      const { __type, message } = refusal(runTask(world, region, input, 0))
      assert.deepStrictEqual(
        [__type, message],
        ["InvalidParameterException", "No Container Instances were found in your cluster."]
      )
    }
  })

  it("a laptop's default cluster runs EC2 and EXTERNAL without any setting", () => {
    const world = aFurnishedWorld()
    for (const launchType of ["EC2", "EXTERNAL"] as const) {
      assert.strictEqual(ok(launchOnInstances(world, { launchType, count: 10 })).tasks?.length, 10)
    }
  })

  it.effect("what a stopped task had is free for the next", () =>
    Effect.gen(function* () {
      const { ecs } = yield* EcsModel
      yield* ecs.RegisterTaskDefinition(region, {
        ...onInstances,
        containerDefinitions: [{ name: "main", image: "x", memory: 4096, command: ["simulate", "--seconds", "5"] }]
      })
      const launch = ecs.RunTask(region, { taskDefinition: "instances", launchType: "EC2" })
      assert.strictEqual((yield* launch).tasks?.length, 1)
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual((yield* launch).failures?.[0]?.reason, "RESOURCE:MEMORY")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* launch).tasks?.length, 1)
    }).pipe(Effect.provide(instant))
  )

  it("awsvpc on an instance has a network interface, and no public address", () => {
    const world = aFurnishedWorld()
    ok(registerTaskDefinition(world, region, { ...onInstances, family: "awsvpc", networkMode: "awsvpc" }, 0))
    const networkConfiguration = (assignPublicIp: "ENABLED" | "DISABLED") => ({
      awsvpcConfiguration: { subnets: [subnet], assignPublicIp }
    })
    const launch = (assignPublicIp: "ENABLED" | "DISABLED") =>
      launchOnInstances(world, {
        taskDefinition: "awsvpc",
        networkConfiguration: networkConfiguration(assignPublicIp)
      })
    assert.strictEqual(ok(launch("DISABLED")).tasks?.[0]?.attachments?.length, 1)
    assert.strictEqual(refusal(launch("ENABLED")).message, "Assign public IP is not supported for this launch type.")
  })
})

const instant = EcsModel.layer({ timeScale: "instant", containerInstances }).pipe(Layer.provide(Runtime.layerSimulated))

describe("the provider of an Auto Scaling group", () => {
  const statuses = (world: ReturnType<typeof aScalingWorld>, tasks: ReadonlyArray<{ taskArn?: string | undefined }>) =>
    ok(describeTasks(world, region, { tasks: tasks.map(({ taskArn = "" }) => taskArn) }, 0)).tasks?.map(
      ({ containerInstanceArn, lastStatus }) => [lastStatus, containerInstanceArn !== undefined]
    )

  it("late: what finds no room waits in PROVISIONING until an instance comes", () => {
    const world = aScalingWorld()
    const { failures, tasks = [] } = ok(runTask(world, region, { taskDefinition: "instances", count: 3 }, 0))
    assert.deepStrictEqual(failures, [])
    assert.deepInclude(tasks[0], { capacityProviderName: "asg", launchType: "EC2" })
    assert.deepStrictEqual(statuses(world, tasks), [
      ["PROVISIONING", true],
      ["PROVISIONING", true],
      ["PROVISIONING", false]
    ])
    const totalResources = [
      { name: "CPU", type: "INTEGER", integerValue: 1024 },
      { name: "MEMORY", type: "INTEGER", integerValue: 2048 }
    ]
    const { containerInstance } = ok(registerContainerInstance(world, region, { totalResources }, 0))
    assert.deepStrictEqual(statuses(world, tasks.slice(2)), [["PROVISIONING", true]])
    const { containerInstanceArns = [] } = ok(listContainerInstances(world, region, {}))
    assert.strictEqual(containerInstanceArns.at(-1), containerInstance?.containerInstanceArn)
    const described = ok(
      describeContainerInstances(world, region, { containerInstances: [...containerInstanceArns, "x"] })
    )
    assert.deepStrictEqual(
      described.containerInstances?.map(({ remainingResources = [] }) => remainingResources[0]?.integerValue),
      [0, 0]
    )
    assert.strictEqual(described.failures?.[0]?.reason, "MISSING")
  })

  it("500 tasks wait, not one more", () => {
    const world = aScalingWorld([])
    const launch = (count: number) => runTask(world, region, { taskDefinition: "instances", count }, 0)
    for (let waiting = 0; waiting < maxWaitingTasks; waiting += 10) ok(launch(10))
    const { __type, message } = refusal(launch(1))
    assert.strictEqual(__type, "ClientException")
    assert.match(message, /limit of 500 tasks in the PROVISIONING state/)
  })
})

describe("which launch type", () => {
  it("a launch type beats the cluster's default strategy", () => {
    const [task] = ok(runTask(aScalingWorld(), region, fargateLaunch, 0)).tasks ?? []
    assert.deepStrictEqual([task?.launchType, task?.capacityProviderName], ["FARGATE", undefined])
  })

  it("FARGATE_SPOT runs on Fargate, by its strategy", () => {
    const { launchType: _, ...rest } = fargateLaunch
    const capacityProviderStrategy = [{ capacityProvider: "FARGATE_SPOT", weight: 1 }]
    const [task] = ok(runTask(aFurnishedWorld(), region, { ...rest, capacityProviderStrategy }, 0)).tasks ?? []
    assert.deepInclude(task, { launchType: "FARGATE", capacityProviderName: "FARGATE_SPOT", platformVersion: "1.4.0" })
  })

  it("base first, then by weight", () => {
    const { launchType: _, ...rest } = fargateLaunch
    const capacityProviderStrategy = [
      { capacityProvider: "FARGATE", weight: 1, base: 2 },
      { capacityProvider: "FARGATE_SPOT", weight: 3 }
    ]
    const input = { ...rest, count: 10, capacityProviderStrategy }
    const { tasks = [] } = ok(runTask(aFurnishedWorld(), region, input, 0))
    const spot = tasks.filter(({ capacityProviderName }) => capacityProviderName === "FARGATE_SPOT")
    assert.strictEqual(spot.length, 6)
  })

  it("Managed Instances bring their own room; they are reached by their provider alone", () => {
    const world = aFurnishedWorld({ containerInstances: [] })
    const managedInstancesProvider = { infrastructureRoleArn: "r", instanceLaunchTemplate: undefined }
    ok(createCapacityProvider(world, region, { name: "managed", cluster: "default", managedInstancesProvider }))
    ok(registerTaskDefinition(world, region, { ...onFargate, requiresCompatibilities: ["MANAGED_INSTANCES"] }, 0))
    const { launchType: _, ...rest } = fargateLaunch
    const capacityProviderStrategy = [{ capacityProvider: "managed" }]
    const [task] = ok(runTask(world, region, { ...rest, capacityProviderStrategy }, 0)).tasks ?? []
    assert.deepInclude(task, { launchType: "MANAGED_INSTANCES", capacityProviderName: "managed" })
    const { message } = refusal(runTask(world, region, { ...fargateLaunch, launchType: "MANAGED_INSTANCES" }, 0))
    assert.match(message, /you must use the capacityProviderStrategy request parameter/)
  })
})
