import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { TaskdefReady } from "#ecs-core/Messages.ts"
import { OVERRIDES_CHARACTERS_MAX } from "#ecs-core/RunTaskInput.ts"
import { aJob } from "#test/support/builders.ts"
import { at, runId, taskDefinitionArn } from "#test/support/messages.ts"
import { orderAfter, orderOf, preparedFor, problemsBeforeAws } from "./order.ts"

describe("orderAfter", () => {
  it("is what the request would make of the next attempt, its time to launch counted from the pause", () => {
    const job = aJob({ env: { A: "1" }, launchTimeoutSeconds: 60 })
    const order = (attempt: number, seconds: number, notBefore?: number) =>
      orderOf(
        job,
        {
          runId,
          attempt,
          taskDefinitionArn,
          at: at(seconds),
          source: "reused",
          notBefore: notBefore === undefined ? undefined : at(notBefore)
        },
        preparedFor(job, { region: "eu-central-1" })
      )
    const second = orderAfter(order(1, 0), { attempt: 2, at: at(100), notBefore: at(130) })
    assert.deepStrictEqual(second, order(2, 100, 130))
    assert.deepStrictEqual(orderAfter(second, { attempt: 3, at: at(200) }), order(3, 200))
  })
})

describe("orderOf", () => {
  const attempt = { runId, attempt: 2, taskDefinitionArn, at: at(0), source: "reused" } as const
  const order = (request: Parameters<typeof aJob>[0] = {}) => {
    const job = aJob(request)
    return orderOf(job, attempt, preparedFor(job, { region: "eu-central-1" }))
  }
  const role = { executionRoleArn: "arn:aws:iam::123456789012:role/execution" }

  it("holds all that the launcher needs, deadlines counted from the attempt", () => {
    const made = order({ launchTimeoutSeconds: 60, taskStartTimeoutSeconds: 90, runTimeoutSeconds: 120 })
    assert.isTrue(Schema.is(TaskdefReady)(made))
    assert.deepInclude(made, {
      runId,
      attempt: 2,
      at: at(0),
      target: { region: "eu-central-1" },
      definition: "reused",
      containerName: "main",
      launchDeadline: at(60),
      taskStartTimeoutSeconds: 90,
      runTimeoutSeconds: 120,
      pollIntervalSeconds: 5
    })
    assert.deepStrictEqual(made.runTask.overrides.containerOverrides[0]?.["environment"], [
      { name: "FLEET_RUN_ID", value: runId },
      { name: "FLEET_ATTEMPT", value: "2" }
    ])
  })

  it("made again after a crash, it is the same order", () => {
    assert.deepStrictEqual(order({ command: "echo hello" }), order({ command: "echo hello" }))
  })

  it("of a next attempt has its time, its deadline counts from it, and the policy is the run's", () => {
    const job = aJob({ launchTimeoutSeconds: 60, retry: { attempts: 9 } })
    const next = { ...attempt, notBefore: at(30), retry: { ...job.retry, attempts: 1 } }
    const made = orderOf(job, next, preparedFor(job, { region: "eu-central-1" }))
    assert.deepInclude(made, { notBefore: at(30), launchDeadline: at(90), retry: { ...job.retry, attempts: 1 } })
    const late = orderOf(job, { ...next, at: at(40) }, preparedFor(job, { region: "eu-central-1" }))
    assert.deepInclude(late, { notBefore: at(30), launchDeadline: at(100) })
    assert.deepStrictEqual(order({ retry: { attempts: 9 } }).retry, job.retry)
    assert.notProperty(order(), "notBefore")
  })

  const own = [{ capacityProvider: "mine", weight: 1 }]
  const spot = [{ capacityProvider: "FARGATE_SPOT", weight: 1 }]
  it.each([
    { what: "own providers", request: { capacityProviderStrategy: own }, cluster: {}, seconds: 1800 },
    {
      what: "own providers, with a time of its own",
      request: { capacityProviderStrategy: own, provisioningTimeoutSeconds: 60 },
      cluster: {},
      seconds: 60
    },
    {
      what: "a cluster whose default names own providers",
      request: { launchType: null },
      cluster: { clusterHasDefaultStrategy: true, clusterHasOwnProviders: true },
      seconds: 1800
    },
    {
      what: "a cluster whose default is Fargate's",
      request: { launchType: null, provisioningTimeoutSeconds: 60 },
      cluster: { clusterHasDefaultStrategy: true, clusterHasOwnProviders: false },
      seconds: undefined
    },
    { what: "Fargate Spot", request: { capacityProviderStrategy: spot }, cluster: {}, seconds: undefined },
    { what: "Fargate", request: { provisioningTimeoutSeconds: 60 }, cluster: {}, seconds: undefined }
  ])("time to be PROVISIONING on $what: $seconds", ({ cluster, request, seconds }) => {
    const job = aJob(request)
    const made = orderOf(job, attempt, { ...preparedFor(job, { region: "eu-central-1" }), ...cluster })
    assert.strictEqual(made.provisioningTimeoutSeconds, seconds)
    assert.strictEqual("provisioningTimeoutSeconds" in made, seconds !== undefined)
  })

  const networkConfiguration = { subnets: ["subnet-1"] }
  it.each([
    { what: "no network: the default VPC", request: {}, inferNetwork: {} },
    { what: "a VPC only: that VPC", request: { vpcId: "vpc-1" }, inferNetwork: { vpcId: "vpc-1" } },
    { what: "subnets: nothing", request: { vpcId: "vpc-1", networkConfiguration }, inferNetwork: undefined }
  ])("infers from $what", ({ inferNetwork, request }) => {
    const made = order(request)
    assert.deepStrictEqual(made.inferNetwork, inferNetwork)
    assert.strictEqual("networkConfiguration" in made.runTask, inferNetwork === undefined)
    assert.deepStrictEqual(made.verifyNetwork, inferNetwork === undefined ? { vpcId: "vpc-1" } : undefined)
  })

  const source = { container: "main", logGroup: "fleet", logStreamPrefix: "fleet_default", region: "eu-central-1" }
  const options = { "awslogs-group": "mine", "awslogs-region": "eu-west-1" }
  it.each([
    { what: "with a role", request: role, logs: { sources: [source] } },
    {
      what: "with options of its own",
      request: { ...role, cloudwatchLogsOptions: options, cloudwatchLogsPrefix: "p" },
      logs: { sources: [{ container: "main", logGroup: "mine", logStreamPrefix: "p", region: "eu-west-1" }] }
    },
    {
      what: "with streamOutput false",
      request: { ...role, streamOutput: false },
      logs: { sources: [], notice: "There is no output to show: streamOutput is false." }
    },
    {
      what: "with logs turned off",
      request: { ...role, configureCloudwatchLogs: false },
      logs: { sources: [], notice: 'There is no output of container "main" to show: configureCloudwatchLogs is false.' }
    }
  ])("log sources $what", ({ logs, request }) => {
    assert.deepStrictEqual(order(request).logs, logs)
  })

  it("without an execution role it says why there is no output", () => {
    assert.include(order().logs.notice ?? "", "no executionRoleArn is set")
  })
})

describe("problemsBeforeAws", () => {
  const fieldsOf = (request: Parameters<typeof aJob>[0]) =>
    problemsBeforeAws(aJob(request), runId, { region: "us-east-1" }).map(({ field }) => field)

  it("a sound job has none", () => {
    assert.deepStrictEqual(fieldsOf({ command: "true" }), [])
  })

  it("those of the definition and of the launch come at once", () => {
    const env = { PAYLOAD: "x".repeat(OVERRIDES_CHARACTERS_MAX) }
    const fields = fieldsOf({ cpu: 1024, memory: 512, containerName: "job", taskDefinition: twoContainers, env })
    assert.include(fields, "containerName")
    assert.include(fields, "env")
    assert.isAtLeast(fields.length, 3)
  })

  it("of a linked definition nothing is known yet", () => {
    assert.deepStrictEqual(fieldsOf({ taskDefinitionArn: "reports:3", cpu: 1024, memory: 512 }), [])
  })
})

const twoContainers = {
  containerDefinitions: [
    { name: "a", image: "a" },
    { name: "b", image: "b" }
  ]
}
