import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { Problem } from "#ecs-core/errors.ts"
import { decodeRequest } from "#ecs-core/RequestProblems.ts"
import { RunRequest } from "#ecs-core/RunRequest.ts"
import { SHOWN_VALUE_MAX } from "#ecs-core/StrictProblems.ts"

const problemsOf = (body: unknown): ReadonlyArray<Problem> =>
  Result.match(decodeRequest(body), { onFailure: (problems) => problems, onSuccess: () => [] })

const fieldsOf = (body: unknown) => problemsOf(body).map(({ field }) => field)

describe("decodeRequest: names", () => {
  it.each([
    { body: { comand: ["x"] }, advice: 'Did you mean "command"?' },
    { body: { Image: "alpine" }, advice: 'Did you mean "image"?' },
    { body: { run_id: "a" }, advice: 'Did you mean "runId"?' },
    { body: { task_definition_arn: "a" }, advice: 'Did you mean "taskDefinitionArn"?' },
    { body: { match_latest_revision_in_family: true }, advice: 'Did you mean "matchLatestRevisionInFamily"?' },
    { body: { "env.LEVEL": "canary" }, advice: 'Write it as a map: {"env": {"LEVEL": "…"}}.' },
    { body: { retry: { attemps: 1 } }, advice: 'Did you mean "retry.attempts"?' },
    {
      body: { networkConfiguration: { subnets: ["a"], securityGroup: [] } },
      field: "networkConfiguration.securityGroup"
    },
    {
      body: { runtimePlatform: { cpuArchitectur: "ARM64" } },
      advice: 'Did you mean "runtimePlatform.cpuArchitecture"?'
    }
  ])("suggests the nearest name: $body", ({ body, advice, field }) => {
    const [problem, ...others] = problemsOf(body)
    assert.deepStrictEqual(others, [])
    assert.strictEqual(problem?.code, "InvalidRequest")
    assert.match(problem?.message ?? "", /^Unknown field "/)
    if (advice !== undefined) assert.strictEqual(problem?.advice, advice)
    if (field !== undefined) assert.strictEqual(problem?.field, field)
  })

  it("lists the known names where none is near", () => {
    const [problem] = problemsOf({ parallelism: 3 })
    assert.match(
      problem?.advice ?? "",
      /^Remove it; known fields are v, runId, name, pool, variables, image, command, /
    )
  })

  it.each(["env", "secrets"])("explains a name that %s cannot hold", (map) => {
    const [problem] = problemsOf({ [map]: { "A=B": "canary" } })
    assert.strictEqual(problem?.field, `${map}.A=B`)
    assert.match(problem?.message ?? "", /the name must be 1 to 512 characters without = and NUL/)
  })

  it.each(["aws:owner", "AWS:owner", "a#b", "k".repeat(129), ""])("refuses a tag's key %s", (key) => {
    const [problem] = problemsOf({ tags: { [key]: "v" } })
    assert.strictEqual(problem?.field, `tags.${key}`)
    assert.match(problem?.message ?? "", /must not begin with aws:/)
  })

  it("refuses a tag's value of 257 characters and takes one of 256", () => {
    assert.deepStrictEqual(fieldsOf({ tags: { team: "v".repeat(257) } }), ["tags.team"])
    assert.deepStrictEqual(fieldsOf({ tags: { team: "v".repeat(256), "Größe 1": "" } }), [])
  })
})

describe("decodeRequest: values", () => {
  it.each([
    { body: { image: 5 }, message: 'Field "image": expected string, got 5.' },
    { body: { image: "" }, message: 'Field "image": expected a value with a length of at least 1, got "".' },
    { body: { memory: "2048" }, message: 'Field "memory": expected number, got "2048".' },
    { body: { cpu: 127 }, message: 'Field "cpu": expected a value between 128 and 32768, got 127.' },
    { body: { pool: "a.b" }, message: 'Field "pool": must be 1 to 64 of the characters A-Z a-z 0-9 _ -, got "a.b".' },
    { body: { region: "mars" }, message: 'Field "region": must be a region such as eu-central-1, got "mars".' },
    {
      body: { launchType: "FARGAT" },
      message:
        'Field "launchType": expected "FARGATE" | "FARGATE_SPOT" | "EC2" | "EXTERNAL" | "MANAGED_INSTANCES", got "FARGAT".'
    },
    {
      body: { containerName: "a.b" },
      message: 'Field "containerName": must be 1 to 255 letters, digits, hyphens or underscores, got "a.b".'
    },
    {
      body: { placementStrategy: [{ type: "pack" }] },
      message: 'Field "placementStrategy.0.type": expected "random" | "spread" | "binpack", got "pack".'
    },
    {
      body: { retry: { backoffSeconds: 0 } },
      message: 'Field "retry.backoffSeconds": expected a value between 1 and 86400, got 0.'
    },
    { body: { v: 2 }, message: 'Field "v": must be 1, the only version known here, got 2.' }
  ])("names field, rule and value: $message", ({ body, message }) => {
    assert.deepStrictEqual(
      problemsOf(body).map((problem) => problem.message),
      [message]
    )
  })

  it("asks for what is missing inside an object", () => {
    assert.deepStrictEqual(
      problemsOf({ placementConstraints: [{}] }).map(({ field, message }) => ({ field, message })),
      [
        {
          field: "placementConstraints.0.type",
          message: 'Field "placementConstraints.0.type": Missing key, got nothing.'
        }
      ]
    )
  })

  it("a network needs a subnet, and takes 16 of them and 5 groups (peers 60)", () => {
    const subnets = Array.from({ length: 17 }, (_, n) => `subnet-${n}`)
    const securityGroups = ["a", "b", "c", "d", "e", "f"]
    for (const network of [
      { securityGroups: ["a"] },
      { assignPublicIp: "ENABLED" },
      { subnets: [], securityGroups: ["a"] },
      {}
    ]) {
      assert.deepStrictEqual(
        problemsOf({ networkConfiguration: network }).map(({ field, message }) => ({ field, message })),
        [{ field: "networkConfiguration.subnets", message: "At least one subnet is required to run a task." }]
      )
    }
    const full = { subnets: subnets.slice(1), securityGroups: securityGroups.slice(1) }
    assert.deepStrictEqual(fieldsOf({ networkConfiguration: full }), [])
    assert.deepStrictEqual(fieldsOf({ networkConfiguration: { ...full, subnets } }), ["networkConfiguration.subnets"])
    assert.deepStrictEqual(fieldsOf({ networkConfiguration: { ...full, securityGroups } }), [
      "networkConfiguration.securityGroups"
    ])
  })

  it("an item of a strategy may leave out weight and base, and knows nothing else (peers 12)", () => {
    const strategy = (...items: ReadonlyArray<object>) => problemsOf({ capacityProviderStrategy: items })
    assert.deepStrictEqual(
      strategy({ capacityProvider: "FARGATE" }, { capacityProvider: "FARGATE_SPOT", weight: 1, base: 0 }),
      []
    )
    assert.deepStrictEqual(
      strategy({ capacityProvider: "FARGATE", wieght: 1 }, { capacity_provider: "FARGATE" }).map(
        ({ field, advice }) => ({ field, advice })
      ),
      [
        { field: "capacityProviderStrategy.0.wieght", advice: 'Did you mean "capacityProviderStrategy.0.weight"?' },
        {
          field: "capacityProviderStrategy.1.capacity_provider",
          advice: 'Did you mean "capacityProviderStrategy.1.capacityProvider"?'
        },
        {
          field: "capacityProviderStrategy.1.capacityProvider",
          advice: 'Correct "capacityProviderStrategy.1.capacityProvider" and publish the request again.'
        }
      ]
    )
    const many = (length: number) => Array.from({ length }, () => ({ capacityProvider: "FARGATE" }))
    assert.deepStrictEqual(strategy(...many(20)), [])
    assert.deepStrictEqual(
      strategy(...many(21)).map(({ field }) => field),
      ["capacityProviderStrategy"]
    )
  })

  it("shows no more than the beginning of a long value", () => {
    const [problem] = problemsOf({ region: "y".repeat(5000) })
    assert.include(problem?.message, "…")
    assert.isAtMost(problem?.message.length ?? 0, SHOWN_VALUE_MAX + 100)
  })

  it.each([
    { body: { env: { TOKEN: { deep: "canary" } } }, got: "got an object (not shown)" },
    { body: { env: ["TOKEN=canary"] }, got: "got a list (not shown)" },
    { body: { env: "TOKEN=canary" }, got: "got a string (not shown)" },
    { body: { secrets: { TOKEN: ["canary"] } }, got: "got a list (not shown)" },
    { body: { command: { sh: "canary" } }, got: "got an object (not shown)" },
    { body: { command: ["x", { sh: "canary" }] }, got: "got an object (not shown)" },
    { body: { taskDefinition: "canary" }, got: "got a string (not shown)" },
    { body: { taskRunRequest: ["canary"] }, got: "got a list (not shown)" },
    { body: { comand: ["canary"], envv: { TOKEN: "canary" } }, got: "Unknown field" }
  ])("never shows what may be secret: $body", ({ body, got }) => {
    const problems = problemsOf(body)
    assert.isNotEmpty(problems)
    assert.notInclude(JSON.stringify(problems), "canary")
    assert.include(JSON.stringify(problems), got)
  })

  it("tells all problems at once", () => {
    const body = {
      comand: ["x"],
      image: 5,
      cpu: "big",
      retry: { attemps: 1, attempts: -1 },
      env: { A: 5 },
      taskDefinition: { containerDefinitions: [{ Image: "alpine", environment: { A: "1" } }] },
      taskRunRequest: { count: 2 }
    }
    assert.sameMembers(fieldsOf(body).map(String), [
      "comand",
      "image",
      "cpu",
      "retry.attemps",
      "retry.attempts",
      "env.A",
      "taskDefinition.containerDefinitions.0.Image",
      "taskDefinition.containerDefinitions.0.environment",
      "taskRunRequest.count"
    ])
  })

  it.each([
    { body: null, is: "null" },
    { body: [], is: "a list" },
    { body: "run it", is: "a string" },
    { body: 5, is: "a number" },
    { body: true, is: "a boolean" }
  ])("wants an object, not $is", ({ body, is }) => {
    const [problem, ...others] = problemsOf(body)
    assert.deepStrictEqual(others, [])
    assert.strictEqual(problem?.message, `run.requested must be a JSON object, but is ${is}.`)
    assert.include(problem?.advice, '{"image": "alpine", "command": ["echo", "hello"]}')
  })
})

describe("decodeRequest: what fits", () => {
  it("takes null for every field of a request", () => {
    const body = Object.fromEntries(Object.keys(RunRequest.fields).map((field) => [field, field === "v" ? 1 : null]))
    assert.deepStrictEqual(fieldsOf(body), [])
  })

  it.prop("decodes every request to itself, fields in and fields out", [RunRequest], ([request]) => {
    const { taskDefinition: _definition, taskRunRequest: _runRequest, ...named } = request
    const body = JSON.parse(JSON.stringify(Schema.encodeSync(RunRequest)(named))) as unknown
    assert.deepStrictEqual(Result.getOrThrow(decodeRequest(body)) as unknown, body)
  })

  it("leaves free objects as they are, ECS's own names and kinds", () => {
    const body = {
      taskDefinition: {
        cpu: "1 vCPU",
        containerDefinitions: [{ name: "main", environment: [{ name: "A", value: "" }] }]
      },
      taskRunRequest: { count: 1, overrides: { containerOverrides: [{ cpu: 256 }] }, tags: [{ key: "a", value: "b" }] }
    }
    assert.deepStrictEqual(Result.getOrThrow(decodeRequest(body)) as unknown, body)
  })

  it.prop("answers whatever JSON comes, and every problem says what to do", [Schema.Json], ([body]) => {
    for (const { advice, message } of problemsOf(body)) {
      assert.isNotEmpty(advice)
      assert.isNotEmpty(message)
    }
  })
})
