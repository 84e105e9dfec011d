import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Problem } from "#ecs-core/errors.ts"
import { type Job, resolveJob } from "#ecs-core/Job.ts"
import type { Pool } from "#ecs-core/Pool.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"

const MAX = 6 * 86_400

const jobOf = (request: RunRequest, pool?: Pool): Job => Result.getOrThrow(resolveJob(request, pool, MAX))

const problemsOf = (request: RunRequest, pool?: Pool, max = MAX): ReadonlyArray<Problem> =>
  Result.match(resolveJob(request, pool, max), { onFailure: (problems) => problems, onSuccess: () => [] })

const fieldsOf = (request: RunRequest, pool?: Pool, max = MAX) =>
  problemsOf(request, pool, max).map(({ field }) => field)

describe("command", () => {
  it.each([
    { command: "echo hello", argv: ["echo", "hello"] },
    { command: "sh -c 'for i in 1 2; do echo $i; done'", argv: ["sh", "-c", "for i in 1 2; do echo $i; done"] },
    { command: 'echo "a  b" c\\ d', argv: ["echo", "a  b", "c d"] },
    { command: "echo '' \"\"", argv: ["echo", "", ""] },
    { command: "echo # no comment", argv: ["echo", "#", "no", "comment"] },
    { command: ["echo", "a  b", "'c'", ""], argv: ["echo", "a  b", "'c'", ""] }
  ])("statement 66: a string splits as in a shell, a list stays: $command", ({ command, argv }) => {
    assert.deepStrictEqual(jobOf({ image: "alpine", command }).command, argv)
  })

  it.each(["echo 'canary", 'echo "canary', "echo canary\\"])(
    "refuses what does not close, without showing it: %s",
    (command) => {
      const [problem] = problemsOf({ image: "alpine", command })
      assert.strictEqual(problem?.field, "command")
      assert.notInclude(JSON.stringify(problem), "canary")
    }
  )
})

describe("what only the whole can show", () => {
  it("an image is needed from request or pool", () => {
    assert.deepStrictEqual(fieldsOf({ command: ["x"] }), ["image"])
    assert.deepStrictEqual(fieldsOf({ command: ["x"] }, { image: "alpine" }), [])
    assert.deepStrictEqual(fieldsOf({ image: null }, { image: "alpine" }), ["image"])
  })

  it("statement 11: a network needs its VPC", () => {
    const networkConfiguration = { subnets: ["subnet-a"] }
    assert.deepStrictEqual(
      problemsOf({ image: "alpine", networkConfiguration }).map(({ field, message }) => ({ field, message })),
      [{ field: "vpcId", message: "You must provide a `vpcId` to enable custom `networkConfiguration`." }]
    )
    assert.deepStrictEqual(fieldsOf({ image: "alpine", networkConfiguration, vpcId: "vpc-a" }), [])
    assert.deepStrictEqual(fieldsOf({ image: "alpine", networkConfiguration }, { vpcId: "vpc-a" }), [])
    assert.deepStrictEqual(fieldsOf({ image: "alpine", vpcId: "vpc-a" }), [])
  })

  it.each(["runTimeoutSeconds", "launchTimeoutSeconds"] as const)("%s must not outlive the stream", (field) => {
    assert.deepStrictEqual(fieldsOf({ image: "alpine", [field]: MAX }), [])
    const [problem] = problemsOf({ image: "alpine", [field]: MAX + 1 })
    assert.strictEqual(problem?.field, field)
    assert.include(problem?.message, `at most ${MAX}`)
  })

  it("the defaults fit a stream of any age", () => {
    assert.deepStrictEqual(fieldsOf({ image: "alpine" }, undefined, 1), [])
  })

  it("statement 21: at most 50 tags, labels included, each key once", () => {
    const tags = Object.fromEntries(Array.from({ length: 49 }, (_, n) => [`t${n}`, "v"]))
    assert.deepStrictEqual(fieldsOf({ image: "alpine", tags, labels: { t0: "same key", one: "more" } }), [])
    assert.deepStrictEqual(fieldsOf({ image: "alpine", tags, labels: { one: "more", two: "more" } }), ["tags"])
  })

  it("tells all problems at once", () => {
    const request: RunRequest = {
      pool: "gpu",
      command: "echo 'x",
      gpu: 1,
      networkConfiguration: { subnets: ["a"] },
      configureCloudwatchLogs: true,
      runTimeoutSeconds: MAX + 1
    }
    const fields = fieldsOf(request)
    assert.sameMembers(fields.map(String), [
      "pool",
      "gpu",
      "command",
      "image",
      "executionRoleArn",
      "vpcId",
      "runTimeoutSeconds"
    ])
  })
})

describe("fields without behaviour yet", () => {
  const fields: RunRequest = {
    gpu: 1,
    capacityProviderStrategy: [{ capacityProvider: "FARGATE" }],
    placementConstraints: [{ type: "distinctInstance" }],
    placementStrategy: [{ type: "random" }],
    provisioningTimeoutSeconds: 60,
    autoDeregisterTaskDefinition: true,
    matchLatestRevisionInFamily: true,
    taskDefinitionArn: "fleet:1",
    taskDefinition: { family: "fleet" },
    taskRunRequest: { count: 1 },
    retry: { attempts: 1 }
  }

  it.each(Object.entries(fields))("%s is refused, never ignored", (field, value) => {
    const expected: Problem = {
      code: "InvalidRequest",
      field,
      message: `Field "${field}" is not supported yet.`,
      advice: `Remove "${field}".`
    }
    assert.deepStrictEqual(problemsOf({ image: "alpine", [field]: value }), [expected])
    assert.deepStrictEqual(problemsOf({ image: "alpine" }, { [field]: value }), [expected])
    assert.deepStrictEqual(problemsOf({ image: "alpine", [field]: null }, { [field]: value }), [])
  })

  it.each(["autoDeregisterTaskDefinition", "matchLatestRevisionInFamily"])("%s: false asks for nothing", (field) => {
    assert.deepStrictEqual(problemsOf({ image: "alpine", [field]: false }), [])
  })

  it.each(["EC2", "EXTERNAL", "MANAGED_INSTANCES"] as const)(
    "launchType %s is refused with what there is",
    (launchType) => {
      assert.deepStrictEqual(problemsOf({ image: "alpine", launchType }), [
        {
          code: "InvalidRequest",
          field: "launchType",
          message: `Field "launchType": "${launchType}" is not supported yet.`,
          advice: "Use one of FARGATE, FARGATE_SPOT."
        }
      ])
    }
  )

  it.each(["FARGATE", "FARGATE_SPOT"] as const)("launchType %s is there", (launchType) => {
    assert.strictEqual(jobOf({ image: "alpine", launchType }).launchType, launchType)
  })
})
