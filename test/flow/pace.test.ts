import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Streams } from "#ecs-core/Subjects.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { calls, launchedTasks, layerTest as localAws } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { allFinished, request, stored } from "#test/support/runs.ts"

const RUNS = 60

/** AWS's own quotas, and the fleet's pace as it is by default; the thousand are in `npm run bench -- burst --full`. */
const settings = { FLEET_AWS_RUN_TASK_PER_SECOND: "19", FLEET_AWS_RUN_TASK_BURST: "20" }
const fleet = layerFleetWith(natsServer, localAws({ runtime: "simulated", quotas: "aws" }), settings)

layer(fleet, { excludeTestServices: true })("under AWS's quotas", (it) => {
  it.effect(
    "60 runs at once, three times the burst: one task each, and whatever AWS throttles, no run fails (scenario 90)",
    () =>
      Effect.gen(function* () {
        const job = { image: "local/shell", command: ["simulate", "--seconds", "0.1"] }
        const runIds = yield* Effect.forEach(Array.from({ length: RUNS }), () => request(job), {
          concurrency: "unbounded"
        })
        const ends = yield* allFinished(runIds)
        assert.deepStrictEqual(new Set(ends.map(({ runId }) => String(runId))), new Set(runIds))
        for (const end of ends) assert.deepInclude(end, { outcome: "succeeded", exitCode: 0, attempts: 1 })
        assert.lengthOf(yield* launchedTasks, RUNS)
        assert.isEmpty(yield* stored(Streams.fleet, "task.rejected.*.*"))
        assert.strictEqual((yield* calls).calls["RegisterTaskDefinition"], 1)
      })
  )
})
