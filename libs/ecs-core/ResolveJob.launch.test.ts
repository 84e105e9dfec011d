import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Problem } from "#ecs-core/errors.ts"
import { FleetId, RunId } from "#ecs-core/Ids.ts"
import { objectsOf } from "#ecs-core/Json.ts"
import type { Pool } from "#ecs-core/Pool.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { decodeRequest } from "#ecs-core/RequestProblems.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import { type LaunchFields, OWN_ENV_NAMES, type RunRequest } from "#ecs-core/RunRequest.ts"
import { overridesProblem, runEnvironment, runTaskInput, startedBy } from "#ecs-core/RunTaskInput.ts"

const runId = RunId.make("run-1")

const resolved = (request: RunRequest, pool?: Pool) =>
  decodeRequest({ image: "alpine", ...request }).pipe(Result.flatMap((body) => resolveJob(body, pool, 86_400)))

/** From the request to what ECS gets: the definition, and the launch of its first attempt. */
const launchOf = (request: RunRequest, pool?: Pool) => {
  const job = Result.getOrThrow(resolved(request, pool))
  const { definition, containerName } = prepareTaskDefinition(job, "eu-central-1")
  const launch = { runId, attempt: 1, taskDefinitionArn: "arn", definition, containerName }
  const runTask = runTaskInput(job, launch)
  const [own = { name: "" }] = runTask.overrides.containerOverrides
  const environment = objectsOf(own["environment"]).filter(({ name }) => !OWN_ENV_NAMES.some((each) => each === name))
  return { job, definition, runTask, own, environment }
}

const problemsOf = (request: RunRequest): ReadonlyArray<Problem> =>
  Result.match(resolved(request), { onFailure: (problems) => problems, onSuccess: () => [] })

const override = (members: object) => ({ overrides: { containerOverrides: [{ name: "main", ...members }] } })

describe("levels, up to what RunTask gets", () => {
  it("fields < the run request < the request's own: objects merge deep, lists replace, count stays, tag keys keep their case (peers 74, scenario 69)", () => {
    const pool: Pool = {
      cluster: "by key",
      group: "by key",
      platformVersion: "1.4.0",
      taskRunRequest: {
        cluster: "by run request",
        tags: [{ key: "CostCentre", value: "pool" }],
        overrides: { taskRoleArn: "pool", containerOverrides: [{ name: "main", cpu: 128, memory: 256 }] }
      }
    }
    const request: RunRequest = {
      taskRunRequest: {
        count: 1,
        group: "by request",
        tags: [{ key: "teamName", value: "own" }],
        overrides: { containerOverrides: [{ name: "main", memory: 512 }] }
      }
    }
    const { own, runTask } = launchOf(request, pool)
    assert.deepInclude(runTask, { cluster: "by run request", group: "by request", platformVersion: "1.4.0" })
    assert.deepStrictEqual(runTask["tags"], [{ key: "teamName", value: "own" }])
    assert.strictEqual(runTask.overrides["taskRoleArn"], "pool")
    assert.deepInclude(own, { cpu: 128, memory: 512 })
    assert.isUndefined(runTask["count"])
    assert.deepStrictEqual(
      problemsOf({ taskRunRequest: { count: 2 } }).map(({ field }) => field),
      ["taskRunRequest.count"]
    )
    assert.strictEqual(launchOf({ cluster: "named above" }, pool).runTask.cluster, "named above")
  })

  it("environment and tags of the run request are merged with the job's, which win (scenario 38)", () => {
    const request: RunRequest = {
      env: { A: "job", B: "job" },
      tags: { a: "job", b: "job" },
      labels: { b: "label" },
      taskRunRequest: {
        ...override({
          environment: [
            { name: "Z", value: "free" },
            { name: "A", value: "free" }
          ]
        }),
        tags: [
          { key: "z", value: "free" },
          { key: "a", value: "free" }
        ]
      }
    }
    const { environment, runTask } = launchOf(request)
    assert.deepStrictEqual(environment, [
      { name: "Z", value: "free" },
      { name: "A", value: "job" },
      { name: "B", value: "job" }
    ])
    assert.sameDeepMembers(
      [...objectsOf(runTask["tags"])],
      [
        { key: "z", value: "free" },
        { key: "a", value: "job" },
        { key: "b", value: "label" }
      ]
    )
  })

  it("variables merge from pool to request, the last wins; a dotted name is told to be written as a map (peers 6)", () => {
    const { environment } = launchOf({ env: { B: "own", C: null } }, { env: { A: "pool", B: "pool", C: "pool" } })
    assert.deepStrictEqual(environment, [
      { name: "A", value: "pool" },
      { name: "B", value: "own" }
    ])
    const dotted = Result.match(decodeRequest({ "env.B": "own" }), {
      onFailure: ([first]) => first?.advice,
      onSuccess: () => ""
    })
    assert.strictEqual(dotted, 'Write it as a map: {"env": {"B": "…"}}.')
  })

  it("the request's word counts over the pool's, wherever each says it", () => {
    const free: Pool = { taskRunRequest: override({ command: ["pool"], environment: [{ name: "A", value: "pool" }] }) }
    const named: Pool = { command: ["pool"], env: { A: "pool" } }
    for (const [request, pool] of [
      [{ command: ["own"], env: { A: "own" } }, free],
      [{ taskRunRequest: override({ command: ["own"], environment: [{ name: "A", value: "own" }] }) }, named]
    ] satisfies ReadonlyArray<[RunRequest, Pool]>) {
      const { environment, own } = launchOf(request, pool)
      assert.deepStrictEqual(own["command"], ["own"])
      assert.deepStrictEqual(environment, [{ name: "A", value: "own" }])
    }
  })

  it.each([
    {
      request: { taskRoleArn: "job" },
      pool: { taskDefinition: { taskRoleArn: "definition" }, taskRoleArn: "fleet" },
      role: "job"
    },
    { request: {}, pool: { taskDefinition: { taskRoleArn: "definition" } }, role: "definition" },
    { request: { taskDefinition: { taskRoleArn: "definition" } }, pool: { taskRoleArn: "fleet" }, role: "definition" },
    { request: {}, pool: { taskRoleArn: "fleet" }, role: "fleet" }
  ])(
    "a role comes from the job, else the definition, else the fleet: $role (scenario 85)",
    ({ request, pool, role }) => {
      const { definition, runTask } = launchOf(request, pool)
      const executionRole = (level: object) =>
        JSON.parse(JSON.stringify(level).replaceAll("taskRoleArn", "executionRoleArn")) as LaunchFields
      assert.strictEqual(runTask.overrides["taskRoleArn"] ?? definition["taskRoleArn"], role)
      assert.strictEqual(launchOf(executionRole(request), executionRole(pool)).definition["executionRoleArn"], role)
    }
  )

  it("a definition without the container gets it, sidecars stay, and RunTask arguments merge by container (peers 126)", () => {
    const sidecars = [
      { name: "proxy", image: "envoy", essential: false },
      { image: "fluent-bit", name: "log" }
    ]
    const pool: Pool = {
      taskDefinition: { containerDefinitions: sidecars },
      taskRunRequest: { cluster: "pool", overrides: { containerOverrides: [{ name: "proxy", cpu: 1, memory: 2 }] } }
    }
    const request: RunRequest = {
      taskDefinition: { containerDefinitions: [{ name: "main" }] },
      taskRunRequest: {
        cluster: "own",
        overrides: {
          containerOverrides: [
            { name: "proxy", cpu: 3 },
            { name: "log", cpu: 4 }
          ]
        }
      }
    }
    const { definition, own, runTask } = launchOf(request, pool)
    const [proxy, log, main] = definition.containerDefinitions
    assert.deepStrictEqual([proxy, log], sidecars)
    assert.deepInclude(main, { name: "main", image: "alpine" })
    assert.strictEqual(runTask.cluster, "own")
    assert.strictEqual(own.name, "main")
    assert.deepStrictEqual(runTask.overrides.containerOverrides.slice(1), [
      { name: "proxy", cpu: 3, memory: 2 },
      { name: "log", cpu: 4 }
    ])
  })
})

describe("launch type and strategy, up to what RunTask gets", () => {
  const capacityProviderStrategy = [{ capacityProvider: "mine", weight: 1, base: 1 }]

  it.each([
    { what: "alone", launchType: undefined, notices: [] },
    ...(["EC2", "FARGATE", "FARGATE_SPOT"] as const).map((launchType) => ({
      what: `together with ${launchType}`,
      launchType,
      notices: [`Found \`capacityProviderStrategy\`: \`launchType\` "${launchType}" is left out of the launch.`]
    }))
  ])(
    "a strategy $what decides; a launch type beside it is dropped with a notice (peers 61, 75, scenario 36)",
    (each) => {
      const { job, runTask } = launchOf({
        capacityProviderStrategy,
        ...(each.launchType && { launchType: each.launchType })
      })
      assert.deepStrictEqual(runTask["capacityProviderStrategy"], capacityProviderStrategy)
      assert.isUndefined(runTask.launchType)
      assert.deepStrictEqual(job.notices, each.notices)
    }
  )

  it("FARGATE_SPOT alone is a strategy of its own (peers 62)", () => {
    for (const request of [
      { launchType: "FARGATE_SPOT" },
      { taskRunRequest: { launchType: "FARGATE_SPOT" } }
    ] as const) {
      const { runTask } = launchOf(request)
      assert.deepStrictEqual(runTask["capacityProviderStrategy"], [{ capacityProvider: "FARGATE_SPOT", weight: 1 }])
      assert.isUndefined(runTask.launchType)
    }
  })
})

describe("labels, up to what RunTask gets", () => {
  it("become tags of the task, not of the definition (scenario 11)", () => {
    const { definition, runTask } = launchOf({ labels: { team: "data" } }, { labels: { owner: "ops" } })
    assert.deepStrictEqual(runTask["tags"], [
      { key: "owner", value: "ops" },
      { key: "team", value: "data" }
    ])
    assert.notInclude(JSON.stringify(definition), "team")
    assert.isUndefined(definition["tags"])
  })

  it("replace tags of their key; a null label is dropped, and the tag of its key with it (peers 69)", () => {
    const tags = [
      { key: "a", value: "free" },
      { key: "b", value: "free" },
      { key: "c", value: "free" }
    ]
    const { runTask } = launchOf({ labels: { a: "label", b: null, d: null }, taskRunRequest: { tags } })
    assert.deepStrictEqual(runTask["tags"], [
      { key: "a", value: "label" },
      { key: "c", value: "free" }
    ])
  })

  it("are slugged as Prefect does; tags keep spaces and letters of any script (peers 70, scenario 12)", () => {
    const odd = "af_sn253@!$@&$%@(bfausfg!#!*&):@cas{}[]'XY"
    const slug = "af_sn253@-@-@-bfausfg-:@cas-XY"
    const { runTask } = launchOf({
      labels: { [odd]: odd, greeting: "Hello, World" },
      tags: { "Größe 1": "Hello World" }
    })
    assert.deepStrictEqual(runTask["tags"], [
      { key: "Größe 1", value: "Hello World" },
      { key: slug, value: slug },
      { key: "greeting", value: "Hello-World" }
    ])
  })
})

describe("limits", () => {
  it("overrides, tags, startedBy and family never exceed what ECS takes (peers 21)", () => {
    const overridesOf = (length: number) => overridesProblem(launchOf({ env: { A: "x".repeat(length) } }).runTask)
    const spare = 8192 - JSON.stringify(launchOf({ env: { A: "" } }).runTask.overrides).length
    assert.isUndefined(overridesOf(spare))
    assert.include(overridesOf(spare + 1)?.message, "8193 characters")
    const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`t${n}`, "v"]))
    for (const said of [
      { tags: tags(51) },
      { labels: tags(51) },
      ...["k".repeat(129), "aws:team", "AWS:team"].flatMap((key) => [
        { tags: { [key]: "v" } },
        { labels: { [key]: "v" } }
      ]),
      ...[{ team: "v".repeat(257) }].flatMap((map) => [{ tags: map }, { labels: map }])
    ]) {
      assert.lengthOf(problemsOf(said), 1)
    }
    assert.deepStrictEqual(problemsOf({ tags: { ...tags(49), ["k".repeat(128)]: "v".repeat(256) } }), [])
    const longest = startedBy(FleetId.make("f".repeat(8)), RunId.make("r".repeat(64)), Number.MAX_SAFE_INTEGER)
    assert.isAtMost(longest.length, 128)
    assert.lengthOf(launchOf({ family: "f".repeat(1024) }).definition.family, 255)
    assert.lengthOf(launchOf({ name: "f".repeat(1024) }).definition.family, 255)
  })

  it("the names that a launch sets are those that nobody else may set", () => {
    assert.deepStrictEqual(Object.keys(runEnvironment("r", 1)), [...OWN_ENV_NAMES])
  })
})
