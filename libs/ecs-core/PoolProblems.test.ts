import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { MESSAGE_BYTES_MAX } from "#ecs-core/FleetTopology.ts"
import { POOLS_MAX, poolsOfFile } from "#ecs-core/PoolFile.ts"
import { poolProblems } from "#ecs-core/PoolProblems.ts"

const DAY = 86_400
const fieldsOf = (pool: unknown) => poolProblems(pool, DAY).map(({ field }) => field)

describe("poolProblems", () => {
  it.each([
    {},
    { image: "alpine", maxRunning: 10, maxSubmitPerSecond: 0.5, credentials: "team-a" },
    { launchType: null, env: { A: null } },
    { networkConfiguration: { subnets: ["subnet-1"] } },
    { configureCloudwatchLogs: true },
    {
      cpu: "{{ cpu }}",
      networkConfiguration: { subnets: "{{ subnets }}", securityGroups: ["{{ group }}"] },
      variables: { cpu: {}, subnets: { description: "of the VPC" }, group: {} }
    },
    { command: "echo '{{ .Name }} {{ x }}'" }
  ])("accepts %o", (pool) => {
    assert.deepStrictEqual(poolProblems(pool, DAY), [])
  })

  it("tells every problem at once: field, value, what is allowed, the near name; secrets are not shown", () => {
    const problems = poolProblems(
      {
        cpu: "much",
        execution_role_arn: "arn",
        maxRuning: 5,
        maxRunning: 0,
        runId: "a",
        source: "file",
        env: { TOKEN: 5, FLEET_RUN_ID: "x" },
        retry: { attemps: 1 },
        taskDefinition: { Cpu: "canary" },
        launchType: "{{ launchType }}"
      },
      DAY
    )
    const by = (field: string) => problems.find((problem) => problem.field === field)
    assert.deepStrictEqual(problems.map(({ field }) => field).toSorted(), [
      "cpu",
      "env.TOKEN",
      "execution_role_arn",
      "launchType",
      "launchType",
      "maxRuning",
      "maxRunning",
      "retry.attemps",
      "runId",
      "source",
      "taskDefinition.Cpu"
    ])
    assert.include(by("cpu")?.message, 'got "much"')
    assert.strictEqual(by("cpu")?.advice, 'Correct "cpu".')
    assert.strictEqual(by("execution_role_arn")?.advice, 'Did you mean "executionRoleArn"?')
    assert.strictEqual(by("maxRuning")?.advice, 'Did you mean "maxRunning"?')
    assert.strictEqual(by("retry.attemps")?.advice, 'Did you mean "retry.attempts"?')
    assert.notInclude(JSON.stringify(problems), "canary")
  })

  it("looks at the pool as a whole, but misses nothing that a request may give", () => {
    assert.deepStrictEqual(
      fieldsOf({
        command: "echo 'open",
        retry: { onExitCodes: [0] },
        runTimeoutSeconds: DAY + 1,
        env: { FLEET_ATTEMPT: "1" }
      }),
      ["command", "env.FLEET_ATTEMPT", "runTimeoutSeconds", "retry.onExitCodes"]
    )
  })

  it("variables: an undeclared name, a placeholder without any, a bad name, a member it has not", () => {
    assert.deepStrictEqual(
      poolProblems({ image: "{{ imgae }}", cpu: "{{ cpu }}", variables: { image: {}, cpu: {} } }, DAY).map(
        ({ field, message, advice }) => [field, message, advice]
      ),
      [["image", 'Field "image": the pool declares no variable "imgae".', 'Did you mean "image"?']]
    )
    assert.deepStrictEqual(fieldsOf({ image: "{{ image }}" }), ["image"])
    assert.deepStrictEqual(fieldsOf({ variables: { "1st": {}, b: { defualt: 1 } } }).toSorted(), [
      "variables.1st",
      "variables.b.defualt"
    ])
  })

  it("a default that does not fit is not shown: it may be a secret", () => {
    const [problem] = poolProblems({ cluster: "{{ c }}", variables: { c: { default: ["canary"] } } }, DAY)
    assert.strictEqual(problem?.field, "cluster")
    assert.notInclude(JSON.stringify(problem), "canary")
  })

  it("a pool is one message: as large as that may be, and no larger", () => {
    const pool = (size: number) => ({ env: { TEXT: "x".repeat(size) } })
    const around = JSON.stringify({ v: 1, ...pool(0), source: "file" }).length
    assert.deepStrictEqual(poolProblems(pool(MESSAGE_BYTES_MAX - around), DAY), [])
    assert.lengthOf(poolProblems(pool(MESSAGE_BYTES_MAX - around + 1), DAY), 1)
  })

  it.each([null, "alpine", 5, ["a"]])("%o is no pool", (pool) => {
    assert.include(poolProblems(pool, DAY)[0]?.message, "must be an object")
  })
})

describe("poolsOfFile", () => {
  const problemsOf = (file: unknown) =>
    Result.match(poolsOfFile(file, DAY), { onSuccess: () => [], onFailure: (all) => all })

  it("reads pools by name, as they are written", () => {
    const pools = { default: { image: "alpine" }, nightly: { cpu: "{{ cpu }}", variables: { cpu: { default: 512 } } } }
    assert.deepStrictEqual(Result.getOrThrow(poolsOfFile({ v: 1, pools }, DAY)), new Map(Object.entries(pools)))
    assert.strictEqual(Result.getOrThrow(poolsOfFile({ pools: {} }, DAY)).size, 0)
  })

  it("tells the problems of all pools, each with the pool's name", () => {
    assert.deepStrictEqual(
      problemsOf({ v: 2, pool: {}, pools: { "a.b": {}, one: { cpu: "x" }, two: { image: 5 }, three: null } }).map(
        ({ field }) => field
      ),
      ["pool", "v", "pools.a.b", "pools.one.cpu", "pools.two.image", "pools.three"]
    )
    assert.include(problemsOf({ pools: { one: { cpu: "x" } } })[0]?.message, 'Pool "one": Field "cpu"')
  })

  it.each([{ image: "alpine" }, null, [], "x", { pools: [] }])("%o is no file of pools", (file) => {
    assert.include(problemsOf(file)[0]?.message, "pools by name")
  })

  it("holds so many pools and no more", () => {
    const pools = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, {}]))
    assert.deepStrictEqual(problemsOf({ pools: pools(POOLS_MAX) }), [])
    assert.deepStrictEqual(
      problemsOf({ pools: pools(POOLS_MAX + 1) }).map(({ field }) => field),
      ["pools"]
    )
  })
})
