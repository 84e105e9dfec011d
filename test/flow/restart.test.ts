import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { Streams } from "#ecs-core/Subjects.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { launchedTasks, layerTest as localAws } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { allFinished, output, request, take } from "#test/support/runs.ts"

const RUNS = 30

/** What services say about a server that is away on purpose is noise. */
const quietly = Layer.provide(Layer.succeed(References.MinimumLogLevel, "Fatal"))
const fleet = quietly(layerFleetWith(natsServer, localAws({ runtime: "simulated", timeScale: "dev" })))

const job = {
  image: "local/shell",
  executionRoleArn: "arn:aws:iam::000000000000:role/execution",
  command: ["simulate", "--seconds", "2", "--lines-per-second", "5"]
}
const expected = Array.from({ length: 10 }, (_, at) => `line ${at + 1} of 10`)

layer(fleet, { excludeTestServices: true })("a restart of JetStream", (it) => {
  it.effect(
    "crash: twice in the middle of 30 runs: 30 ends, 30 tasks, every line once and in order (scenario 98)",
    () =>
      Effect.gen(function* () {
        const server = yield* NatsServer
        const requestAll = Effect.forEach(Array.from({ length: RUNS }), () => request(job), { concurrency: 8 })
        const launchesAndRestart = Effect.andThen(take(Streams.fleet, "task.started.*.*", 5), server.restart)
        const [runIds] = yield* Effect.all([requestAll, launchesAndRestart], { concurrency: "unbounded" })
        yield* take(Streams.logs, "logs.*", 5)
        yield* server.restart
        const ends = yield* allFinished(runIds)
        assert.deepStrictEqual(new Set(ends.map(({ runId }) => String(runId))), new Set(runIds))
        for (const end of ends) assert.deepInclude(end, { outcome: "succeeded", exitCode: 0, attempts: 1 })
        assert.lengthOf(yield* launchedTasks, RUNS)
        for (const runId of runIds) {
          const { lines, end } = yield* output(runId)
          assert.deepStrictEqual(
            lines.map(({ text }) => text),
            expected,
            runId
          )
          assert.isTrue(end.complete, runId)
        }
      }),
    60_000
  )
})
