import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { mergeFree, orchestrationName, withoutNulls } from "#ecs-core/FreeMerge.ts"
import { isJson, type Json } from "#ecs-core/Json.ts"

const merged = (below: Json, above: Json): Json => mergeFree(below, above, "main")

describe("mergeFree", () => {
  it.each([
    {
      what: "objects merge at every depth",
      below: { logConfiguration: { logDriver: "awslogs", options: { a: "1", b: "1" } } },
      above: { logConfiguration: { options: { b: "2" } } },
      result: { logConfiguration: { logDriver: "awslogs", options: { a: "1", b: "2" } } }
    },
    {
      what: "lists replace",
      below: { volumes: [{ name: "a" }, { name: "b" }], entryPoint: ["sh"] },
      above: { volumes: [{ name: "c" }] },
      result: { volumes: [{ name: "c" }], entryPoint: ["sh"] }
    },
    {
      what: "lists inside of a container replace, its environment too",
      below: { containerDefinitions: [{ name: "main", environment: [{ name: "A", value: "1" }], image: "i" }] },
      above: { containerDefinitions: [{ name: "main", environment: [{ name: "B", value: "2" }] }] },
      result: { containerDefinitions: [{ name: "main", environment: [{ name: "B", value: "2" }], image: "i" }] }
    },
    {
      what: "other values replace",
      below: { cpu: "256", memory: "512" },
      above: { cpu: 512 },
      result: { cpu: 512, memory: "512" }
    },
    {
      what: "null stays, so that it beats what was below",
      below: { cpu: 1 },
      above: { cpu: null },
      result: { cpu: null }
    }
  ])("$what", ({ below, above, result }) => {
    assert.deepStrictEqual(merged(below, above), result)
  })

  it.each(["containerDefinitions", "containerOverrides"])(
    "%s pair by name, in the lower one's order; others come last",
    (list) => {
      const below = {
        [list]: [
          { name: "proxy", cpu: 1 },
          { name: "main", cpu: 2, memory: 3 }
        ]
      }
      const above = { [list]: [{ name: "main", cpu: 4 }, { name: "extra" }] }
      assert.deepStrictEqual(merged(below, above), {
        [list]: [{ name: "proxy", cpu: 1 }, { name: "main", cpu: 4, memory: 3 }, { name: "extra" }]
      })
    }
  )

  it.each([
    { below: [{ cpu: 1 }], above: [{ name: "main", memory: 2 }], result: [{ cpu: 1, name: "main", memory: 2 }] },
    { below: [{ name: "main", cpu: 1 }], above: [{ memory: 2 }], result: [{ name: "main", cpu: 1, memory: 2 }] },
    { below: [{ cpu: 1 }], above: [{ memory: 2 }], result: [{ cpu: 1, memory: 2 }] },
    {
      below: [{ name: "a" }],
      above: [{ name: "b" }, { memory: 2 }],
      result: [{ name: "a" }, { name: "b" }, { memory: 2 }]
    },
    {
      below: [{ name: "main" }],
      above: [{ name: "main", cpu: 1 }, { cpu: 2 }],
      result: [{ name: "main", cpu: 1 }, { cpu: 2 }]
    }
  ])(
    "the first container without a name is the orchestration container, unless another is: $below + $above",
    (each) => {
      assert.deepStrictEqual(merged({ containerDefinitions: each.below }, { containerDefinitions: each.above }), {
        containerDefinitions: each.result
      })
    }
  )

  const free = Schema.Record(Schema.String, Schema.Json)

  it.prop("nothing below or above is changed, and nothing merges to itself", [free, free], ([below, above]) => {
    const before = structuredClone([below, above])
    merged(below, above)
    assert.deepStrictEqual([below, above], before)
    assert.deepStrictEqual(merged(below, {}), below)
    assert.deepStrictEqual(merged({}, above), above)
    assert.deepStrictEqual(merged(above, above), above)
  })

  it.prop("what the higher one says holds at every path, lists aside", [free, free], ([below, above]) => {
    const holds = (result: unknown, said: unknown): void => {
      if (!isJson(said)) return assert.deepStrictEqual(result, said)
      for (const [name, value] of Object.entries(said)) holds(isJson(result) ? result[name] : undefined, value)
    }
    holds(merged(below, above), above)
  })
})

describe("orchestrationName", () => {
  const named = (...names: ReadonlyArray<string | undefined>) => ({
    taskDefinition: { containerDefinitions: names.map((name) => (name === undefined ? { cpu: 1 } : { name })) }
  })

  it.each([
    { what: "as configured", configured: "app", levels: [named("x", "main")], name: "app" },
    { what: "main, wherever it stands", levels: [named("x"), named("y", "main")], name: "main" },
    { what: "the first one's name", levels: [{}, named("x", "y")], name: "x" },
    { what: "main where the first has no name", levels: [named(undefined, "y")], name: "main" },
    { what: "main where there is none", levels: [{ taskDefinition: { containerDefinitions: [{}] } }], name: "main" },
    {
      what: "the first override's name where no definition is given",
      levels: [{ taskRunRequest: { overrides: { containerOverrides: [{ name: "job" }] } } }],
      name: "job"
    }
  ])("$what", ({ configured, levels, name }) => {
    assert.strictEqual(orchestrationName(configured, levels), name)
  })
})

describe("withoutNulls", () => {
  it("drops null members of objects and of containers, and leaves other lists alone", () => {
    assert.deepStrictEqual(
      withoutNulls({
        cpu: null,
        runtimePlatform: { cpuArchitecture: null },
        containerDefinitions: [{ name: "main", image: null, environment: [{ name: "A", value: null }] }]
      }),
      { runtimePlatform: {}, containerDefinitions: [{ name: "main", environment: [{ name: "A", value: null }] }] }
    )
  })
})
