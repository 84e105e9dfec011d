import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Json } from "#ecs-core/Json.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"

/** How launch type and strategy shape a definition. */
const prepare = (request: RunRequest) =>
  prepareTaskDefinition(Result.getOrThrow(resolveJob(request, { image: "i" }, 86_400)), "eu-central-1").definition
const container = (members: Json) => ({ containerDefinitions: [{ name: "main", ...members }] })
const sizes = (value: Json | undefined) => ({ cpu: value?.["cpu"], memory: value?.["memory"] })

const fargate: ReadonlyArray<{ what: string; launch: RunRequest }> = [
  { what: "nothing said", launch: {} },
  { what: "FARGATE", launch: { launchType: "FARGATE" } },
  { what: "FARGATE_SPOT", launch: { launchType: "FARGATE_SPOT" } },
  { what: "the cluster's decision", launch: { launchType: null } },
  {
    what: "a strategy of Fargate's providers",
    launch: { capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT" }] }
  }
]

const others: ReadonlyArray<{ what: string; launch: RunRequest; compatibilities: ReadonlyArray<string> | undefined }> =
  [
    { what: "EC2", launch: { launchType: "EC2" }, compatibilities: ["EC2"] },
    { what: "EXTERNAL", launch: { launchType: "EXTERNAL" }, compatibilities: ["EXTERNAL"] },
    { what: "MANAGED_INSTANCES", launch: { launchType: "MANAGED_INSTANCES" }, compatibilities: ["MANAGED_INSTANCES"] },
    {
      what: "no launch type and a definition for EC2",
      launch: { launchType: null, taskDefinition: { requiresCompatibilities: ["EC2"] } },
      compatibilities: ["EC2"]
    },
    {
      what: "a strategy of own providers",
      launch: { capacityProviderStrategy: [{ capacityProvider: "mine", weight: 1 }] },
      compatibilities: undefined
    }
  ]

describe("on Fargate", () => {
  it.each(fargate)("$what: sizes are text at the task, 1024 and 2048 by default (peers 31)", ({ launch }) => {
    const definition = prepare(launch)
    assert.deepStrictEqual(sizes(definition), { cpu: "1024", memory: "2048" })
    assert.deepStrictEqual(sizes(definition.containerDefinitions[0]), { cpu: undefined, memory: undefined })
    assert.deepStrictEqual(definition.requiresCompatibilities, ["FARGATE"])
    assert.strictEqual(definition.networkMode, "awsvpc")
    assert.deepStrictEqual(sizes(prepare({ ...launch, cpu: 2048, memory: 8192 })), { cpu: "2048", memory: "8192" })
  })

  it("what the definition says is kept, and FARGATE stands there once (peers 31)", () => {
    const own = { cpu: 512, memory: "3 GB", networkMode: "host", requiresCompatibilities: ["EC2", "FARGATE"] }
    assert.deepInclude(prepare({ taskDefinition: own }), { ...own, cpu: "512" })
    const added = prepare({ taskDefinition: { requiresCompatibilities: ["EC2"] } }).requiresCompatibilities
    assert.deepStrictEqual(added, ["EC2", "FARGATE"])
  })
})

describe("elsewhere", () => {
  it.each(others)(
    "$what: sizes are integers at the container, 1024 and 2048 by default (peers 32, 33)",
    ({ launch, compatibilities }) => {
      const definition = prepare(launch)
      assert.deepStrictEqual(sizes(definition.containerDefinitions[0]), { cpu: 1024, memory: 2048 })
      assert.deepStrictEqual(sizes(definition), { cpu: undefined, memory: undefined })
      assert.deepStrictEqual(definition.requiresCompatibilities, compatibilities)
      const named = prepare({ ...launch, cpu: 256, memory: 512 })
      assert.deepStrictEqual(sizes(named.containerDefinitions[0]), { cpu: 256, memory: 512 })
    }
  )

  it("only what is missing is filled in; text becomes integers, and the task's own sizes text (peers 32)", () => {
    const text = prepare({ launchType: "EC2", taskDefinition: container({ cpu: "256", memory: "1 GB" }) })
    assert.deepStrictEqual(sizes(text.containerDefinitions[0]), { cpu: 256, memory: 1024 })
    const half = prepare({ launchType: "EC2", taskDefinition: container({ cpu: 5 }) })
    assert.deepStrictEqual(sizes(half.containerDefinitions[0]), { cpu: 5, memory: 2048 })
    const task = prepare({ launchType: "EC2", taskDefinition: { cpu: 512, memory: "1 GB" } })
    assert.deepStrictEqual(sizes(task), { cpu: "512", memory: "1 GB" })
    assert.deepStrictEqual(sizes(task.containerDefinitions[0]), { cpu: 512, memory: 1024 })
  })

  it("a reservation of memory stays without a limit, unless one is asked for", () => {
    const reserved = { launchType: "EC2" as const, taskDefinition: container({ memoryReservation: 4096 }) }
    assert.deepStrictEqual(sizes(prepare(reserved).containerDefinitions[0]), { cpu: 1024, memory: undefined })
    assert.deepStrictEqual(sizes(prepare({ ...reserved, memory: 8192 }).containerDefinitions[0]), {
      cpu: 1024,
      memory: 8192
    })
  })

  it.each([
    { launchType: "EC2", networkMode: undefined },
    { launchType: "EXTERNAL", networkMode: undefined },
    { launchType: "MANAGED_INSTANCES", networkMode: "awsvpc" }
  ] as const)("$launchType has the network mode $networkMode unless it says its own", ({ launchType, networkMode }) => {
    assert.strictEqual(prepare({ launchType }).networkMode, networkMode)
    assert.strictEqual(prepare({ launchType, taskDefinition: { networkMode: "host" } }).networkMode, "host")
  })

  it("a launch type for Fargate beside own providers does not spoil a definition that Fargate cannot take (peers 16)", () => {
    const strategy = [{ capacityProvider: "mine", weight: 1 }]
    const definition = prepare({
      launchType: "FARGATE",
      capacityProviderStrategy: strategy,
      taskDefinition: { networkMode: "bridge" }
    })
    assert.deepStrictEqual(definition.requiresCompatibilities, ["EC2"])
    assert.deepStrictEqual(sizes(definition.containerDefinitions[0]), { cpu: 1024, memory: 2048 })
  })
})
