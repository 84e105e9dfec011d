import type { ContainerDefinition, RegisterTaskDefinitionRequest } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { aWorld, ok, onFargate, onInstances, refusal, region } from "#test/support/EcsWorld.ts"
import { registerTaskDefinition } from "./taskDefinitions.ts"

const register = (input: RegisterTaskDefinitionRequest) => registerTaskDefinition(aWorld(), region, input, 0)

const withContainer = (more: Partial<ContainerDefinition>, base = onFargate): RegisterTaskDefinitionRequest => ({
  ...base,
  containerDefinitions: [{ name: "main", image: "busybox", memory: 256, ...more }]
})

const executionRoleArn = "arn:aws:iam::000000000000:role/execution"

describe("Fargate", () => {
  it.each<readonly [string, Partial<ContainerDefinition>]>([
    ["privileged", { privileged: true }],
    ["dnsServers", { dnsServers: ["10.0.0.2"] }],
    ["extraHosts", { extraHosts: [{ hostname: "a", ipAddress: "10.0.0.1" }] }],
    ["dockerSecurityOptions", { dockerSecurityOptions: ["no-new-privileges"] }],
    ["devices", { linuxParameters: { devices: [{ hostPath: "/dev/a" }] } }],
    ["tmpfs", { linuxParameters: { tmpfs: [{ containerPath: "/tmp", size: 1 }] } }],
    ["sharedMemorySize", { linuxParameters: { sharedMemorySize: 64 } }]
  ])("does not support %s, an instance does", (member, more) => {
    const { __type, message } = refusal(register(withContainer(more)))
    assert.strictEqual(__type, "ClientException")
    assert.strictEqual(message, `Fargate compatible task definitions do not support ${member}`)
    ok(register(withContainer(more, onInstances)))
  })

  it.each<readonly [string, RegisterTaskDefinitionRequest, RegExp]>([
    ["links", withContainer({ links: ["a"] }), /^Links are not supported when networkMode=awsvpc\.$/],
    ["GPUs", withContainer({ resourceRequirements: [{ type: "GPU", value: "1" }] }), /do not support GPU resource/],
    [
      "json-file",
      withContainer({ logConfiguration: { logDriver: "json-file" } }),
      /^json-file is not a valid log driver/
    ],
    [
      "placementConstraints",
      { ...onFargate, placementConstraints: [{ type: "memberOf" }] },
      /not support constraints$/
    ],
    ["ipcMode", { ...onFargate, ipcMode: "host" }, /not support ipcMode$/],
    [
      "a host's path",
      { ...onFargate, volumes: [{ name: "v", host: { sourcePath: "/x" } }] },
      /not support sourcePath$/
    ],
    ["20 GiB", { ...onFargate, ephemeralStorage: { sizeInGiB: 20 } }, /between 21 GiB and 200 GiB/],
    ["201 GiB", { ...onFargate, ephemeralStorage: { sizeInGiB: 201 } }, /between 21 GiB and 200 GiB/],
    [
      "Windows on ARM64",
      {
        ...onFargate,
        runtimePlatform: { operatingSystemFamily: "WINDOWS_SERVER_2022_CORE", cpuArchitecture: "ARM64" }
      },
      /X86_64/
    ],
    [
      "Windows with 256 CPU units",
      { ...onFargate, runtimePlatform: { operatingSystemFamily: "WINDOWS_SERVER_2022_CORE" } },
      /^No Fargate configuration exists for given values: 256 CPU, 512 memory\.$/
    ]
  ])("refuses %s", (_, input, text) => {
    const { __type, message } = refusal(register(input))
    assert.strictEqual(__type, "ClientException")
    assert.match(message, text)
  })

  it("takes 21 and 200 GiB, ARM64, and 32 vCPU with 244 GB", () => {
    for (const more of [
      { ephemeralStorage: { sizeInGiB: 21 } },
      { ephemeralStorage: { sizeInGiB: 200 } },
      { runtimePlatform: { cpuArchitecture: "ARM64" as const, operatingSystemFamily: "LINUX" as const } },
      { cpu: "32 vCPU", memory: "244 GB" }
    ]) {
      const { taskDefinition } = ok(register({ ...onFargate, ...more }))
      assert.isTrue(taskDefinition?.compatibilities?.includes("FARGATE"))
    }
  })

  it("ephemeral storage is Fargate's alone", () => {
    const { message } = refusal(register({ ...onInstances, ephemeralStorage: { sizeInGiB: 50 } }))
    assert.strictEqual(message, "Tasks using the EC2 launch type do not support EphemeralStorage")
  })
})

describe("every launch type", () => {
  it.each<readonly [string, RegisterTaskDefinitionRequest, RegExp]>([
    [
      "secrets without an execution role",
      withContainer({ secrets: [{ name: "A", valueFrom: "arn" }] }, onInstances),
      /'executionRoleArn'\.$/
    ],
    [
      "ports that differ on awsvpc",
      withContainer({ portMappings: [{ containerPort: 80, hostPort: 81 }] }),
      /ports in port mappings must match/
    ],
    ["containers above the task's CPU", withContainer({ cpu: 512 }), /Invalid 'cpu' setting for task/],
    ["containers above the task's memory", withContainer({ memory: 513 }), /Invalid 'memory' setting for task/],
    ["a size that is no size", { ...onInstances, cpu: "much" }, /^Invalid 'cpu' setting for task\.$/],
    ["a network mode that is none", { ...onInstances, networkMode: "nat" as "bridge" }, /networkMode should be one of/],
    [
      "awsvpc on EXTERNAL",
      { ...onInstances, networkMode: "awsvpc", requiresCompatibilities: ["EXTERNAL"] },
      /EXTERNAL/
    ],
    ["51 tags", { ...onInstances, tags: Array.from({ length: 51 }, (_, index) => ({ key: `${index}` })) }, /50/],
    [
      "11 placement constraints",
      { ...onInstances, placementConstraints: Array.from({ length: 11 }, () => ({ type: "memberOf" as const })) },
      /at most 10/
    ]
  ])("refuses %s", (_, input, text) => {
    assert.match(refusal(register(input)).message, text)
  })

  it("takes secrets with an execution role", () => {
    const secrets = [{ name: "A", valueFrom: "arn" }]
    const { taskDefinition } = ok(register({ ...withContainer({ secrets }, onInstances), executionRoleArn }))
    assert.deepStrictEqual(taskDefinition?.containerDefinitions?.[0]?.secrets, secrets)
  })
})
