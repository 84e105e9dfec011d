import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Result } from "effect"
import { POOL_FILE_BYTES_MAX, readPoolSource } from "#process/PoolSource.ts"
import { withEnvironment } from "#test/support/environment.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { S3Server, s3Env } from "#test/support/S3Server.ts"

const options = { runTimeoutSecondsMax: 86_400 }
const read = (from: string, version?: string) => readPoolSource(from, { ...options, version })
const failed = (from: string) =>
  Effect.map(Effect.result(read(from)), (result) => (Result.isFailure(result) ? result.failure : assert.fail("read")))

const template = {
  networkMode: "awsvpc",
  containerDefinitions: [{ name: "flow" }, { name: "statsd", image: "statsd:1", essential: false }]
}
const YAML = `pools:
  default:
    image: alpine
    taskDefinition:
      networkMode: awsvpc
      containerDefinitions: [{ name: flow }, { name: statsd, image: "statsd:1", essential: false }]
    taskRunRequest: { propagateTags: NONE }
  nightly: {}
`

describe("a local source of pools", () => {
  it.effect("a file in YAML or JSON holds several, definition and run arguments with them (peers 125)", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder("pools")
      const json = {
        pools: {
          default: { image: "alpine", taskDefinition: template, taskRunRequest: { propagateTags: "NONE" } },
          nightly: {}
        }
      }
      writeFileSync(join(folder, "a.yaml"), YAML)
      writeFileSync(join(folder, "a.json"), JSON.stringify(json))
      for (const file of ["a.yaml", "a.json"]) {
        assert.deepStrictEqual((yield* read(join(folder, file)))?.pools, new Map(Object.entries(json.pools)))
      }
    })
  )

  it.effect("a folder holds one in each file, and what an orchestrator keeps beside them is passed over", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder("pools")
      writeFileSync(join(folder, "default.yaml"), "image: alpine")
      writeFileSync(join(folder, "gpu.json"), '{"gpu": 1}')
      writeFileSync(join(folder, "README.md"), "not a pool")
      writeFileSync(join(folder, ".old.yaml"), "image: 5")
      mkdirSync(join(folder, "..data"))
      const pools = (yield* read(folder))?.pools
      assert.deepStrictEqual(pools, new Map(Object.entries({ default: { image: "alpine" }, gpu: { gpu: 1 } })))
      writeFileSync(join(folder, "gpu.yml"), "gpu: 2")
      assert.include((yield* failed(folder)).message, 'two files of the pool "gpu"')
    })
  )

  it.effect("what is known already is not read again; a change is", () =>
    Effect.gen(function* () {
      const file = join(yield* tempFolder("pools"), "pools.yaml")
      writeFileSync(file, YAML)
      const first = yield* read(file)
      assert.isUndefined(yield* read(file, first?.version))
      writeFileSync(file, "pools: {}")
      const second = yield* read(file, first?.version)
      assert.strictEqual(second?.pools.size, 0)
      assert.notStrictEqual(second?.version, first?.version)
    })
  )

  it.effect("unreadable or wrong: one clear error with all problems, no value of them shown (peers 125)", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder("pools")
      const file = join(folder, "pools.yaml")
      assert.include((yield* failed(file)).message, `${file} does not exist. Give the path of a file or a folder`)
      for (const text of [
        "pools: {a: {env: {B: canary}",
        "a: *canary",
        "pools: [canary",
        '{"pools": "canary',
        "a: canary\na: b"
      ]) {
        writeFileSync(file, text)
        const { message } = yield* failed(file)
        assert.include(message, "neither YAML nor JSON")
        assert.notInclude(message, "canary")
      }
      writeFileSync(file, "pools: {a: {cpu: x, imgae: y}, b: {gpu: 0}}")
      assert.deepStrictEqual(
        (yield* failed(file)).problems.map(({ field }) => field),
        ["pools.a.imgae", "pools.a.cpu", "pools.b.gpu"]
      )
      writeFileSync(file, "")
      assert.include((yield* failed(file)).message, "pools by name")
    })
  )

  it.effect("is as large as it may be, and no larger", () =>
    Effect.gen(function* () {
      const file = join(yield* tempFolder("pools"), "pools.yaml")
      writeFileSync(file, "pools: {}".padEnd(POOL_FILE_BYTES_MAX))
      assert.isDefined(yield* read(file))
      writeFileSync(file, "pools: {}".padEnd(POOL_FILE_BYTES_MAX + 1))
      assert.include((yield* failed(file)).message, "Make it smaller")
    })
  )
})

layer(S3Server.layerTest)("a source of pools in S3", (it) => {
  const use = Effect.tap(S3Server, ({ url }) => withEnvironment(s3Env(url)))

  it.effect("is read by the SDK, and by its ETag only when it has changed (peers 125)", () =>
    Effect.gen(function* () {
      const { put, answers } = yield* use
      put("config/fleet/pools.yaml", YAML)
      const first = yield* read("s3://config/fleet/pools.yaml")
      assert.deepStrictEqual(first?.pools.get("default")?.["taskDefinition"], template)
      assert.isUndefined(yield* read("s3://config/fleet/pools.yaml", first?.version))
      put("config/fleet/pools.yaml", "pools: {}")
      assert.strictEqual((yield* read("s3://config/fleet/pools.yaml", first?.version))?.pools.size, 0)
      assert.deepStrictEqual(
        answers().map((answer) => answer.slice(-3)),
        ["200", "304", "200"]
      )
    })
  )

  it.effect("unreadable: says why and what to do (peers 125)", () =>
    Effect.gen(function* () {
      const { put, refuse } = yield* use
      assert.include(
        (yield* failed("s3://config/none.yaml")).message,
        "s3://config/none.yaml does not exist. Put the file there"
      )
      refuse({ status: 404, code: "NoSuchBucket" })
      assert.include(
        (yield* failed("s3://config/pools.yaml")).message,
        "the bucket of s3://config/pools.yaml does not exist"
      )
      refuse({ status: 403, code: "AccessDenied" })
      assert.include((yield* failed("s3://config/pools.yaml")).message, "Allow s3:GetObject")
      refuse({ status: 400, code: "ExpiredToken" })
      assert.match((yield* failed("s3://config/pools.yaml")).message, /s3:\/\/config\/pools\.yaml: .*credentials/i)
      refuse(undefined)
      put("config/pools.yaml", "pools: {}".padEnd(POOL_FILE_BYTES_MAX + 1))
      assert.include((yield* failed("s3://config/pools.yaml")).message, "Make it smaller")
      assert.include((yield* failed("s3://config")).message, "Write s3://bucket/key")
    })
  )
})
