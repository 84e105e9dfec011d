import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Pool } from "#ecs-core/Pool.ts"
import { orchestrationContainer, prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import { definitionKey, equalDefinitions } from "#ecs-core/TaskDefinition.ts"

const region = "eu-central-1"
const role = "arn:aws:iam::123456789012:role/jobs-execution"
const pool: Pool = {
  image: "alpine:3.20",
  executionRoleArn: role,
  secrets: { DB: "arn:secret:db", API: "arn:secret:api" }
}

const prepare = (request: RunRequest, base: Pool = { image: "alpine:3.20" }) =>
  prepareTaskDefinition(Result.getOrThrow(resolveJob(request, base, 86_400)), region)
const definitionOf = (request: RunRequest = {}) => prepare(request, pool).definition
const containersOf = (taskDefinition: object, request: RunRequest = {}) =>
  prepare({ ...request, taskDefinition: { ...taskDefinition } }).definition.containerDefinitions
const orchestrated = (container: object, request: RunRequest = {}) =>
  containersOf({ containerDefinitions: [{ name: "main", image: "i", ...container }] }, request)[0] ?? {}

describe("prepareTaskDefinition", () => {
  it("has one Fargate container by default, with logs and secrets", () => {
    assert.deepStrictEqual(definitionOf(), {
      family: "fleet_default",
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      cpu: "1024",
      memory: "2048",
      executionRoleArn: role,
      containerDefinitions: [
        {
          name: "main",
          image: "alpine:3.20",
          essential: true,
          secrets: [
            { name: "DB", valueFrom: "arn:secret:db" },
            { name: "API", valueFrom: "arn:secret:api" }
          ],
          logConfiguration: {
            logDriver: "awslogs",
            options: {
              "awslogs-create-group": "true",
              "awslogs-group": "fleet",
              "awslogs-region": region,
              "awslogs-stream-prefix": "fleet_default",
              mode: "blocking"
            }
          }
        }
      ]
    })
  })

  it("leaves out what is not asked for", () => {
    const { definition } = prepare({})
    assert.deepStrictEqual(definition.containerDefinitions, [{ name: "main", image: "alpine:3.20", essential: true }])
    assert.doesNotHaveAnyKeys(definition, ["executionRoleArn", "ephemeralStorage", "runtimePlatform"])
  })

  it("passes storage, platform and GPU on", () => {
    const definition = definitionOf({ ephemeralStorageGiB: 40, runtimePlatform: { cpuArchitecture: "ARM64" } })
    assert.deepStrictEqual(definition["ephemeralStorage"], { sizeInGiB: 40 })
    assert.deepStrictEqual(definition["runtimePlatform"], { cpuArchitecture: "ARM64" })
    const gpu = orchestrated({}, { launchType: "EC2", gpu: 2 })
    assert.deepStrictEqual(gpu["resourceRequirements"], [{ type: "GPU", value: "2" }])
  })
})

describe("the orchestration container", () => {
  it.each([
    { what: "as configured", containers: [{ name: "main" }, { name: "app" }], configured: "app", name: "app" },
    { what: "main", containers: [{ name: "sidecar" }, { name: "main" }], name: "main" },
    { what: "the first", containers: [{ name: "app" }, { name: "sidecar" }], name: "app" },
    { what: "main where the first has no name", containers: [{ image: "x" }, { name: "sidecar" }], name: "main" },
    { what: "main where there is none", containers: [], name: "main" }
  ])("is $what, in a prepared and a retrieved definition (peers 23)", ({ containers, configured, name }) => {
    const containerDefinitions = containers.map((each) => ({ image: "i", ...each }))
    const retrieved = { containerDefinitions, status: "ACTIVE", revision: 1 }
    assert.strictEqual(orchestrationContainer(retrieved, configured), name)
    const request = { taskDefinition: { containerDefinitions }, containerName: configured ?? null }
    assert.strictEqual(prepare(request).containerName, name)
  })

  it("is looked for after empty objects are dropped (peers 22)", () => {
    const containers = containersOf({ containerDefinitions: [{}, { name: "app", image: "i" }, { image: null }] })
    assert.deepStrictEqual(containers, [{ name: "app", image: "i", essential: true }])
  })

  it("is the first container without a name; where all have one, it is appended (peers 24)", () => {
    const sidecar = { name: "sidecar", image: "s" }
    assert.deepStrictEqual(
      containersOf({ containerDefinitions: [{ cpu: 5 }, sidecar, { user: "x" }] }).map(({ name }) => name),
      ["main", "sidecar", undefined]
    )
    const appended = containersOf({ containerDefinitions: [sidecar] }, { containerName: "main" })
    assert.deepStrictEqual(appended, [sidecar, { name: "main", image: "alpine:3.20", essential: true }])
  })

  it("of another name than main is made where there are no others, and never appended to others", () => {
    assert.deepStrictEqual(containersOf({}, { containerName: "app" })[0]?.["name"], "app")
    const others = { containerDefinitions: [{ name: "other", image: "i" }] }
    assert.deepStrictEqual(containersOf(others, { containerName: "app" }), [{ name: "other", image: "i" }])
  })

  it("is changed alone: sidecars stay as they are", () => {
    const sidecar = { name: "sidecar", image: "s", environment: [{ name: "A", value: "1" }], cpu: 5 }
    const request = {
      env: { A: null },
      secrets: { S: "arn" },
      executionRoleArn: role,
      gpu: 1,
      launchType: "EC2" as const
    }
    assert.deepStrictEqual(containersOf({ containerDefinitions: [{ name: "main" }, sidecar] }, request)[1], sidecar)
  })
})

describe("what the definition has itself", () => {
  it("keeps its image; the pool's only fills a gap (peers 25)", () => {
    assert.strictEqual(orchestrated({ image: "own" })["image"], "own")
    assert.strictEqual(containersOf({ containerDefinitions: [{ name: "main" }] })[0]?.["image"], "alpine:3.20")
  })

  it("loses variables that are unset or null, and keeps the others in order (peers 26)", () => {
    const names = ["D", "NULL", "A", "GONE", "C"]
    const environment = names.map((name) => ({ name, value: name === "NULL" ? null : "" }))
    assert.deepStrictEqual(orchestrated({ environment }, { env: { GONE: null, NEW: "1" } })["environment"], [
      { name: "D", value: "" },
      { name: "A", value: "" },
      { name: "C", value: "" }
    ])
  })

  it("takes secrets: the same name is replaced, others stay, a variable of the name goes (peers 36)", () => {
    const own = {
      secrets: [
        { name: "A", valueFrom: "old" },
        { name: "B", valueFrom: "b" }
      ]
    }
    const container = orchestrated(
      { ...own, environment: [{ name: "C", value: "1" }] },
      { secrets: { A: "new", C: "c" } }
    )
    assert.deepStrictEqual(container["secrets"], [
      { name: "B", valueFrom: "b" },
      { name: "A", valueFrom: "new" },
      { name: "C", valueFrom: "c" }
    ])
    assert.notProperty(container, "environment")
    assert.deepStrictEqual(orchestrated(own)["secrets"], own.secrets)
  })

  it("loses null, empty text, list and object, but neither false nor a 0 that means something (peers 35)", () => {
    const empties = { user: "", hostname: null, links: [], healthCheck: {} }
    const meant = {
      privileged: false,
      stopTimeout: 0,
      command: ["echo", ""],
      portMappings: [{ containerPort: 80, hostPort: 0 }]
    }
    const container = orchestrated({ ...empties, ...meant })
    assert.deepStrictEqual(container, { name: "main", image: "i", essential: true, ...meant })
  })

  it("keeps members that the fleet does not read, and its task role", () => {
    const own = { volumes: [{ name: "v" }], pidMode: "task", taskRoleArn: "arn:role/own", enableFaultInjection: false }
    const { definition } = prepare({ taskDefinition: own, taskRoleArn: "arn:role/other" })
    assert.deepInclude(definition, own)
  })
})

describe("the family", () => {
  it.each([
    { request: {}, family: "fleet_default" },
    { request: { name: "nightly report" }, family: "fleet_default_nightly-report" },
    { request: { family: "my family!" }, family: "my-family" },
    { request: { taskDefinition: { family: "own family" } }, family: "own-family" },
    { request: { family: "x".repeat(300) }, family: "x".repeat(255) }
  ])("is $family, slugged and at most 255 characters (peers 34)", ({ request, family }) => {
    assert.strictEqual(prepare(request).definition.family, family)
  })
})

describe("what makes a new revision", () => {
  it.each<{ what: string; change: RunRequest }>([
    { what: "command", change: { command: ["other"] } },
    { what: "env", change: { env: { A: "1" } } },
    { what: "a null in env", change: { env: { A: null } } },
    { what: "labels", change: { labels: { team: "data" } } },
    { what: "tags", change: { tags: { team: "data" } } },
    { what: "cluster", change: { cluster: "other" } },
    { what: "task role", change: { taskRoleArn: "arn:other" } },
    { what: "launch type", change: { launchType: "FARGATE_SPOT" } },
    { what: "time-outs", change: { runTimeoutSeconds: 5, taskStartTimeoutSeconds: 5 } },
    { what: "run id", change: { runId: "other" } }
  ])("not another $what: nothing is registered (peers 27)", ({ change }) => {
    assert.deepStrictEqual(definitionOf(change), definitionOf())
  })

  it.each<{ what: string; change: RunRequest }>([
    { what: "image", change: { image: "alpine:3.21" } },
    { what: "logs off", change: { configureCloudwatchLogs: false } },
    { what: "family", change: { family: "other" } },
    { what: "name", change: { name: "other" } },
    { what: "cpu", change: { cpu: 2048, memory: 4096 } },
    { what: "memory", change: { memory: 4096 } },
    { what: "secrets", change: { secrets: { DB: "arn:secret:other" } } },
    { what: "execution role", change: { executionRoleArn: "arn:other" } },
    {
      what: "sidecar",
      change: { taskDefinition: { containerDefinitions: [{ name: "main" }, { name: "s", image: "s" }] } }
    },
    { what: "platform", change: { runtimePlatform: { cpuArchitecture: "ARM64" } } }
  ])("another $what (peers 28)", ({ change }) => {
    assert.notStrictEqual(definitionKey(definitionOf(change), region), definitionKey(definitionOf(), region))
    assert.isFalse(equalDefinitions(definitionOf(change), definitionOf()))
  })
})
