import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { Problem } from "#ecs-core/errors.ts"
import { decodeRequest, SHOWN_VALUE_MAX } from "#ecs-core/RequestProblems.ts"
import { RunRequest } from "#ecs-core/RunRequest.ts"

const problemsOf = (body: unknown): ReadonlyArray<Problem> =>
  Result.match(decodeRequest(body), { onFailure: (problems) => problems, onSuccess: () => [] })

const fieldsOf = (body: unknown) => problemsOf(body).map(({ field }) => field)

describe("decodeRequest: names", () => {
  it.each([
    { body: { comand: ["x"] }, advice: 'Did you mean "command"?' },
    { body: { Image: "alpine" }, advice: 'Did you mean "image"?' },
    { body: { run_id: "a" }, advice: 'Did you mean "runId"?' },
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
    assert.match(problem?.advice ?? "", /^Remove it; known fields are v, runId, name, pool, image, command, /)
  })

  it.each(["env", "secrets"])("explains a name that %s cannot hold", (map) => {
    const [problem] = problemsOf({ [map]: { "A=B": "canary" } })
    assert.strictEqual(problem?.field, `${map}.A=B`)
    assert.match(problem?.message ?? "", /the name must be 1 to 512 characters without = and NUL/)
  })

  it.each(["aws:owner", "AWS:owner", "a#b", "k".repeat(129), ""])("statement 21: refuses a tag's key %s", (key) => {
    const [problem] = problemsOf({ tags: { [key]: "v" } })
    assert.strictEqual(problem?.field, `tags.${key}`)
    assert.match(problem?.message ?? "", /must not begin with aws:/)
  })

  it("statement 21: refuses a tag's value of 257 characters and takes one of 256", () => {
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
      body: { networkConfiguration: { subnets: [] } },
      message: 'Field "networkConfiguration.subnets": expected a value with a length of at least 1, got [].'
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
      problemsOf({ networkConfiguration: {} }).map(({ field, message }) => ({ field, message })),
      [
        {
          field: "networkConfiguration.subnets",
          message: 'Field "networkConfiguration.subnets": Missing key, got nothing.'
        }
      ]
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
    const body = { comand: ["x"], image: 5, cpu: "big", retry: { attemps: 1, attempts: -1 }, env: { A: 5 } }
    assert.sameMembers(fieldsOf(body).map(String), [
      "comand",
      "image",
      "cpu",
      "retry.attemps",
      "retry.attempts",
      "env.A"
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
    const body = JSON.parse(JSON.stringify(Schema.encodeSync(RunRequest)(request))) as unknown
    assert.deepStrictEqual(Result.getOrThrow(decodeRequest(body)) as unknown, body)
  })

  it.prop("answers whatever JSON comes, and every problem says what to do", [Schema.Json], ([body]) => {
    for (const { advice, message } of problemsOf(body)) {
      assert.isNotEmpty(advice)
      assert.isNotEmpty(message)
    }
  })
})
