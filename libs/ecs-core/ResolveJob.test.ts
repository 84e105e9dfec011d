import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Problem } from "#ecs-core/errors.ts"
import { type Job, type JobLogs, resolveJob } from "#ecs-core/Job.ts"
import type { Pool } from "#ecs-core/Pool.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"

const MAX = 6 * 86_400
const role = "arn:aws:iam::123456789012:role/jobs-execution"

const jobOf = (request: RunRequest, pool?: Pool): Job => Result.getOrThrow(resolveJob(request, pool, MAX))

const problemsOf = (request: RunRequest, pool?: Pool, max = MAX): ReadonlyArray<Problem> =>
  Result.match(resolveJob(request, pool, max), { onFailure: (problems) => problems, onSuccess: () => [] })

describe("resolveJob: levels", () => {
  it("applies the built-in defaults", () => {
    assert.deepStrictEqual(jobOf({ image: "alpine" }), {
      pool: "default",
      name: undefined,
      image: "alpine",
      command: undefined,
      env: {},
      secrets: {},
      cpu: 1024,
      memory: 2048,
      ephemeralStorageGiB: undefined,
      runtimePlatform: undefined,
      family: "fleet_default",
      containerName: "main",
      taskRoleArn: undefined,
      executionRoleArn: undefined,
      launchType: "FARGATE",
      platformVersion: undefined,
      group: undefined,
      propagateTags: undefined,
      enableExecuteCommand: undefined,
      cluster: "default",
      region: undefined,
      vpcId: undefined,
      networkConfiguration: undefined,
      logs: {
        on: false,
        why: "no executionRoleArn is set, and ECS needs one to write logs: set it in the pool or the request"
      },
      taskStartTimeoutSeconds: 300,
      launchTimeoutSeconds: 86_400,
      runTimeoutSeconds: MAX,
      pollIntervalSeconds: 5,
      labels: {},
      tags: {}
    })
  })

  it.each([
    { what: "built-in", request: {}, pool: {}, cpu: 1024 },
    { what: "the pool over built-in", request: {}, pool: { cpu: 2048 }, cpu: 2048 },
    { what: "the request over the pool", request: { cpu: 4096 }, pool: { cpu: 2048 }, cpu: 4096 },
    {
      what: "built-in again where the request removes the pool's",
      request: { cpu: null },
      pool: { cpu: 2048 },
      cpu: 1024
    },
    { what: "the request over a pool that removes", request: { cpu: 512 }, pool: { cpu: null }, cpu: 512 }
  ])("statement 6: takes $what", ({ request, pool, cpu }) => {
    assert.strictEqual(jobOf({ image: "alpine", ...request }, pool).cpu, cpu)
  })

  it("statement 6: merges env, secrets, labels and tags name by name, the request's last", () => {
    const pool: Pool = {
      image: "alpine",
      env: { A: "pool", B: "pool", C: "pool" },
      secrets: { S: "arn:pool", T: "arn:pool" },
      labels: { team: "pool", owner: "pool" },
      tags: { x: "pool", y: "pool" }
    }
    const job = jobOf(
      { env: { B: "own", C: null }, secrets: { T: "arn:own" }, labels: { owner: null }, tags: { y: "own" } },
      pool
    )
    assert.deepStrictEqual(job.env, { A: "pool", B: "own" })
    assert.deepStrictEqual(job.secrets, { S: "arn:pool", T: "arn:own" })
    assert.deepStrictEqual(job.labels, { team: "pool", owner: null })
    assert.deepStrictEqual(job.tags, { x: "pool", y: "own" })
  })

  it.each(["env", "secrets", "labels", "tags"] as const)("null removes the pool's %s altogether", (field) => {
    assert.deepStrictEqual(jobOf({ image: "alpine", [field]: null }, { [field]: { A: "pool" } })[field], {})
  })

  it("statement 36: a secret wins over a plain variable of the same name", () => {
    const job = jobOf({ image: "alpine", env: { DB: "plain", A: "1" } }, { secrets: { DB: "arn:secret" } })
    assert.deepStrictEqual(job.env, { A: "1" })
    assert.deepStrictEqual(job.secrets, { DB: "arn:secret" })
  })

  it("changes neither request nor pool", () => {
    const request = Object.freeze({ image: "alpine", env: Object.freeze({ A: "1" }) })
    const pool = Object.freeze({ env: Object.freeze({ A: "0", B: "2" }) })
    assert.deepStrictEqual(jobOf(request, pool).env, { A: "1", B: "2" })
  })

  it.each([
    { name: undefined, family: undefined, expected: "fleet_default" },
    { name: "nightly report", family: undefined, expected: "fleet_default_nightly-report" },
    { name: "nightly", family: "my family!", expected: "my-family" }
  ])("statement 34: family of name $name, family $family: $expected", ({ name, family, expected }) => {
    const job = jobOf({ image: "alpine", ...(name && { name }), ...(family && { family }) })
    assert.strictEqual(job.family, expected)
  })
})

describe("resolveJob: pool", () => {
  it("refuses a pool that does not exist", () => {
    const [problem] = problemsOf({ image: "alpine", pool: "gpu" })
    assert.strictEqual(problem?.field, "pool")
    assert.strictEqual(problem?.message, 'Pool "gpu" does not exist.')
  })

  it.each([{}, { pool: null }, { pool: "default" }])("needs no record of the default pool: %j", (named) => {
    assert.strictEqual(jobOf({ image: "alpine", ...named }).pool, "default")
  })
})

describe("resolveJob: logs", () => {
  const on = (prefix: string, options = {}, stream = true): JobLogs => ({ on: true, prefix, options, stream })
  const withRole = { image: "alpine", executionRoleArn: role }

  it.each([
    { what: "on where a role is known", request: withRole, logs: on("fleet_default") },
    { what: "on where told", request: { ...withRole, configureCloudwatchLogs: true }, logs: on("fleet_default") },
    { what: "named after the job", request: { ...withRole, name: "a b" }, logs: on("fleet_default_a-b") },
    { what: "not named after the family", request: { ...withRole, family: "f" }, logs: on("fleet_default") },
    { what: "under the given prefix", request: { ...withRole, cloudwatchLogsPrefix: "p" }, logs: on("p") },
    {
      what: "written but not shown",
      request: { ...withRole, streamOutput: false },
      logs: on("fleet_default", {}, false)
    },
    {
      what: "with the given options",
      request: { ...withRole, cloudwatchLogsOptions: { mode: "non-blocking" } },
      logs: on("fleet_default", { mode: "non-blocking" })
    }
  ])("statements 7, 30: $what", ({ request, logs }) => {
    assert.deepStrictEqual(jobOf(request).logs, logs)
  })

  it("statement 8: the pool's role will do", () => {
    assert.isTrue(jobOf({ image: "alpine", configureCloudwatchLogs: true }, { executionRoleArn: role }).logs.on)
  })

  it("off where told, with the reason", () => {
    assert.deepStrictEqual(jobOf({ ...withRole, configureCloudwatchLogs: false }).logs, {
      on: false,
      why: "configureCloudwatchLogs is false"
    })
  })

  it("statement 8: on without a role is refused", () => {
    assert.deepStrictEqual(
      problemsOf({ image: "alpine", configureCloudwatchLogs: true }).map(({ field, message }) => ({ field, message })),
      [
        {
          field: "executionRoleArn",
          message: "An `executionRoleArn` must be provided to use `configureCloudwatchLogs`."
        }
      ]
    )
  })

  it.each([
    { what: "told off", request: { ...withRole, configureCloudwatchLogs: false } },
    { what: "off for want of a role", request: { image: "alpine" } }
  ])("statement 10: options with logs $what are refused", ({ request }) => {
    const [problem, ...others] = problemsOf({ ...request, cloudwatchLogsOptions: { mode: "blocking" } })
    assert.deepStrictEqual(others, [])
    assert.strictEqual(problem?.field, "cloudwatchLogsOptions")
    assert.strictEqual(problem?.message, "`configureCloudwatchLogs` must be enabled to use `cloudwatchLogsOptions`.")
  })
})
