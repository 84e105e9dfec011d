import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Json } from "#ecs-core/Json.ts"
import { PoolCodec } from "#ecs-core/Pool.ts"
import { poolFor } from "#ecs-core/PoolVariables.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"

const pool: Json = {
  image: "reports:{{ tag }}",
  cpu: "{{ cpu }}",
  memory: "{{ memory }}",
  env: { LEVEL: "{{ level }}", STAGE: "{{ stage }}" },
  tags: { team: "{{ team }}" },
  networkConfiguration: "{{ network }}",
  vpcId: "vpc-1",
  taskRunRequest: { enableExecuteCommand: "{{ exec }}", tags: [{ key: "a", value: "b" }, "{{ tag_object }}"] },
  variables: {
    tag: { default: "1.4" },
    cpu: { default: 512, description: "CPU units" },
    memory: {},
    level: { default: "info" },
    stage: {},
    team: { default: "data" },
    network: {},
    exec: {},
    tag_object: { default: null }
  }
}

const resolved = (request: RunRequest, of: Json = pool) =>
  Result.flatMap(poolFor(of, request), (filled) => resolveJob(request, filled, 86_400))
const jobOf = (request: RunRequest) => Result.getOrThrow(resolved(request))
const problemsOf = (request: RunRequest, of: Json = pool) =>
  Result.match(resolved(request, of), { onSuccess: () => [], onFailure: (all) => all })

describe("a pool with variables", () => {
  it("without values of the request: defaults, with their types; what has none is gone (peers 3, 4, 5)", () => {
    const job = jobOf({})
    assert.deepInclude(job, { image: "reports:1.4", cpu: 512, memory: undefined, env: { LEVEL: "info" } })
    assert.deepInclude(job, { tags: { team: "data" }, networkConfiguration: undefined })
    assert.deepStrictEqual(job.taskRunRequest, { tags: [{ key: "a", value: "b" }] })
  })

  it("a request gives values of any type; null takes the default away (peers 3, 4)", () => {
    const job = jobOf({
      variables: {
        tag: "2",
        cpu: null,
        memory: 4096,
        network: { subnets: ["subnet-1"] },
        exec: true,
        tag_object: { key: "c", value: "d" }
      }
    })
    assert.deepInclude(job, { image: "reports:2", cpu: undefined, memory: 4096 })
    assert.deepStrictEqual(job.networkConfiguration, { subnets: ["subnet-1"] })
    assert.deepStrictEqual(job.taskRunRequest, {
      enableExecuteCommand: true,
      tags: [
        { key: "a", value: "b" },
        { key: "c", value: "d" }
      ]
    })
  })

  it("a field of the request wins over the pool's, however that was filled (peers 6)", () => {
    const request = { cpu: 2048, env: { LEVEL: "debug" }, variables: { cpu: 256, level: "warn", stage: "live" } }
    assert.deepInclude(jobOf(request), { cpu: 2048, env: { LEVEL: "debug", STAGE: "live" } })
  })

  it("a name that the pool does not declare is refused, with the one that is near", () => {
    assert.deepStrictEqual(
      problemsOf({ pool: "nightly", variables: { memroy: 1, tag: "2" } }).map(({ field, advice }) => [field, advice]),
      [["variables.memroy", 'Did you mean "variables.memory"?']]
    )
    const [none] = problemsOf({ pool: "plain", variables: { cpu: 1 } }, { image: "alpine" })
    assert.include(none?.advice, 'The pool "plain" declares no variables')
  })

  it("a value that does not fit is told of its variable, not shown, beside every other problem", () => {
    const problems = problemsOf({
      variables: { cpu: "canary-1", level: ["canary-2"], network: { subnets: [] }, exec: "canary-3", tga: "canary-4" }
    })
    assert.deepStrictEqual(problems.map(({ field }) => field).toSorted(), [
      "variables.cpu",
      "variables.level",
      "variables.network",
      "variables.tga"
    ])
    assert.notInclude(JSON.stringify(problems), "canary")
    assert.include(
      problems.find(({ field }) => field === "variables.cpu")?.message,
      'which fills "cpu" of the pool "default"'
    )
    assert.notInclude(JSON.stringify(problemsOf({ variables: { exec: "canary-3" } })), "canary")
  })

  it("what concerns all runs of the pool is never filled: no request chooses credentials or limits", () => {
    const greedy = { image: "alpine", credentials: "{{ who }}", variables: { who: { default: "team" } } }
    assert.deepStrictEqual(
      problemsOf({ variables: { who: "admin" } }, greedy).map(({ field }) => field),
      ["pool"]
    )
  })
})

describe("a pool without variables", () => {
  it("has no placeholders: its braces are what they are", () => {
    const command = ["echo", "{{ .Name }}", "{{ name }}"]
    assert.deepStrictEqual(Result.getOrThrow(resolved({}, { image: "alpine", command })).command, command)
  })
})

describe("PoolCodec", () => {
  it("reads an entry as a request without values sees it", () => {
    const read = Result.getOrThrow(PoolCodec.decode(JSON.stringify({ v: 1, source: "file", ...pool, maxRunning: 3 })))
    assert.deepInclude(read, { cpu: 512, image: "reports:1.4", maxRunning: 3 })
    assert.notProperty(read, "source")
  })
})
