import type { RegisterTaskDefinitionRequest } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { aWorld, ok, onFargate, onInstances, region } from "#test/support/EcsWorld.ts"
import { registerTaskDefinition } from "./taskDefinitions.ts"

const readBack = (input: RegisterTaskDefinitionRequest) =>
  ok(registerTaskDefinition(aWorld({ accountId: "123456789012" }), region, input, 7000)).taskDefinition ?? {}

describe("what AWS gives back", () => {
  it("has AWS's defaults", () => {
    const { containerDefinitions, requiresAttributes, ...definition } = readBack({
      ...onFargate,
      volumes: [{ name: "v" }]
    })
    assert.deepStrictEqual(definition, {
      family: "fargate",
      revision: 1,
      taskDefinitionArn: "arn:aws:ecs:us-east-1:123456789012:task-definition/fargate:1",
      status: "ACTIVE",
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      compatibilities: ["EC2", "FARGATE", "MANAGED_INSTANCES"],
      cpu: "256",
      memory: "512",
      volumes: [{ name: "v", host: {} }],
      placementConstraints: [],
      enableFaultInjection: false,
      registeredAt: new Date(7000),
      registeredBy: "arn:aws:iam::123456789012:root"
    })
    assert.deepStrictEqual(containerDefinitions, [
      {
        name: "main",
        image: "busybox",
        cpu: 0,
        essential: true,
        environment: [],
        mountPoints: [],
        volumesFrom: [],
        systemControls: [],
        portMappings: []
      }
    ])
    assert.isTrue(requiresAttributes?.some(({ name }) => name === "ecs.capability.task-eni"))
  })

  it("has numbers for sizes, and lists in another order than they were sent in", () => {
    const main = {
      name: "main",
      image: "busybox",
      environment: [
        { name: "A", value: "1" },
        { name: "B", value: "2" }
      ],
      secrets: [
        { name: "C", valueFrom: "c" },
        { name: "D", valueFrom: "d" }
      ],
      portMappings: [{ containerPort: 80, protocol: "udp" as const }, { containerPort: 90 }]
    }
    const input = { ...onFargate, executionRoleArn: "r", cpu: "1 vCPU", memory: "2 GB", containerDefinitions: [main] }
    const { cpu, memory, containerDefinitions = [] } = readBack(input)
    assert.deepStrictEqual([cpu, memory], ["1024", "2048"])
    const [read] = containerDefinitions
    assert.deepStrictEqual(read?.environment, main.environment.toReversed())
    assert.deepStrictEqual(read?.secrets, main.secrets.toReversed())
    assert.deepStrictEqual(read?.portMappings, [
      { containerPort: 90, hostPort: 90, protocol: "tcp" },
      { containerPort: 80, hostPort: 80, protocol: "udp" }
    ])
  })

  it.each<readonly [string, RegisterTaskDefinitionRequest, ReadonlyArray<string>]>([
    ["bridge", onInstances, ["EC2", "EXTERNAL"]],
    ["host", { ...onInstances, networkMode: "host" }, ["EC2", "EXTERNAL", "MANAGED_INSTANCES"]],
    ["awsvpc without sizes", { ...onInstances, networkMode: "awsvpc" }, ["EC2", "MANAGED_INSTANCES"]],
    ["Fargate's storage", { ...onFargate, ephemeralStorage: { sizeInGiB: 30 } }, ["FARGATE", "MANAGED_INSTANCES"]]
  ])("says where %s can run", (_, input, compatibilities) => {
    assert.deepStrictEqual(readBack(input).compatibilities, compatibilities)
  })
})
