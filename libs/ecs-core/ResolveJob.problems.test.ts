import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Problem } from "#ecs-core/errors.ts"
import type { Job } from "#ecs-core/Job.ts"
import type { Pool } from "#ecs-core/Pool.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"

const MAX = 6 * 86_400
const role = "arn:aws:iam::123456789012:role/jobs-execution"

const jobOf = (request: RunRequest, pool?: Pool): Job => Result.getOrThrow(resolveJob(request, pool, MAX))

const problemsOf = (request: RunRequest, pool?: Pool, max = MAX): ReadonlyArray<Problem> =>
  Result.match(resolveJob(request, pool, max), { onFailure: (problems) => problems, onSuccess: () => [] })

const fieldsOf = (request: RunRequest, pool?: Pool, max = MAX) =>
  problemsOf(request, pool, max).map(({ field }) => field)

const messagesOf = (request: RunRequest, pool?: Pool) => problemsOf(request, pool).map(({ message }) => message)

describe("command", () => {
  it.each([
    { command: "echo hello", argv: ["echo", "hello"] },
    { command: "sh -c 'for i in 1 2; do echo $i; done'", argv: ["sh", "-c", "for i in 1 2; do echo $i; done"] },
    { command: 'echo "a  b" c\\ d', argv: ["echo", "a  b", "c d"] },
    { command: "echo '' \"\"", argv: ["echo", "", ""] },
    { command: "echo # no comment", argv: ["echo", "#", "no", "comment"] },
    { command: ["echo", "a  b", "'c'", ""], argv: ["echo", "a  b", "'c'", ""] }
  ])("a string splits as in a shell, a list stays: $command (peers 66)", ({ command, argv }) => {
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

describe("what to run", () => {
  it("neither image nor definition, named or free, is refused; any of them will do (peers 1)", () => {
    assert.deepStrictEqual(problemsOf({ command: ["x"] }), [
      {
        code: "InvalidRequest",
        field: "image",
        message: "No image is set in the request or its pool.",
        advice: 'Add "image", "taskDefinition" or "taskDefinitionArn" to the request or to the pool.'
      }
    ])
    assert.deepStrictEqual(fieldsOf({ taskDefinition: {}, taskRunRequest: { cluster: "c" } }), ["image"])
    assert.deepStrictEqual(fieldsOf({ image: null }, { image: "alpine" }), ["image"])
    for (const said of [
      { image: "alpine" },
      { taskDefinition: { containerDefinitions: [{ name: "main", image: "alpine" }] } },
      { taskDefinitionArn: "theirs:1" },
      { taskRunRequest: { taskDefinition: "theirs:1" } }
    ]) {
      assert.deepStrictEqual(fieldsOf(said), [])
      assert.deepStrictEqual(fieldsOf({}, said), [])
    }
  })

  it.each(["env", "secrets"] as const)("%s may not name what the fleet sets, also in the pool", (field) => {
    const said = { [field]: { FLEET_RUN_ID: "canary", FLEET_ATTEMPT: "canary", FLEET_RUN: "fine" } }
    const problems = problemsOf({ image: "alpine", ...said })
    assert.deepStrictEqual(
      problems.map((problem) => problem.field),
      [`${field}.FLEET_RUN_ID`, `${field}.FLEET_ATTEMPT`]
    )
    assert.notInclude(JSON.stringify(problems), "canary")
    assert.deepStrictEqual(problemsOf({}, { image: "alpine", ...said }), problems)
  })

  it("unsetting the fleet's own name is refused as well", () => {
    assert.deepStrictEqual(fieldsOf({ image: "alpine", env: { FLEET_RUN_ID: null } }), ["env.FLEET_RUN_ID"])
  })
})

describe("logs", () => {
  const D2 = "An `executionRoleArn` must be provided to use `configureCloudwatchLogs` or `streamOutput`."
  const D4 = "`configureCloudwatchLogs` must be enabled to use `cloudwatchLogsOptions`."

  it("on without a role is refused; a role by field, on the definition, or a linked one will do (peers 8)", () => {
    for (const asked of [{ configureCloudwatchLogs: true }, { streamOutput: true }]) {
      assert.deepStrictEqual(messagesOf({ image: "alpine", ...asked }), [D2])
      for (const known of [
        { executionRoleArn: role },
        { taskDefinition: { executionRoleArn: role } },
        { taskRunRequest: { overrides: { executionRoleArn: role } } },
        { taskDefinitionArn: "theirs:1" }
      ]) {
        assert.deepStrictEqual(messagesOf({ image: "alpine", ...asked, ...known }), [])
        assert.deepStrictEqual(messagesOf({ image: "alpine", ...asked }, known), [])
      }
    }
  })

  it.each([
    { what: "told off", said: { executionRoleArn: role, configureCloudwatchLogs: false } },
    { what: "told off by streamOutput", said: { executionRoleArn: role, streamOutput: false } },
    {
      what: "told off for a linked definition",
      said: { taskDefinitionArn: "theirs:1", configureCloudwatchLogs: false }
    },
    { what: "off for want of a role", said: {} }
  ])("options with logs $what are refused (peers 10)", ({ said }) => {
    assert.deepStrictEqual(messagesOf({ image: "alpine", ...said, cloudwatchLogsOptions: { mode: "blocking" } }), [D4])
    assert.deepStrictEqual(messagesOf({ image: "alpine", ...said, cloudwatchLogsOptions: {} }), [])
  })

  it("on, without a role and with options: one problem, that of the role", () => {
    const request = { image: "alpine", configureCloudwatchLogs: true, cloudwatchLogsOptions: { mode: "blocking" } }
    assert.deepStrictEqual(messagesOf(request), [D2])
  })
})

describe("network", () => {
  const networkConfiguration = { subnets: ["subnet-a"] }

  it("a custom network needs its VPC (peers 11, scenario 19)", () => {
    assert.deepStrictEqual(
      problemsOf({ image: "alpine", networkConfiguration }).map(({ field, message }) => ({ field, message })),
      [{ field: "vpcId", message: "You must provide a `vpcId` to enable custom `networkConfiguration`." }]
    )
    assert.deepStrictEqual(fieldsOf({ image: "alpine", networkConfiguration, vpcId: "vpc-a" }), [])
    assert.deepStrictEqual(fieldsOf({ image: "alpine", networkConfiguration }, { vpcId: "vpc-a" }), [])
    assert.deepStrictEqual(fieldsOf({ image: "alpine", vpcId: "vpc-a" }), [])
  })

  it("one in the free run request is taken as it is, but needs a subnet, from any level", () => {
    const free = (awsvpcConfiguration: object) => ({
      taskRunRequest: { networkConfiguration: { awsvpcConfiguration } }
    })
    assert.deepStrictEqual(fieldsOf({ image: "alpine", ...free(networkConfiguration) }), [])
    assert.deepStrictEqual(
      fieldsOf({ image: "alpine", ...free({ securityGroups: ["sg"] }) }, free(networkConfiguration)),
      []
    )
    for (const without of [
      { securityGroups: ["sg"] },
      { assignPublicIp: "ENABLED" },
      { subnets: [], securityGroups: ["sg"] }
    ]) {
      assert.deepStrictEqual(messagesOf({ image: "alpine", ...free(without) }), [
        "At least one subnet is required to run a task."
      ])
    }
  })
})

describe("time-outs", () => {
  it.each(["runTimeoutSeconds", "launchTimeoutSeconds"] as const)("%s must not outlive the stream", (field) => {
    assert.deepStrictEqual(fieldsOf({ image: "alpine", [field]: MAX }), [])
    const [problem] = problemsOf({ image: "alpine", [field]: MAX + 1 })
    assert.strictEqual(problem?.field, field)
    assert.include(problem?.message, `at most ${MAX}`)
  })

  it("the defaults fit a stream of any age", () => {
    assert.deepStrictEqual(fieldsOf({ image: "alpine" }, undefined, 1), [])
  })
})

describe("the whole", () => {
  it("tells all problems at once", () => {
    const request: RunRequest = {
      pool: "gpu",
      command: "echo 'x",
      env: { FLEET_RUN_ID: "x" },
      retry: { attempts: 1, onOutcomes: ["cancelled"] },
      networkConfiguration: { subnets: ["a"] },
      configureCloudwatchLogs: true,
      labels: { "aws:team": "x" },
      capacityProviderStrategy: [{ capacityProvider: "FARGATE" }, { capacityProvider: "mine", weight: 1 }],
      placementConstraints: [{ type: "memberOf" }],
      runTimeoutSeconds: MAX + 1
    }
    assert.sameMembers(fieldsOf(request).map(String), [
      "pool",
      "retry.onOutcomes",
      "image",
      "executionRoleArn",
      "vpcId",
      "command",
      "env.FLEET_RUN_ID",
      "capacityProviderStrategy",
      "placementConstraints.0.expression",
      "labels.aws:team",
      "runTimeoutSeconds"
    ])
  })

  it("a pool's free objects are checked as a request's are, and the problem says whose they are", () => {
    assert.deepStrictEqual(problemsOf({ image: "alpine", pool: "gpu" }, { taskDefinition: { Cpu: "1" } }), [
      {
        code: "InvalidRequest",
        field: "pool",
        message: 'Pool "gpu" is not valid: Unknown field "taskDefinition.Cpu".',
        advice:
          'Did you mean "taskDefinition.cpu"? The pool is in the bucket fleet-pools; then publish the request again under a new run id.'
      }
    ])
  })
})
