import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { fleet, projectRoot, variables, watch } from "#test/support/fleetCommand.ts"
import { LocalAws, layerTest as localAws } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { finished, output, request } from "#test/support/runs.ts"

const executionRoleArn = "arn:aws:iam::000000000000:role/execution"
const folder = await mkdtemp(join(tmpdir(), "ecs-fleet-pools-"))
const file = join(folder, "pools.yaml")
writeFileSync(
  file,
  `pools:
  default: { image: local/shell, executionRoleArn: "${executionRoleArn}" }
  greeting:
    image: "{{ image }}"
    executionRoleArn: "${executionRoleArn}"
    cpu: "{{ cpu }}"
    command: [sh, -c, 'echo "$GREETING, {{ whom }}"']
    env: { GREETING: "{{ greeting }}" }
    variables: { image: { default: local/shell }, cpu: {}, whom: { default: world }, greeting: { default: hello } }
`
)

const settings = { FLEET_POOLS: file, FLEET_POOLS_REFRESH_SECONDS: "0.1" }
const layerPools = Layer.fresh(layerFleetWith(natsServer, localAws(), settings))

const linesOf = (runId: string) => Effect.map(output(runId), ({ lines }) => lines.map((line) => line.text))

/** The next version of a pool in the bucket that fits. */
const poolOnce = (name: string, fits: (pool: string) => boolean) =>
  Effect.gen(function* () {
    const pools = yield* (yield* Buckets).open(BucketNames.pools)
    yield* pools.watch(name).pipe(
      Stream.filter(({ value }) => fits(text({ data: value }))),
      Stream.runHead
    )
  })

layer(layerPools, { excludeTestServices: true })("pools at work", (it) => {
  it.effect(
    "a program runs by a pool of a file, with its defaults and with values of the request (peers 3, 4, 5, 125)",
    () =>
      Effect.gen(function* () {
        const plain = yield* request({ pool: "greeting" })
        assert.deepStrictEqual(yield* linesOf(plain), ["hello, world"])
        const given = yield* request({ pool: "greeting", variables: { cpu: 512, whom: "you", greeting: "good day" } })
        assert.deepStrictEqual(yield* linesOf(given), ["good day, you"])
        const refused = yield* finished(yield* request({ pool: "greeting", variables: { cpu: "canary", whmo: "x" } }))
        assert.deepStrictEqual(refused.errors?.map(({ field }) => field).toSorted(), [
          "variables.cpu",
          "variables.whmo"
        ])
        assert.notInclude(JSON.stringify(refused), "canary")
      })
  )

  it.effect("broken by hand it is put right from the file, and a change of the file reaches the next run", () =>
    Effect.gen(function* () {
      const pools = yield* (yield* Buckets).open(BucketNames.pools)
      yield* pools.put("greeting", '{"cpu":"much"}')
      assert.deepStrictEqual(yield* linesOf(yield* request({ pool: "greeting" })), ["hello, world"])
      yield* poolOnce("greeting", (pool) => pool.includes('"source":"file"'))
      writeFileSync(
        file,
        `pools: { default: { image: local/shell, executionRoleArn: "${executionRoleArn}", env: { NEWS: yes } } }`
      )
      yield* poolOnce("default", (pool) => pool.includes("NEWS"))
      assert.deepStrictEqual(yield* linesOf(yield* request({ command: ["sh", "-c", "echo $NEWS"] })), ["yes"])
      yield* Effect.repeat(pools.get("greeting"), { until: Option.isNone })
      assert.strictEqual((yield* finished(yield* request({ pool: "greeting" }))).error?.field, "pool")
    })
  )

  it.effect("Prefect's own template, imported by the command, runs the demo's program", () =>
    Effect.gen(function* () {
      const { url } = yield* NatsServer
      const aws = yield* LocalAws
      const place = { folder: yield* tempFolder("import"), env: { NATS_URL: url, AWS_ENDPOINT_URL: aws.url } }
      const template = join(projectRoot, "test", "prefect", "ecs-base-job-template.json")
      const imported = yield* fleet(
        place,
        ..."pool import --name flows --image local/shell --set --prefect".split(" "),
        template
      )
      assert.deepStrictEqual([imported.code, imported.out.includes("containerName: prefect")], [0, true])
      assert.include(imported.err, "job_configuration.aws_credentials")
      assert.include((yield* fleet(place, "pool", "ls")).out, "flows")
      const command = ["sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.3; done"]
      const runId = yield* request({ pool: "flows", executionRoleArn, command })
      assert.deepStrictEqual(yield* linesOf(runId), ["line 1", "line 2", "line 3"])
      assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0 })
    })
  )

  it.effect("a dispatcher with a wrong file does not start: all problems, and 78 (peers 125)", () =>
    Effect.gen(function* () {
      const { url } = yield* NatsServer
      const wrong = join(yield* tempFolder("wrong"), "pools.yaml")
      writeFileSync(wrong, "pools: { a: { cpu: much }, b: { imgae: x } }")
      const start = (pools: string) =>
        watch(
          spawn(process.execPath, [join(projectRoot, "services", "dispatcher", "main.ts")], {
            env: variables({ NATS_URL: url, AWS_REGION: "us-east-1", FLEET_POOLS: pools })
          })
        ).ended
      const ended = yield* start(wrong)
      assert.strictEqual(ended.code, 78)
      for (const part of ["2 settings need attention", 'Field "cpu"', 'got "much"', 'Did you mean "image"?']) {
        assert.include(ended.err, part)
      }
      const missing = yield* start(join(folder, "none.yaml"))
      assert.deepStrictEqual([missing.code, missing.err.includes("none.yaml does not exist")], [78, true])
    })
  )
})
