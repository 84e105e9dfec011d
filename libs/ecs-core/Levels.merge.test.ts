import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Json } from "#ecs-core/Json.ts"
import { type Level, mergeLevels, SAID_IN } from "#ecs-core/Levels.ts"
import { Pool } from "#ecs-core/Pool.ts"

/** What is left of a pool under a request: named fields, and the free objects where they hold anything. */
const left = (...levels: ReadonlyArray<Level>): Json => {
  const { taskDefinition, taskRunRequest, ...named } = mergeLevels(levels)
  const free = { taskDefinition, taskRunRequest }
  return { ...named, ...Object.fromEntries(Object.entries(free).filter(([, value]) => Object.keys(value).length > 0)) }
}

describe("launch type and capacity provider strategy", () => {
  const spot = [{ capacityProvider: "FARGATE_SPOT", weight: 1 }]

  it.each<{ readonly what: string; readonly levels: ReadonlyArray<Level>; readonly result: Json }>([
    {
      what: "a strategy above replaces a launch type",
      levels: [{ launchType: "EC2" }, { capacityProviderStrategy: spot }],
      result: { capacityProviderStrategy: spot }
    },
    {
      what: "a launch type above replaces a strategy",
      levels: [{ capacityProviderStrategy: spot }, { launchType: "EC2" }],
      result: { launchType: "EC2" }
    },
    {
      what: "free ones count as named ones",
      levels: [{ taskRunRequest: { capacityProviderStrategy: spot } }, { taskRunRequest: { launchType: "EC2" } }],
      result: { launchType: "EC2" }
    },
    {
      what: "free beats named within a level",
      levels: [{ launchType: "EC2", taskRunRequest: { launchType: "EXTERNAL" } }],
      result: { launchType: "EXTERNAL" }
    },
    {
      what: "null removes one and leaves the other",
      levels: [{ capacityProviderStrategy: spot }, { launchType: null }],
      result: { capacityProviderStrategy: spot }
    },
    {
      what: "a null strategy brings nothing back",
      levels: [{ launchType: "EC2" }, { capacityProviderStrategy: spot }, { capacityProviderStrategy: null }],
      result: {}
    },
    {
      what: "an empty strategy replaces no launch type",
      levels: [{ launchType: "EC2" }, { capacityProviderStrategy: [] }],
      result: { launchType: "EC2", capacityProviderStrategy: [] }
    },
    {
      what: "both from one level stay, for the notice",
      levels: [{ launchType: "EC2", taskRunRequest: { capacityProviderStrategy: spot } }],
      result: { launchType: "EC2", capacityProviderStrategy: spot }
    }
  ])("$what", ({ levels, result }) => {
    assert.deepStrictEqual(left(...levels), result)
  })
})

describe("mergeLevels", () => {
  it("RunTask arguments: containers pair by name, launch type and strategy drop each other (scenario 83)", () => {
    const agent: Level = {
      taskRunRequest: {
        cluster: "agent",
        launchType: "EC2",
        overrides: {
          taskRoleArn: "agent",
          containerOverrides: [
            { name: "main", cpu: 128 },
            { name: "proxy", cpu: 1 }
          ]
        }
      }
    }
    const run: Level = {
      taskRunRequest: {
        cluster: "run",
        capacityProviderStrategy: [{ capacityProvider: "ec2" }],
        overrides: {
          containerOverrides: [
            { name: "main", memory: 256 },
            { name: "extra", cpu: 2 }
          ]
        }
      }
    }
    const { taskRunRequest, launchType, capacityProviderStrategy } = mergeLevels([agent, run])
    assert.deepStrictEqual(capacityProviderStrategy, [{ capacityProvider: "ec2" }])
    assert.strictEqual(launchType, undefined)
    assert.deepStrictEqual(taskRunRequest, {
      cluster: "run",
      overrides: {
        taskRoleArn: "agent",
        containerOverrides: [
          { name: "main", cpu: 128, memory: 256 },
          { name: "proxy", cpu: 1 },
          { name: "extra", cpu: 2 }
        ]
      }
    })
    assert.strictEqual(mergeLevels([run, agent]).capacityProviderStrategy, undefined)
  })

  it("a linked definition may be named in the free run request", () => {
    assert.deepStrictEqual(left({ taskDefinitionArn: "a" }, { taskRunRequest: { taskDefinition: "b" } }), {
      taskDefinitionArn: "b"
    })
    assert.deepStrictEqual(left({ taskDefinitionArn: "a" }, { taskRunRequest: { taskDefinition: null } }), {})
  })

  it.each(SAID_IN.flatMap(({ places }) => places.filter((place) => !place.includes("."))))("%s is a field", (field) => {
    assert.isTrue(field in Pool.fields)
  })

  it.each(SAID_IN.flatMap(({ places: [free, field] }) => (free === `taskRunRequest.${field}` && field ? [field] : [])))(
    "a request's %s beats the pool's free one, and gives way to its own",
    (field) => {
      const free = (value: string): Level => ({ taskRunRequest: { [field]: value } })
      assert.deepStrictEqual(left(free("pool"), { [field]: "request" }), { [field]: "request" })
      assert.deepStrictEqual(left(free("pool"), { [field]: null }), {})
      assert.deepStrictEqual(left({ [field]: "pool" }, free("request")), { [field]: "pool", ...free("request") })
    }
  )

  it.prop("no level is changed, and what the highest says by name holds", [Schema.Array(Pool)], ([levels]) => {
    const before = structuredClone(levels)
    const merged = mergeLevels(levels)
    assert.deepStrictEqual(levels, before)
    const { image, cpu, memory, family, cluster, group } = levels.at(-1) ?? {}
    for (const [field, value] of Object.entries({ image, cpu, memory, family, cluster, group })) {
      if (value !== undefined) assert.deepStrictEqual(Reflect.get(merged, field) ?? null, value)
    }
    assert.notInclude(Object.values(merged), null)
  })

  it.prop("a level above that says nothing changes nothing", [Pool, Pool], ([below, above]) => {
    assert.deepStrictEqual(mergeLevels([below, above, {}]), mergeLevels([below, above]))
    assert.deepStrictEqual(mergeLevels([{}, below, above]), mergeLevels([below, above]))
  })
})
