import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { definitionProblems } from "#ecs-core/DefinitionProblems.ts"
import type { Json } from "#ecs-core/Json.ts"
import { linkDefinition } from "#ecs-core/LinkedDefinition.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"

const prepared = (request: RunRequest) => {
  const job = Result.getOrThrow(resolveJob(request, { image: "i" }, 86_400))
  const { definition, containerName } = prepareTaskDefinition(job, "eu-central-1")
  return definitionProblems(job, definition, containerName)
}
const linked = (readBack: Json, request: RunRequest = {}) => {
  const job = Result.getOrThrow(resolveJob({ taskDefinitionArn: "linked", ...request }, undefined, 86_400))
  return linkDefinition(job, { containerDefinitions: [{ name: "main" }], networkMode: "awsvpc", ...readBack }).problems
}
const withMain = (members: Json): RunRequest => ({
  taskDefinition: { containerDefinitions: [{ name: "main", ...members }] }
})
const windows = { operatingSystemFamily: "WINDOWS_SERVER_2022_CORE" }
const path = "taskDefinition.containerDefinitions.0"

describe("sizes on Fargate", () => {
  it.each<{ request: RunRequest; field: string; advice: RegExp }>([
    {
      request: { cpu: 300, memory: 512 },
      field: "cpu",
      advice: /^Set cpu to 256 or 512 CPU units; it has 256, 512, 1024/
    },
    { request: { cpu: 128 }, field: "cpu", advice: /^Set cpu to 256 CPU units/ },
    {
      request: { cpu: 256, memory: 700 },
      field: "memory",
      advice: /^Set memory to 512 or 1024 MiB \(with cpu 256 it has 512 to 2048\)/
    },
    { request: { cpu: 4096 }, field: "memory", advice: /^Set memory to 8192 MiB/ },
    { request: { memory: 100_000 }, field: "memory", advice: /^Set memory to 8192 MiB/ },
    {
      request: { taskDefinition: { cpu: "3 vCPU" } },
      field: "taskDefinition.cpu",
      advice: /^Set taskDefinition.cpu to 2048 or 4096/
    },
    { request: { taskDefinition: { memory: "lots" } }, field: "taskDefinition.memory", advice: /2048 or 3072 or/ },
    {
      request: { taskRunRequest: { overrides: { cpu: "100" } } },
      field: "taskRunRequest.overrides.cpu",
      advice: /256/
    },
    {
      request: { cpu: 512, memory: 1024, runtimePlatform: windows },
      field: "cpu",
      advice: /^Set cpu to 1024 CPU units; it has 1024, 2048, 4096/
    }
  ])("$request: $field", ({ request, field, advice }) => {
    const [problem, ...more] = prepared(request)
    assert.deepStrictEqual(more, [])
    assert.strictEqual(problem?.field, field)
    assert.match(problem?.advice ?? "", advice)
  })

  it("are checked of a linked definition as it will be launched", () => {
    assert.deepStrictEqual(linked({ cpu: "256", memory: "512" }), [])
    assert.strictEqual(linked({ cpu: "256", memory: "512" }, { cpu: 1024 })[0]?.field, "taskDefinitionArn")
    assert.strictEqual(linked({ cpu: "256", memory: "512" }, { memory: 8192 })[0]?.field, "memory")
  })

  it.each<RunRequest>([
    { cpu: 1024, memory: 2048, runtimePlatform: windows },
    { cpu: 300, memory: 700, launchType: "EC2" },
    { taskDefinition: { cpu: ".25 vCPU", memory: "0.5GB" } },
    { cpu: 32_768, memory: 249_856 }
  ])("takes %j", (request) => {
    assert.deepStrictEqual(prepared(request), [])
  })
})

describe("what Fargate cannot do", () => {
  const members: ReadonlyArray<readonly [member: string, members: Json]> = [
    ["privileged", { privileged: true }],
    ["links", { links: ["a"] }],
    ["dnsServers", { dnsServers: ["1.1.1.1"] }],
    ["dnsSearchDomains", { dnsSearchDomains: ["a"] }],
    ["extraHosts", { extraHosts: [{ hostname: "a", ipAddress: "1.1.1.1" }] }],
    ["dockerSecurityOptions", { dockerSecurityOptions: ["no-new-privileges"] }],
    ["disableNetworking", { disableNetworking: true }],
    ["linuxParameters.devices", { linuxParameters: { devices: [{ hostPath: "/dev/x" }] } }],
    ["linuxParameters.tmpfs", { linuxParameters: { tmpfs: [{ containerPath: "/x", size: 1 }] } }],
    ["linuxParameters.sharedMemorySize", { linuxParameters: { sharedMemorySize: 64 } }],
    ["linuxParameters.swappiness", { linuxParameters: { swappiness: 0 } }],
    ["logConfiguration.logDriver", { logConfiguration: { logDriver: "syslog" } }],
    ["stopTimeout", { stopTimeout: 121 }],
    ["resourceRequirements", { resourceRequirements: [{ type: "GPU", value: "1" }] }]
  ]

  it.each(members)("%s", (member, asked) => {
    assert.deepStrictEqual(
      prepared(withMain(asked)).map(({ field }) => field),
      [`${path}.${member}`]
    )
    assert.deepStrictEqual(prepared({ ...withMain(asked), launchType: "EC2" }), [])
  })

  it.each<{ request: RunRequest; field: string }>([
    { request: { gpu: 1 }, field: "gpu" },
    { request: { taskDefinition: { ipcMode: "host" } }, field: "taskDefinition.ipcMode" },
    { request: { taskDefinition: { pidMode: "host" } }, field: "taskDefinition.pidMode" },
    {
      request: { taskDefinition: { volumes: [{ name: "v", host: { sourcePath: "/x" } }] } },
      field: "taskDefinition.volumes.0.host"
    },
    {
      request: { taskDefinition: { volumes: [{ name: "v", dockerVolumeConfiguration: { scope: "task" } }] } },
      field: "taskDefinition.volumes.0"
    },
    { request: { placementConstraints: [{ type: "distinctInstance" }] }, field: "placementConstraints" },
    { request: { placementStrategy: [{ type: "random" }] }, field: "placementStrategy" },
    {
      request: { taskRunRequest: { placementStrategy: [{ type: "random" }] } },
      field: "taskRunRequest.placementStrategy"
    },
    {
      request: { taskDefinition: { placementConstraints: [{ type: "memberOf", expression: "x" }] } },
      field: "taskDefinition.placementConstraints"
    }
  ])("$request: $field", ({ request, field }) => {
    assert.deepStrictEqual(
      prepared(request).map((problem) => problem?.field),
      [field]
    )
    assert.deepStrictEqual(prepared({ ...request, launchType: "EC2" }), [])
  })

  it("minds no member that asks for nothing", () => {
    const nothing = {
      privileged: false,
      disableNetworking: false,
      stopTimeout: 120,
      linuxParameters: { initProcessEnabled: true }
    }
    assert.deepStrictEqual(prepared(withMain(nothing)), [])
  })

  it("writes no logs without a role and the names of the streams", () => {
    const bare = prepared(withMain({ logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "g" } } }))
    const options = `${path}.logConfiguration.options`
    assert.deepStrictEqual(
      bare.map(({ field }) => field),
      ["executionRoleArn", options, options]
    )
  })
})

describe("ephemeral storage", () => {
  it.each([20, 201])("refuses %d GiB", (sizeInGiB) => {
    const [problem] = prepared({ taskDefinition: { ephemeralStorage: { sizeInGiB } } })
    assert.strictEqual(problem?.field, "taskDefinition.ephemeralStorage.sizeInGiB")
    assert.include(problem?.message ?? "", "21 to 200 GiB")
  })

  it.each([21, 200])("takes %d GiB", (sizeInGiB) => {
    assert.deepStrictEqual(prepared({ taskDefinition: { ephemeralStorage: { sizeInGiB } } }), [])
    assert.deepStrictEqual(prepared({ ephemeralStorageGiB: sizeInGiB }), [])
  })

  it("is Fargate's alone, and not for Windows", () => {
    assert.deepStrictEqual(
      prepared({ ephemeralStorageGiB: 30, launchType: "EC2" }).map(({ field }) => field),
      ["ephemeralStorageGiB"]
    )
    assert.include(prepared({ ephemeralStorageGiB: 30, runtimePlatform: windows })[0]?.message, "Windows")
  })
})

describe("platforms", () => {
  it("ARM64 is Linux only", () => {
    assert.deepStrictEqual(prepared({ runtimePlatform: { cpuArchitecture: "ARM64" } }), [])
    assert.deepStrictEqual(
      prepared({ runtimePlatform: { cpuArchitecture: "ARM64", operatingSystemFamily: "LINUX" } }),
      []
    )
    const [problem] = prepared({ runtimePlatform: { cpuArchitecture: "ARM64", ...windows } })
    assert.strictEqual(problem?.message, "ARM64 runs Linux only, not WINDOWS_SERVER_2022_CORE.")
  })

  it("the default size is one that Windows has (scenario 82)", () => {
    assert.deepStrictEqual(prepared({ runtimePlatform: windows }), [])
  })
})
