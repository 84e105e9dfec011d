import { assert, describe, it } from "@effect/vitest"
import { FleetId, RunId } from "#ecs-core/Ids.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import {
  clientToken,
  OVERRIDES_CHARACTERS_MAX,
  overridesProblem,
  parseStartedBy,
  runTaskInput,
  startedBy
} from "#ecs-core/RunTaskInput.ts"
import { aJob } from "#test/support/builders.ts"

const runId = RunId.make("nightly")
const fleetId = FleetId.make("0a1b2c3d")

const inputOf = (request: RunRequest) => {
  const job = aJob(request)
  const prepared = prepareTaskDefinition(job, "eu-central-1")
  return runTaskInput(job, { runId, attempt: 2, taskDefinitionArn: "f:1", ...prepared })
}

describe("overridesProblem", () => {
  const withPayload = (characters: number) => {
    const empty = JSON.stringify(inputOf({ env: { PAYLOAD: "" } }).overrides).length
    return overridesProblem(inputOf({ env: { PAYLOAD: "x".repeat(characters - empty) } }))
  }

  it("allows exactly as many characters as ECS takes, and refuses one more without showing them (scenario 78)", () => {
    assert.isUndefined(withPayload(OVERRIDES_CHARACTERS_MAX))
    const problem = withPayload(OVERRIDES_CHARACTERS_MAX + 1)
    assert.deepInclude(problem, { code: "InvalidRequest", field: "env" })
    assert.match(problem?.message ?? "", /8193 characters of JSON; ECS takes at most 8192/)
    assert.match(problem?.advice ?? "", /S3/)
    assert.notInclude(JSON.stringify(problem), "xxx")
  })

  it("names the larger part", () => {
    const others = [{ name: "main" }, { name: "sidecar", command: ["x".repeat(9000)] }]
    const free = { taskRunRequest: { overrides: { containerOverrides: others } } }
    assert.strictEqual(overridesProblem(inputOf({ command: ["x".repeat(9000)] }))?.field, "command")
    assert.strictEqual(overridesProblem(inputOf(free))?.field, "taskRunRequest.overrides")
  })
})

describe("clientToken", () => {
  const token = clientToken(fleetId, runId, 1, 1)

  it("is the same for the same launch, 64 characters at most", () => {
    assert.strictEqual(clientToken(fleetId, runId, 1, 1), token)
    assert.match(token, /^[\x21-\x7e]{1,64}$/)
  })

  it.each([
    { part: "fleet", other: clientToken(FleetId.make("ffffffff"), runId, 1, 1) },
    { part: "run", other: clientToken(fleetId, RunId.make("other"), 1, 1) },
    { part: "attempt", other: clientToken(fleetId, runId, 2, 1) },
    { part: "try", other: clientToken(fleetId, runId, 1, 2) },
    { part: "digit of the run", other: clientToken(fleetId, RunId.make("nightly1"), 1, 1) }
  ])("of another $part is another launch", ({ other }) => {
    assert.notStrictEqual(other, token)
  })

  it("tells attempt 1 try 11 from attempt 11 try 1", () => {
    assert.notStrictEqual(clientToken(fleetId, runId, 1, 11), clientToken(fleetId, runId, 11, 1))
  })
})

describe("startedBy", () => {
  it.prop("fits ECS, whatever the run is called", [FleetId, RunId], ([fleet, run]) => {
    const value = startedBy(fleet, run, Number.MAX_SAFE_INTEGER)
    assert.match(value, /^[A-Za-z0-9_/-]{1,128}$/)
    assert.deepStrictEqual(parseStartedBy(value), { fleetId: fleet, runId: run, attempt: Number.MAX_SAFE_INTEGER })
  })

  it.each([
    undefined,
    "",
    "ecs-svc/0123456789",
    "0f1ee7aa/nightly",
    "0f1ee7aa/nightly/0",
    "0f1ee7aa/a b/1",
    "0F1EE7AA/a/1",
    "0f1ee7aa/a/1/2"
  ])("%s is no fleet's", (text) => {
    assert.isUndefined(parseStartedBy(text))
  })

  it("the longest run id stays within 128 characters", () => {
    assert.isAtMost(startedBy(fleetId, RunId.make("x".repeat(64)), 100).length, 128)
  })
})
