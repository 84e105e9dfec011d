import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { FleetId, RunId } from "#ecs-core/Ids.ts"
import { type Job, resolveJob } from "#ecs-core/Job.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import {
  clientToken,
  OVERRIDES_CHARACTERS_MAX,
  overridesProblem,
  type RunTaskInput,
  runTaskInput,
  startedBy
} from "#ecs-core/RunTaskInput.ts"
import { ready } from "#test/support/messages.ts"

const runId = RunId.make("nightly")
const fleetId = FleetId.make("0a1b2c3d")
const taskDefinitionArn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/fleet_default:7"

const jobOf = (request: RunRequest): Job =>
  Result.getOrThrow(resolveJob({ image: "alpine", ...request }, undefined, 86_400))
const inputOf = (request: RunRequest): RunTaskInput =>
  runTaskInput(jobOf(request), { runId, attempt: 2, taskDefinitionArn })

const environment = [
  { name: "FLEET_RUN_ID", value: "nightly" },
  { name: "FLEET_ATTEMPT", value: "2" }
]

const everything: RunRequest = {
  command: "echo 'a b'",
  env: { B: "2", A: "1" },
  platformVersion: "LATEST",
  group: "reports",
  propagateTags: "NONE",
  enableExecuteCommand: true,
  vpcId: "vpc-a",
  networkConfiguration: { subnets: ["subnet-b", "subnet-a"], securityGroups: ["sg-a"], assignPublicIp: "DISABLED" },
  taskRoleArn: "arn:aws:iam::123456789012:role/jobs-task",
  cluster: "batch",
  labels: { team: "Data Platform" },
  tags: { "Cost Center": "4711" }
}

describe("runTaskInput", () => {
  it("sends what is needed where nothing is asked for", () => {
    assert.deepStrictEqual(inputOf({}), {
      cluster: "default",
      taskDefinition: taskDefinitionArn,
      launchType: "FARGATE",
      overrides: { containerOverrides: [{ name: "main", environment }] }
    })
  })

  it("sends everything that is asked for", () => {
    assert.deepStrictEqual(inputOf(everything), {
      cluster: "batch",
      taskDefinition: taskDefinitionArn,
      launchType: "FARGATE",
      platformVersion: "LATEST",
      group: "reports",
      propagateTags: "NONE",
      enableExecuteCommand: true,
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: ["subnet-b", "subnet-a"],
          securityGroups: ["sg-a"],
          assignPublicIp: "DISABLED"
        }
      },
      overrides: {
        containerOverrides: [
          {
            name: "main",
            command: ["echo", "a b"],
            environment: [{ name: "B", value: "2" }, { name: "A", value: "1" }, ...environment]
          }
        ],
        taskRoleArn: "arn:aws:iam::123456789012:role/jobs-task"
      },
      tags: [
        { key: "Cost Center", value: "4711" },
        { key: "team", value: "Data-Platform" }
      ]
    })
  })

  it("travels in taskdef.ready without a loss", () => {
    const { message } = ready(0, { runTask: inputOf(everything) })
    assert.deepStrictEqual(
      Codecs.taskdefReady.decode(Codecs.taskdefReady.encode(message)),
      Result.succeed({ v: 1, ...message })
    )
  })

  it("statement 62: FARGATE_SPOT is a capacity provider, not a launch type", () => {
    const input = inputOf({ launchType: "FARGATE_SPOT" })
    assert.notProperty(input, "launchType")
    assert.deepStrictEqual(input.capacityProviderStrategy, [{ capacityProvider: "FARGATE_SPOT", weight: 1 }])
  })

  it("statement 63: nothing said is FARGATE", () => {
    assert.strictEqual(inputOf({ launchType: null }).launchType, "FARGATE")
  })

  it("statement 66: a list stays as it is", () => {
    const command = ["sh", "-c", "echo 'x'"]
    assert.deepStrictEqual(inputOf({ command }).overrides.containerOverrides[0]?.command, command)
  })

  it("statement 67: the command goes to the run's own container", () => {
    const [override, ...others] = inputOf({ command: "x", containerName: "app" }).overrides.containerOverrides
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual({ name: override?.name, command: override?.command }, { name: "app", command: ["x"] })
  })

  it("statement 68: nulls vanish, and the run's own two variables go last and cannot be overridden", () => {
    const env = { A: "1", GONE: null, FLEET_RUN_ID: "other", FLEET_ATTEMPT: "9" }
    const sent = inputOf({ env }).overrides.containerOverrides[0]?.environment ?? []
    assert.deepStrictEqual(Object.fromEntries(sent.map(({ name, value }) => [name, value])), {
      A: "1",
      FLEET_RUN_ID: "nightly",
      FLEET_ATTEMPT: "2"
    })
    assert.strictEqual(sent.length, 3)
  })

  it.each<{ what: string; request: RunRequest; tags: RunTaskInput["tags"] }>([
    { what: "none", request: {}, tags: undefined },
    { what: "tags as written", request: { tags: { "Größe 1": "a b" } }, tags: [{ key: "Größe 1", value: "a b" }] },
    {
      what: "labels slugged",
      request: { labels: { "my key": "Hello, World" } },
      tags: [{ key: "my-key", value: "Hello-World" }]
    },
    {
      what: "a label over the tag of its key",
      request: { tags: { team: "a" }, labels: { team: "b" } },
      tags: [{ key: "team", value: "b" }]
    },
    {
      what: "no tag where its label is null",
      request: { tags: { team: "a" }, labels: { team: null } },
      tags: undefined
    }
  ])("statements 69, 70: $what", ({ request, tags }) => {
    assert.deepStrictEqual(inputOf(request).tags, tags)
  })

  it("statements 71, 72: overrides neither sizes nor a container without content", () => {
    const { containerOverrides, ...rest } = inputOf({ cpu: 2048, memory: 4096 }).overrides
    assert.deepStrictEqual(rest, {})
    assert.deepStrictEqual(containerOverrides, [{ name: "main", environment }])
  })
})

describe("overridesProblem", () => {
  const withPayload = (characters: number) => {
    const empty = JSON.stringify(inputOf({ env: { PAYLOAD: "" } }).overrides).length
    return overridesProblem(inputOf({ env: { PAYLOAD: "x".repeat(characters - empty) } }))
  }

  it("21: allows exactly as many characters as ECS takes, and refuses one more without showing them", () => {
    assert.isUndefined(withPayload(OVERRIDES_CHARACTERS_MAX))
    const problem = withPayload(OVERRIDES_CHARACTERS_MAX + 1)
    assert.deepInclude(problem, { code: "InvalidRequest", field: "env" })
    assert.match(problem?.message ?? "", /8193 characters of JSON; ECS takes at most 8192/)
    assert.notInclude(JSON.stringify(problem), "xxx")
  })

  it("names the larger part", () => {
    assert.strictEqual(overridesProblem(inputOf({ command: ["x".repeat(9000)] }))?.field, "command")
  })
})

describe("clientToken", () => {
  const token = clientToken(fleetId, runId, 1, 1)

  it("statement 86: the same launch gives the same token, 64 characters at most", () => {
    assert.strictEqual(clientToken(fleetId, runId, 1, 1), token)
    assert.match(token, /^[\x21-\x7e]{1,64}$/)
  })

  it.each([
    { part: "fleet", other: clientToken(FleetId.make("ffffffff"), runId, 1, 1) },
    { part: "run", other: clientToken(fleetId, RunId.make("other"), 1, 1) },
    { part: "attempt", other: clientToken(fleetId, runId, 2, 1) },
    { part: "try", other: clientToken(fleetId, runId, 1, 2) },
    { part: "digit of the run", other: clientToken(fleetId, RunId.make("nightly1"), 1, 1) }
  ])("statement 86: another $part is another launch", ({ other }) => {
    assert.notStrictEqual(other, token)
  })

  it("tells attempt 1 try 11 from attempt 11 try 1", () => {
    assert.notStrictEqual(clientToken(fleetId, runId, 1, 11), clientToken(fleetId, runId, 11, 1))
  })
})

describe("startedBy", () => {
  it.prop("statement 21: fits ECS, whatever the run is called", [FleetId, RunId], ([fleet, run]) => {
    const value = startedBy(fleet, run, Number.MAX_SAFE_INTEGER)
    assert.match(value, /^[A-Za-z0-9_/-]{1,128}$/)
    assert.deepStrictEqual(value.split("/"), [fleet, run, String(Number.MAX_SAFE_INTEGER)])
  })

  it("the longest run id stays within 128 characters", () => {
    assert.isAtMost(startedBy(fleetId, RunId.make("x".repeat(64)), 100).length, 128)
  })
})
