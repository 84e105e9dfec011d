import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Json } from "#ecs-core/Json.ts"
import { linkDefinition } from "#ecs-core/LinkedDefinition.ts"
import { LOG_NOTICES_MAX, logNotices, logPlan } from "#ecs-core/LogPlan.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { CONTAINERS_MAX } from "#ecs-core/RegistrationProblems.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import { aJob } from "#test/support/builders.ts"

const region = "eu-central-1"
const role = "arn:aws-cn:iam::123456789012:role/jobs"
const prepare = (request: RunRequest) =>
  prepareTaskDefinition(Result.getOrThrow(resolveJob(request, { image: "i" }, 86_400)), region).definition
const logsOf = (request: RunRequest) => prepare(request).containerDefinitions[0]?.["logConfiguration"]
const withOwn = (logConfiguration: Json, request: RunRequest = {}) =>
  logsOf({ ...request, taskDefinition: { containerDefinitions: [{ name: "main", logConfiguration }] } })

const own = { logDriver: "awslogs", options: { "awslogs-group": "own" } }
const ours = {
  logDriver: "awslogs",
  options: {
    "awslogs-create-group": "true",
    "awslogs-group": "fleet",
    "awslogs-region": region,
    "awslogs-stream-prefix": "fleet_default",
    mode: "blocking"
  }
}

describe("the log configuration", () => {
  it.each([
    { what: "a role is known", logs: logsOf({ executionRoleArn: role }), expected: ours },
    { what: "the definition has a role", logs: logsOf({ taskDefinition: { executionRoleArn: role } }), expected: ours },
    {
      what: "it is asked for",
      logs: logsOf({ executionRoleArn: role, configureCloudwatchLogs: true }),
      expected: ours
    },
    { what: "no role is known", logs: logsOf({}), expected: undefined },
    {
      what: "it is switched off",
      logs: logsOf({ executionRoleArn: role, configureCloudwatchLogs: false }),
      expected: undefined
    },
    { what: "the container has its own", logs: withOwn(own, { executionRoleArn: role }), expected: own },
    { what: "it has its own, and it is off", logs: withOwn(own, { configureCloudwatchLogs: false }), expected: own },
    { what: "it has its own, and no role is known", logs: withOwn(own), expected: own }
  ])("where $what", ({ logs, expected }) => {
    assert.deepStrictEqual(logs, expected)
  })

  it("asked for, replaces what was there, of the one container; the user's options win key by key (peers 29)", () => {
    const options = { "awslogs-group": "jobs", "max-buffer-size": "25m", mode: "non-blocking" }
    const definition = prepare({
      executionRoleArn: role,
      configureCloudwatchLogs: true,
      cloudwatchLogsOptions: options,
      taskDefinition: {
        containerDefinitions: [
          { name: "main", logConfiguration: own },
          { name: "sidecar", logConfiguration: own },
          { name: "quiet" }
        ]
      }
    })
    assert.deepStrictEqual(
      definition.containerDefinitions.map(({ logConfiguration }) => logConfiguration),
      [{ logDriver: "awslogs", options: { ...ours.options, ...options } }, own, undefined]
    )
  })

  it.each<{ what: string; request: RunRequest; prefix: string }>([
    { what: "pool and name", request: { name: "nightly" }, prefix: "fleet_default_nightly" },
    { what: "cloudwatchLogsPrefix", request: { cloudwatchLogsPrefix: "p" }, prefix: "p" },
    {
      what: "the option over both",
      request: { cloudwatchLogsPrefix: "p", cloudwatchLogsOptions: { "awslogs-stream-prefix": "o" } },
      prefix: "o"
    }
  ])("has the prefix of $what (peers 30)", ({ request, prefix }) => {
    assert.deepNestedInclude(prepare({ ...request, executionRoleArn: role }), {
      "containerDefinitions[0].logConfiguration.options.awslogs-stream-prefix": prefix
    })
  })
})

const plan = (container: Json | undefined, request: RunRequest = {}) =>
  logPlan(
    aJob(request),
    { containerDefinitions: container === undefined ? [] : [{ name: "main", ...container }] },
    "main",
    region
  )
const awslogs = (options: Json) => ({ logConfiguration: { logDriver: "awslogs", options } })
const complete = { "awslogs-group": "g", "awslogs-stream-prefix": "p", "awslogs-region": "us-gov-west-1" }

describe("logPlan", () => {
  it("reads where the output goes from the container; its own region counts (peers 111)", () => {
    const source = { container: "main", logGroup: "g", logStreamPrefix: "p" }
    assert.deepStrictEqual(plan(awslogs(complete)), { sources: [{ ...source, region: "us-gov-west-1" }] })
    const { "awslogs-region": _region, ...withoutRegion } = complete
    assert.deepStrictEqual(plan(awslogs(withoutRegion)), { sources: [{ ...source, region }] })
  })

  it("reads a prepared definition as well as a linked one", () => {
    const { definition, containerName } = prepareTaskDefinition(aJob({ executionRoleArn: role }), region)
    assert.deepStrictEqual(logPlan(aJob(), definition, containerName, "other").sources, [
      { container: "main", logGroup: "fleet", logStreamPrefix: "fleet_default", region }
    ])
  })

  it.each<{ what: string; found: ReturnType<typeof plan>; notice: string }>([
    { what: "no container definition", found: plan(undefined), notice: 'has no container "main"' },
    { what: "no log configuration", found: plan({}, { taskDefinitionArn: "f" }), notice: "has no log configuration" },
    {
      what: "another driver",
      found: plan({ logConfiguration: { logDriver: "splunk" } }),
      notice: "driver splunk, not awslogs"
    }
  ])("says why there is nothing to read, and the run goes on: $what (peers 106)", ({ found, notice }) => {
    assert.deepStrictEqual(found.sources, [])
    assert.include(found.notice, notice)
  })

  it.each<{ what: string; found: ReturnType<typeof plan>; notice: string }>([
    { what: "no role", found: plan({}), notice: "no executionRoleArn is set" },
    {
      what: "logs off",
      found: plan({}, { configureCloudwatchLogs: false }),
      notice: "configureCloudwatchLogs is false"
    },
    { what: "no stream", found: plan(awslogs(complete), { streamOutput: false }), notice: "streamOutput is false" },
    { what: "no prefix", found: plan(awslogs({ "awslogs-group": "g" })), notice: "no awslogs-stream-prefix" },
    { what: "no options", found: plan(awslogs({})), notice: "no awslogs-group" },
    { what: "no driver", found: plan({ logConfiguration: {} }), notice: "names no driver" }
  ])("says what is missing: $what", ({ found, notice }) => {
    assert.deepStrictEqual(found.sources, [])
    assert.include(found.notice, notice)
    assert.notProperty(found, "notices")
  })
})

const planOf = (containers: ReadonlyArray<Json>, request: RunRequest = {}) =>
  logPlan(aJob(request), { containerDefinitions: containers }, "main", region)
const splunk = { logConfiguration: { logDriver: "splunk" } }
const sidecars = [
  { name: "proxy", ...awslogs({ ...complete, "awslogs-stream-prefix": "q" }) },
  { name: "main", ...awslogs({ "awslogs-group": "own", "awslogs-stream-prefix": "p" }) },
  { name: "agent" },
  { name: "shipper", ...splunk },
  { name: "cache", ...awslogs({ "awslogs-group": "g" }) }
]

describe("logPlan of several containers", () => {
  it("reads every container that logs to awslogs, each where it logs itself, its own container first (peers 111)", () => {
    assert.deepStrictEqual(planOf(sidecars).sources, [
      { container: "main", logGroup: "own", logStreamPrefix: "p", region },
      { container: "proxy", logGroup: "g", logStreamPrefix: "q", region: "us-gov-west-1" }
    ])
  })

  it("one notice for each other container that logs elsewhere, none for one that has no log configuration (peers 106)", () => {
    const plan = planOf(sidecars)
    assert.notProperty(plan, "notice")
    assert.deepStrictEqual(plan.notices, [
      'There is no output of container "shipper" to show: it logs with the driver splunk, not awslogs.',
      'There is no output of container "cache" to show: its log configuration has no awslogs-stream-prefix.'
    ])
  })

  it("says of the orchestration container by itself that it has none, and shows the others", () => {
    const found = planOf([{ name: "main", ...splunk }, ...sidecars.filter(({ name }) => name !== "main")])
    assert.deepStrictEqual(
      found.sources.map(({ container }) => container),
      ["proxy"]
    )
    const notice = 'There is no output of container "main" to show: it logs with the driver splunk, not awslogs.'
    assert.strictEqual(found.notice, notice)
    assert.lengthOf(found.notices ?? [], 2)
    assert.deepStrictEqual(logNotices(found), [notice, ...(found.notices ?? [])])
  })

  it("shows nothing at all, and says so once, where streamOutput is false", () => {
    assert.deepStrictEqual(planOf(sidecars, { streamOutput: false }), {
      sources: [],
      notice: "There is no output to show: streamOutput is false."
    })
  })

  it("is the same of a definition that is prepared and of the same one linked", () => {
    const job = aJob({ executionRoleArn: role, taskDefinition: { containerDefinitions: sidecars } })
    const prepared = prepareTaskDefinition(job, region)
    const linked = linkDefinition(aJob({ taskDefinitionArn: "kept:7" }), prepared.definition)
    const [fromPrepared, fromLinked] = [prepared, linked].map(({ definition, containerName }) =>
      logPlan(job, definition, containerName, region)
    )
    assert.lengthOf(fromPrepared?.sources ?? [], 2)
    assert.deepStrictEqual(fromLinked, fromPrepared)
  })

  it("leaves a container without a name out", () => {
    assert.deepStrictEqual(planOf([{ ...awslogs(complete) }, { name: "main", ...splunk }]).sources, [])
  })

  it(`has at most ${CONTAINERS_MAX} sources, or ${LOG_NOTICES_MAX} notices of others`, () => {
    const names = Array.from({ length: CONTAINERS_MAX + 1 }, (_, n) => `c${n}`)
    const own = { name: "main", ...awslogs(complete) }
    const sources = planOf([...names.map((name) => ({ name, ...awslogs(complete) })), own]).sources
    assert.deepStrictEqual(
      sources.map(({ container }) => container),
      ["main", ...names.slice(0, CONTAINERS_MAX - 1)]
    )
    assert.lengthOf(planOf([...names.map((name) => ({ name, ...splunk })), own]).notices ?? [], LOG_NOTICES_MAX)
  })
})
