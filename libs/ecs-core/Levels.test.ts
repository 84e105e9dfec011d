import { assert, describe, it } from "@effect/vitest"
import type { Json } from "#ecs-core/Json.ts"
import { type Level, mergeLevels } from "#ecs-core/Levels.ts"

const container = (members: Json): Level => ({
  taskDefinition: { containerDefinitions: [{ name: "main", ...members }] }
})
const override = (members: Json): Level => ({
  taskRunRequest: { overrides: { containerOverrides: [{ name: "main", ...members }] } }
})
const overrides = (members: Json): Level => ({ taskRunRequest: { overrides: members } })

/** What is left of a pool under a request: named fields, and the free objects where they hold anything. */
const left = (...levels: ReadonlyArray<Level>): Json => {
  const { taskDefinition, taskRunRequest, ...named } = mergeLevels(levels)
  const free = { taskDefinition, taskRunRequest }
  return { ...named, ...Object.fromEntries(Object.entries(free).filter(([, value]) => Object.keys(value).length > 0)) }
}

const onlyName = { containerDefinitions: [{ name: "main" }] }
const noOverride = { overrides: { containerOverrides: [{ name: "main" }] } }

describe("a higher level's named field takes back what a lower one said in a free object", () => {
  it.each<{ readonly pool: Level; readonly request: Level; readonly result: Json }>([
    { pool: container({ image: "a" }), request: { image: "b" }, result: { image: "b", taskDefinition: onlyName } },
    {
      pool: { taskDefinition: { cpu: "512", memory: "1024" } },
      request: { cpu: 256 },
      result: { cpu: 256, taskDefinition: { memory: "1024" } }
    },
    { pool: container({ cpu: 512 }), request: { cpu: 256 }, result: { cpu: 256, taskDefinition: onlyName } },
    {
      pool: overrides({ memory: "512" }),
      request: { memory: 64 },
      result: { memory: 64, taskRunRequest: { overrides: {} } }
    },
    {
      pool: override({ memory: 512, memoryReservation: 256, cpu: 1 }),
      request: { memory: 64 },
      result: { memory: 64, taskRunRequest: { overrides: { containerOverrides: [{ name: "main", cpu: 1 }] } } }
    },
    {
      pool: container({
        resourceRequirements: [
          { type: "GPU", value: "1" },
          { type: "InferenceAccelerator", value: "x" }
        ]
      }),
      request: { gpu: 2 },
      result: {
        gpu: 2,
        taskDefinition: {
          containerDefinitions: [{ name: "main", resourceRequirements: [{ type: "InferenceAccelerator", value: "x" }] }]
        }
      }
    },
    {
      pool: { taskDefinition: { ephemeralStorage: { sizeInGiB: 30 } } },
      request: { ephemeralStorageGiB: 21 },
      result: { ephemeralStorageGiB: 21 }
    },
    { pool: { taskDefinition: { family: "a" } }, request: { family: "b" }, result: { family: "b" } },
    {
      pool: { taskDefinition: { runtimePlatform: { cpuArchitecture: "X86_64" } } },
      request: { runtimePlatform: { cpuArchitecture: "ARM64" } },
      result: { runtimePlatform: { cpuArchitecture: "ARM64" } }
    },
    {
      pool: { taskDefinition: { executionRoleArn: "a" } },
      request: { executionRoleArn: "b" },
      result: { executionRoleArn: "b" }
    },
    { pool: { taskRunRequest: { cluster: "a" } }, request: { cluster: "b" }, result: { cluster: "b" } },
    { pool: { taskRunRequest: { group: "a" } }, request: { group: "b" }, result: { group: "b" } },
    {
      pool: { taskRunRequest: { platformVersion: "a" } },
      request: { platformVersion: "b" },
      result: { platformVersion: "b" }
    },
    {
      pool: { taskRunRequest: { networkConfiguration: { awsvpcConfiguration: { subnets: ["a"] } } } },
      request: { networkConfiguration: { subnets: ["b"] } },
      result: { networkConfiguration: { subnets: ["b"] } }
    }
  ])("$pool under $request", ({ pool, request, result }) => {
    assert.deepStrictEqual(left(pool, request), result)
  })

  it("null takes back as well, and says nothing itself", () => {
    assert.deepStrictEqual(left({ image: "a", ...container({ image: "a" }) }, { image: null }), {
      taskDefinition: onlyName
    })
    assert.deepStrictEqual(left(override({ command: ["x"] }), { command: null }), { taskRunRequest: noOverride })
    assert.deepStrictEqual(
      left({ env: { A: "1" }, ...override({ environment: [{ name: "B", value: "1" }] }) }, { env: null }),
      {
        taskRunRequest: noOverride
      }
    )
  })

  it("the definition keeps what a launch overrides anyway, so that nothing is registered anew", () => {
    const pool: Level = {
      taskDefinition: { taskRoleArn: "a", ...container({ command: ["a"], environment: [] }).taskDefinition }
    }
    for (const request of [
      { taskRoleArn: "b" },
      { command: ["b"] },
      { env: { A: "b" } },
      { taskRoleArn: null, env: null }
    ]) {
      assert.deepStrictEqual(mergeLevels([pool, request]).taskDefinition, pool.taskDefinition)
    }
  })

  it("of other containers nothing is taken back", () => {
    const sidecar = {
      taskDefinition: {
        containerDefinitions: [
          { name: "main", cpu: 1 },
          { name: "proxy", image: "p", cpu: 1 }
        ]
      }
    }
    assert.deepStrictEqual(left(sidecar, { image: "b", cpu: 256 }), {
      image: "b",
      cpu: 256,
      taskDefinition: { containerDefinitions: [{ name: "main" }, { name: "proxy", image: "p", cpu: 1 }] }
    })
  })

  it("the orchestration container is the configured one, whichever level says so", () => {
    const pool = {
      taskDefinition: {
        containerDefinitions: [
          { name: "main", image: "m" },
          { name: "app", image: "a" }
        ]
      }
    }
    assert.deepStrictEqual(mergeLevels([pool, { containerName: "app", image: "b" }]).taskDefinition, {
      containerDefinitions: [{ name: "main", image: "m" }, { name: "app" }]
    })
  })
})

describe("a higher level's free object takes back what a lower one said where ECS would obey that", () => {
  it.each<{ readonly pool: Level; readonly request: Level; readonly result: Json }>([
    {
      pool: { taskRoleArn: "a" },
      request: { taskDefinition: { taskRoleArn: "b" } },
      result: { taskDefinition: { taskRoleArn: "b" } }
    },
    {
      pool: overrides({ executionRoleArn: "a" }),
      request: { taskDefinition: { executionRoleArn: "b" } },
      result: { taskDefinition: { executionRoleArn: "b" }, taskRunRequest: { overrides: {} } }
    },
    { pool: { command: ["a"] }, request: override({ command: ["b"] }), result: override({ command: ["b"] }) },
    { pool: { command: ["a"] }, request: container({ command: ["b"] }), result: container({ command: ["b"] }) },
    {
      pool: { env: { A: "1", B: "1" } },
      request: override({ environment: [{ name: "A", value: "2" }] }),
      result: { env: { B: "1" }, ...override({ environment: [{ name: "A", value: "2" }] }) }
    },
    {
      pool: { env: { A: "1" }, ...override({ environment: [{ name: "A", value: "1" }] }) },
      request: container({ environment: [{ name: "A", value: "2" }] }),
      result: { env: {}, ...override({ environment: [] }), ...container({ environment: [{ name: "A", value: "2" }] }) }
    },
    {
      pool: { secrets: { A: "arn:1", B: "arn:1" } },
      request: container({ secrets: [{ name: "A", valueFrom: "arn:2" }] }),
      result: { secrets: { B: "arn:1" }, ...container({ secrets: [{ name: "A", valueFrom: "arn:2" }] }) }
    },
    {
      pool: { tags: { team: "1", a: "1" }, labels: { "team ": "1", b: "1" } },
      request: { taskRunRequest: { tags: [{ key: "team", value: "2" }] } },
      result: { tags: { a: "1" }, labels: { b: "1" }, taskRunRequest: { tags: [{ key: "team", value: "2" }] } }
    },
    { pool: { labels: { team: "1" } }, request: { tags: { team: "2" } }, result: { labels: {}, tags: { team: "2" } } },
    {
      pool: { configureCloudwatchLogs: true, cloudwatchLogsPrefix: "p", cloudwatchLogsOptions: { mode: "blocking" } },
      request: container({ logConfiguration: { logDriver: "splunk" } }),
      result: container({ logConfiguration: { logDriver: "splunk" } })
    }
  ])("$pool under $request", ({ pool, request, result }) => {
    assert.deepStrictEqual(left(pool, request), result)
  })

  it("sizes of a pool stay where a definition above says less: the definition is filled up, not overridden", () => {
    assert.deepStrictEqual(left({ cpu: 512, memory: 1024 }, { taskDefinition: { cpu: "256" } }), {
      cpu: 512,
      memory: 1024,
      taskDefinition: { cpu: "256" }
    })
  })
})
