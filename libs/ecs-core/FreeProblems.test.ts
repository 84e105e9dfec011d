import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { freeProblems } from "#ecs-core/FreeProblems.ts"

const definition = (members: object) => freeProblems({ taskDefinition: members })
const request = (members: object) => freeProblems({ taskRunRequest: members })
const container = (members: object) => definition({ containerDefinitions: [members] })
const override = (members: object) => request({ overrides: { containerOverrides: [members] } })
const network = (awsvpcConfiguration: object) => request({ networkConfiguration: { awsvpcConfiguration } })

describe("names in the free objects", () => {
  it.each([
    { problems: definition({ containerDefinition: [] }), near: "taskDefinition.containerDefinitions" },
    { problems: definition({ ContainerDefinitions: [] }), near: "taskDefinition.containerDefinitions" },
    { problems: definition({ container_definitions: [] }), near: "taskDefinition.containerDefinitions" },
    { problems: definition({ enable_fault_injection: true }), near: "taskDefinition.enableFaultInjection" },
    { problems: container({ Image: "alpine" }), near: "taskDefinition.containerDefinitions.0.image" },
    {
      problems: container({ repository_credentials: {} }),
      near: "taskDefinition.containerDefinitions.0.repositoryCredentials"
    },
    {
      problems: container({ logConfiguration: { log_driver: "awslogs" } }),
      near: "taskDefinition.containerDefinitions.0.logConfiguration.logDriver"
    },
    { problems: request({ LaunchType: "EC2" }), near: "taskRunRequest.launchType" },
    { problems: request({ overides: {} }), near: "taskRunRequest.overrides" },
    { problems: request({ overrides: { task_role_arn: "arn" } }), near: "taskRunRequest.overrides.taskRoleArn" },
    { problems: override({ enviroment: [] }), near: "taskRunRequest.overrides.containerOverrides.0.environment" },
    {
      problems: network({ assign_public_ip: "ENABLED" }),
      near: "taskRunRequest.networkConfiguration.awsvpcConfiguration.assignPublicIp"
    },
    {
      problems: request({ capacityProviderStrategy: [{ capacityProvider: "FARGATE", wieght: 1 }] }),
      near: "taskRunRequest.capacityProviderStrategy.0.weight"
    }
  ])("did you mean $near?", ({ problems, near }) => {
    assert.deepStrictEqual(
      problems.map(({ code, advice }) => ({ code, advice })),
      [{ code: "InvalidRequest", advice: `Did you mean "${near}"?` }]
    )
  })

  it("an override has fewer members than a container, and all are listed where none is near", () => {
    const [problem] = override({ image: "alpine" })
    assert.strictEqual(problem?.message, 'Unknown field "taskRunRequest.overrides.containerOverrides.0.image".')
    assert.strictEqual(
      problem?.advice,
      "Remove it; known fields are name, command, environment, environmentFiles, cpu, memory, memoryReservation, resourceRequirements."
    )
  })

  it.each(["__proto__", "constructor", "toString"])("%s is no member", (name) => {
    const [problem] = definition(JSON.parse(`{"${name}": {"x": 1}}`) as object)
    assert.strictEqual(problem?.field, `taskDefinition.${name}`)
  })
})

describe("kinds in the free objects", () => {
  it.each([
    { problems: definition({ containerDefinitions: {} }), expected: "a list of objects, got an object" },
    { problems: definition({ containerDefinitions: ["main"] }), expected: "objects, got a string" },
    { problems: definition({ cpu: true }), expected: "a number or a string, got a boolean" },
    { problems: definition({ requiresCompatibilities: "EC2" }), expected: "a list of strings, got a string" },
    { problems: container({ command: "echo canary" }), expected: "a list of strings, got a string" },
    { problems: container({ essential: "yes" }), expected: "true or false, got a string" },
    { problems: container({ dockerLabels: { a: 1 } }), expected: "an object of strings, got an object" },
    { problems: container({ environment: [{ name: "A", value: 5 }] }), expected: "a string, got a number" },
    { problems: container({ environment: ["A=canary"] }), expected: '{"name", "value"}, got a string' },
    { problems: container({ stopTimeout: "5" }), expected: "a number, got a string" },
    { problems: request({ overrides: [] }), expected: "an object, got a list" },
    { problems: request({ tags: [["a", "b"]] }), expected: '{"key", "value"}, got a list' }
  ])("expected $expected", ({ problems, expected }) => {
    assert.deepStrictEqual(
      problems.map(({ message }) => message.replace(/^Field "[^"]*": /, "")),
      [`expected ${expected} (not shown).`]
    )
  })

  it.each([
    {
      problems: container({ environment: { TOKEN: "canary" } }),
      advice: 'ECS takes a list: [{"name": "LEVEL", "value": "info"}]. For a map, use the field "env".'
    },
    {
      problems: override({ environment: { TOKEN: "canary" } }),
      advice: 'ECS takes a list: [{"name": "LEVEL", "value": "info"}]. For a map, use the field "env".'
    },
    {
      problems: container({ secrets: { TOKEN: "canary" } }),
      advice: 'ECS takes a list: [{"name": "TOKEN", "valueFrom": "<arn>"}]. For a map, use the field "secrets".'
    },
    {
      problems: request({ tags: { team: "canary" } }),
      advice: 'ECS takes a list: [{"key": "team", "value": "data"}]. For a map, use the field "tags".'
    }
  ])("a map instead of a list: $advice", ({ problems, advice }) => {
    assert.deepStrictEqual(
      problems.map((problem) => problem.advice),
      [advice]
    )
    assert.notInclude(JSON.stringify(problems), "canary")
  })

  it.each([
    {
      problems: definition({
        cpu: 1024,
        memory: "2 GB",
        tags: null,
        containerDefinitions: [{}, { name: null, cpu: "256" }]
      })
    },
    {
      problems: request({
        launchType: "FARGATE_SPOT",
        count: 1,
        overrides: { containerOverrides: [{ environment: [] }] }
      })
    },
    { problems: request({ count: null, clientToken: null, startedBy: null }) },
    {
      problems: network({
        subnets: Array.from({ length: 16 }, (_, n) => `subnet-${n}`),
        securityGroups: ["a", "b", "c", "d", "e"]
      })
    }
  ])("numbers or text for sizes, null anywhere, the limits themselves: nothing is wrong (%#)", ({ problems }) => {
    assert.deepStrictEqual(problems, [])
  })

  it("launch type: one of ECS's, or FARGATE_SPOT", () => {
    const [problem] = request({ launchType: "canary" })
    assert.include(problem?.message, '"FARGATE" | "FARGATE_SPOT" | "EC2" | "EXTERNAL" | "MANAGED_INSTANCES"')
    assert.notInclude(problem?.message, "canary")
  })

  it.prop("answers whatever JSON comes, and never shows a value", [Schema.Json], ([json]) => {
    const problems = freeProblems({ taskDefinition: json, taskRunRequest: { overrides: json, tags: json } })
    for (const { advice, field } of problems) {
      assert.isNotEmpty(advice)
      assert.isNotEmpty(field)
    }
  })
})

describe("what the fleet keeps to itself", () => {
  it.each([0, 2, 10])("count %d: one run is one task", (count) => {
    const [problem] = request({ count })
    assert.strictEqual(problem?.field, "taskRunRequest.count")
    assert.strictEqual(problem?.message, `Field "taskRunRequest.count": one run is one task, got ${count}.`)
    assert.strictEqual(problem?.advice, "Publish one request for each task.")
  })

  it.each(["clientToken", "startedBy"])("%s is the fleet's own mark, which nobody replaces (scenario 81)", (name) => {
    assert.deepStrictEqual(
      request({ [name]: "mine" }).map(({ field }) => field),
      [`taskRunRequest.${name}`]
    )
  })

  it.each(["FLEET_RUN_ID", "FLEET_ATTEMPT"])("no container may say %s", (name) => {
    const environment = [
      { name: "A", value: "1" },
      { name, value: "canary" }
    ]
    const problems = [
      ...container({ environment, secrets: [{ name, valueFrom: "arn:canary" }] }),
      ...override({ environment })
    ]
    assert.deepStrictEqual(
      problems.map(({ field }) => field),
      [
        "taskDefinition.containerDefinitions.0.environment.1",
        "taskDefinition.containerDefinitions.0.secrets.0",
        "taskRunRequest.overrides.containerOverrides.0.environment.1"
      ]
    )
    assert.notInclude(JSON.stringify(problems), "canary")
  })
})

describe("limits in the free objects", () => {
  it.each([
    { problems: network({ subnets: Array.from({ length: 17 }, () => "subnet") }), field: "subnets", most: 16 },
    { problems: network({ securityGroups: ["a", "b", "c", "d", "e", "f"] }), field: "securityGroups", most: 5 }
  ])("at most $most $field", ({ problems, field, most }) => {
    const path = `taskRunRequest.networkConfiguration.awsvpcConfiguration.${field}`
    assert.deepStrictEqual(
      problems.map(({ message }) => message),
      [`Field "${path}": at most ${most}, got ${most + 1}.`]
    )
  })

  it.each([
    { tag: { key: "aws:team", value: "" }, field: "taskRunRequest.tags.0.key" },
    { tag: { key: "k".repeat(129), value: "" }, field: "taskRunRequest.tags.0.key" },
    { tag: { key: "k".repeat(128), value: "v".repeat(257) }, field: "taskRunRequest.tags.0.value" }
  ])("a tag's $field", ({ tag, field }) => {
    assert.deepStrictEqual(
      request({ tags: [tag] }).map((problem) => problem.field),
      [field]
    )
    assert.deepStrictEqual(
      definition({ tags: [tag] }).map((problem) => problem.field),
      [field.replace("taskRunRequest", "taskDefinition")]
    )
  })

  it("at most 50 tags", () => {
    const tags = Array.from({ length: 51 }, (_, n) => ({ key: `t${n}`, value: "" }))
    assert.deepStrictEqual(
      request({ tags }).map(({ field }) => field),
      ["taskRunRequest.tags"]
    )
    assert.deepStrictEqual(request({ tags: tags.slice(1) }), [])
  })

  it.each([
    [{ capacityProvider: "FARGATE", weight: 1001 }],
    [{ capacityProvider: "FARGATE", base: -1 }],
    [{ weight: 1 }],
    Array.from({ length: 21 }, () => ({ capacityProvider: "FARGATE" }))
  ])("a strategy's items as in the named field (%#)", (...strategy) => {
    assert.deepStrictEqual(
      request({ capacityProviderStrategy: strategy.flat() }).map(({ field }) => field),
      ["taskRunRequest.capacityProviderStrategy"]
    )
  })
})
