import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Problem } from "#ecs-core/errors.ts"
import type { Job, JobLogs } from "#ecs-core/Job.ts"
import type { Pool } from "#ecs-core/Pool.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"

const MAX = 6 * 86_400
const role = "arn:aws:iam::123456789012:role/jobs-execution"

const jobOf = (request: RunRequest, pool?: Pool): Job => Result.getOrThrow(resolveJob(request, pool, MAX))

const problemsOf = (request: RunRequest, pool?: Pool, max = MAX): ReadonlyArray<Problem> =>
  Result.match(resolveJob(request, pool, max), { onFailure: (problems) => problems, onSuccess: () => [] })

describe("resolveJob: levels", () => {
  it("applies the built-in defaults", () => {
    const job = jobOf({ image: "alpine" })
    const said = Object.entries(job).filter(([, value]) => value !== undefined)
    assert.deepStrictEqual(Object.fromEntries(said), {
      pool: "default",
      defaultName: "fleet_default",
      image: "alpine",
      env: {},
      unsetEnv: [],
      secrets: {},
      taskDefinition: {},
      taskRunRequest: {},
      autoDeregisterTaskDefinition: false,
      matchLatestRevisionInFamily: false,
      launchType: "FARGATE",
      capacityProviderStrategy: [],
      placementConstraints: [],
      placementStrategy: [],
      logs: { configure: undefined, prefix: undefined, options: {}, stream: true },
      taskStartTimeoutSeconds: 300,
      launchTimeoutSeconds: 86_400,
      runTimeoutSeconds: MAX,
      provisioningTimeoutSeconds: 1800,
      pollIntervalSeconds: 5,
      retry: { attempts: 0, platformAttempts: 5, backoffSeconds: 10, maxBackoffSeconds: 300, rerunUnknown: false },
      labels: {},
      tags: {},
      notices: []
    })
  })

  it.each([
    { what: "nothing, so that the definition or the default decides,", request: {}, pool: {}, cpu: undefined },
    { what: "the pool over built-in", request: {}, pool: { cpu: 2048 }, cpu: 2048 },
    { what: "the request over the pool", request: { cpu: 4096 }, pool: { cpu: 2048 }, cpu: 4096 },
    {
      what: "nothing where the request removes the pool's",
      request: { cpu: null },
      pool: { cpu: 2048 },
      cpu: undefined
    },
    { what: "the request over a pool that removes", request: { cpu: 512 }, pool: { cpu: null }, cpu: 512 }
  ])("takes $what", ({ request, pool, cpu }) => {
    assert.strictEqual(jobOf({ image: "alpine", ...request }, pool).cpu, cpu)
  })

  it("merges env, secrets, labels and tags name by name, the request's last", () => {
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
    assert.deepStrictEqual(job.unsetEnv, ["C"])
    assert.deepStrictEqual(job.secrets, { S: "arn:pool", T: "arn:own" })
    assert.deepStrictEqual(job.labels, { team: "pool", owner: null })
    assert.deepStrictEqual(job.tags, { x: "pool", y: "own" })
  })

  it.each(["env", "secrets", "labels", "tags"] as const)("null removes the pool's %s altogether", (field) => {
    assert.deepStrictEqual(jobOf({ image: "alpine", [field]: null }, { [field]: { A: "pool" } })[field], {})
  })

  it("a secret wins over a plain variable of the same name", () => {
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
    { name: undefined, defaultName: "fleet_default" },
    { name: "nightly report", defaultName: "fleet_default_nightly-report" },
    { name: "n".repeat(300), defaultName: `fleet_default_${"n".repeat(241)}` }
  ])("is named after pool and job, slugged: $defaultName", ({ name, defaultName }) => {
    assert.strictEqual(jobOf({ image: "alpine", ...(name && { name }) }).defaultName, defaultName)
  })

  it("a family is slugged, at most 255 characters of it; none is left open for the definition", () => {
    assert.strictEqual(jobOf({ image: "alpine", family: "my family!" }).family, "my-family")
    assert.strictEqual(jobOf({ image: "alpine", family: "f".repeat(1024) }).family, "f".repeat(255))
    assert.strictEqual(jobOf({ image: "alpine" }).family, undefined)
  })
})

describe("resolveJob: definition", () => {
  it.each([
    { what: "named", request: { taskDefinitionArn: "theirs:3" } },
    { what: "in the free run request", request: { taskRunRequest: { taskDefinition: "theirs:3" } } },
    { what: "both: the free one", request: { taskDefinitionArn: "a", taskRunRequest: { taskDefinition: "theirs:3" } } }
  ])("is linked where $what", ({ request }) => {
    const job = jobOf(request)
    assert.strictEqual(job.linkedDefinition, "theirs:3")
    assert.deepStrictEqual(job.taskRunRequest, {})
  })

  it("a linked one wins over free members, of any level; null takes the link back", () => {
    const pool: Pool = { taskDefinitionArn: "theirs:3" }
    assert.strictEqual(jobOf({ taskDefinition: { family: "ours" } }, pool).linkedDefinition, "theirs:3")
    assert.strictEqual(jobOf({ image: "alpine", taskDefinitionArn: null }, pool).linkedDefinition, undefined)
  })

  it("count 1 is what a launch is anyway", () => {
    assert.deepStrictEqual(jobOf({ image: "alpine", taskRunRequest: { count: 1, referenceId: "r" } }).taskRunRequest, {
      referenceId: "r"
    })
  })
})

describe("resolveJob: where it runs", () => {
  const strategy = [{ capacityProvider: "spot", weight: 1 }]

  it.each(["FARGATE", "FARGATE_SPOT", "EC2", "EXTERNAL", "MANAGED_INSTANCES"] as const)(
    "%s stays what it is",
    (launchType) => {
      const { launchType: kept, notices } = jobOf({ image: "alpine", launchType })
      assert.strictEqual(kept, launchType)
      assert.deepStrictEqual(notices, [])
    }
  )

  it("null leaves the launch type open", () => {
    assert.strictEqual(jobOf({ image: "alpine", launchType: null }).launchType, undefined)
  })

  it.each([
    { what: "named", request: { launchType: "EC2", capacityProviderStrategy: strategy } },
    { what: "free", request: { taskRunRequest: { launchType: "EC2", capacityProviderStrategy: strategy } } },
    {
      what: "one named, one free",
      request: { launchType: "EC2", taskRunRequest: { capacityProviderStrategy: strategy } }
    }
  ] satisfies ReadonlyArray<{ what: string; request: RunRequest }>)(
    "a strategy beats a launch type of the same level, with a notice: $what",
    ({ request }) => {
      const job = jobOf({ image: "alpine", ...request })
      assert.deepStrictEqual(job.capacityProviderStrategy, strategy)
      assert.deepStrictEqual(job.taskRunRequest, {})
      assert.deepStrictEqual(job.notices, [
        'Found `capacityProviderStrategy`: `launchType` "EC2" is left out of the launch.'
      ])
    }
  )

  it.each([
    { what: "the built-in launch type", request: { capacityProviderStrategy: strategy }, pool: {} },
    { what: "the pool's", request: { capacityProviderStrategy: strategy }, pool: { launchType: "EC2" } },
    {
      what: "the pool's free one",
      request: { capacityProviderStrategy: strategy },
      pool: { taskRunRequest: { launchType: "EC2" } }
    }
  ] satisfies ReadonlyArray<{ what: string; request: RunRequest; pool: Pool }>)(
    "a strategy replaces $what in silence",
    ({ request, pool }) => {
      const job = jobOf({ image: "alpine", ...request }, pool)
      assert.strictEqual(job.launchType, undefined)
      assert.deepStrictEqual(job.notices, [])
    }
  )

  it("a launch type replaces the pool's strategy in silence", () => {
    const job = jobOf({ image: "alpine", launchType: "EC2" }, { capacityProviderStrategy: strategy })
    assert.deepStrictEqual(job.capacityProviderStrategy, [])
    assert.deepStrictEqual(job.notices, [])
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
  const logs = (request: RunRequest): JobLogs => jobOf({ image: "alpine", executionRoleArn: role, ...request }).logs

  it.each([
    { said: {}, configure: undefined, stream: true },
    { said: { streamOutput: true }, configure: true, stream: true },
    { said: { streamOutput: false }, configure: false, stream: false },
    { said: { configureCloudwatchLogs: true, streamOutput: false }, configure: true, stream: false },
    { said: { configureCloudwatchLogs: false, streamOutput: true }, configure: false, stream: true },
    { said: { configureCloudwatchLogs: null, streamOutput: true }, configure: true, stream: true },
    { said: { configureCloudwatchLogs: true }, configure: true, stream: true }
  ])(
    "configureCloudwatchLogs unset or null takes the value of streamOutput: $said (peers 7)",
    ({ said, configure, stream }) => {
      assert.deepStrictEqual(logs(said), { configure, stream, prefix: undefined, options: {} })
    }
  )

  it("prefix and options are as given", () => {
    const { prefix, options } = logs({ cloudwatchLogsPrefix: "p", cloudwatchLogsOptions: { mode: "non-blocking" } })
    assert.deepStrictEqual({ prefix, options }, { prefix: "p", options: { mode: "non-blocking" } })
  })
})

describe("resolveJob: retry", () => {
  const defaults = jobOf({ image: "alpine" }).retry
  const retryOf = (retry: NonNullable<RunRequest["retry"]> | null, pool?: Pool) =>
    jobOf({ image: "alpine", retry }, pool).retry

  it.each([
    { what: "what is said", retry: { attempts: 2, onExitCodes: [75] }, expected: { attempts: 2, onExitCodes: [75] } },
    {
      what: "the default for a null",
      retry: { attempts: null, platformAttempts: null, onOutcomes: null },
      expected: {}
    },
    {
      what: "a longer maximum for a longer pause",
      retry: { backoffSeconds: 600 },
      expected: { backoffSeconds: 600, maxBackoffSeconds: 600 }
    },
    { what: "no attempt of the platform's either", retry: { platformAttempts: 0 }, expected: { platformAttempts: 0 } }
  ])("takes $what", ({ expected, retry }) => {
    assert.deepStrictEqual(retryOf(retry), { ...defaults, ...expected })
  })

  it("merges pool and request member by member", () => {
    const pool: Pool = { retry: { attempts: 1, backoffSeconds: 60, onExitCodes: [75] } }
    const expected = { ...defaults, attempts: 3, backoffSeconds: 60 }
    assert.deepStrictEqual(retryOf({ attempts: 3, onExitCodes: null }, pool), expected)
    assert.deepStrictEqual(retryOf(null, pool), defaults)
  })

  it("says so where exit codes have no effect", () => {
    const notices = (attempts: number) => jobOf({ image: "alpine", retry: { attempts, onExitCodes: [75] } }).notices
    assert.lengthOf(notices(0), 1)
    assert.deepStrictEqual(notices(1), [])
  })
})
