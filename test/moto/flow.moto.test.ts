import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Codecs } from "#ecs-core/Messages.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { putLines } from "#test/moto/logs.ts"
import { layerMoto } from "#test/moto/Moto.ts"
import { least } from "#test/parity/launched.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { firstThat } from "#test/support/follow.ts"
import { LocalAws } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { cancel, finished, output, request, stored } from "#test/support/runs.ts"

const startOf = (runId: string) =>
  firstThat({ stream: Streams.fleet, subject: Subjects.taskStarted(runId, 1) }, Codecs.taskStarted, () => true)

/** Whole runs, with moto in AWS's place. */
layer(layerFleetWith(natsServer, layerMoto()), { excludeTestServices: true })("runs over moto", (it) => {
  it.effect("a run is launched, followed and ends; its lines come in order, then the end marker", () =>
    Effect.gen(function* () {
      const runId = yield* request(least)
      const { logs, taskArn } = yield* startOf(runId)
      const [source] = logs.sources
      const stream = `${source?.logStreamPrefix}/main/${taskArn.split("/").at(-1)}`
      const lines = Array.from({ length: 250 }, (_, at) => `line ${at + 1}`)
      yield* putLines((yield* LocalAws).url, source?.logGroup ?? "", stream, lines)
      assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0, taskArn })
      const { end, lines: read } = yield* output(runId)
      assert.deepStrictEqual(
        read.map(({ text }) => text),
        lines
      )
      assert.deepInclude(end, { outcome: "succeeded" })
    })
  )

  it.effect("a running run is cancelled: its task is stopped", () =>
    Effect.gen(function* () {
      const runId = yield* request(least)
      yield* startOf(runId)
      yield* cancel(runId, "not needed any more")
      assert.deepInclude(yield* finished(runId), { outcome: "cancelled" })
    })
  )

  it.effect("a cluster that is not there rejects the run, with what to do", () =>
    Effect.gen(function* () {
      const end = yield* finished(yield* request({ ...least, cluster: "not-there" }))
      assert.deepInclude(end, { outcome: "rejected" })
      assert.strictEqual(end.error?.code, "ClusterNotFound")
    })
  )

  it.effect("a hundred runs at once: each ends once", () =>
    Effect.gen(function* () {
      const runIds = yield* Effect.forEach(Array.from({ length: 100 }), () => request(least), { concurrency: 20 })
      yield* Effect.forEach(runIds, finished, { concurrency: "unbounded" })
      const ended = (yield* stored(Streams.fleet, Filters.runFinished)).map(({ subject }) => subject)
      for (const runId of runIds) {
        assert.lengthOf(
          ended.filter((subject) => subject === Subjects.runFinished(runId)),
          1
        )
      }
    })
  )
})
