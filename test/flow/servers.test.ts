import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { layerFleetOn } from "#test/support/EmbeddedFleet.ts"
import { layerTestWith, onNatsServers } from "#test/support/NatsServer.ts"
import { finished, output, request } from "#test/support/runs.ts"

await onNatsServers("the whole fleet", (binary) => {
  layer(layerFleetOn(layerTestWith({ binary })), { excludeTestServices: true })((it) => {
    it.effect("a program runs, its lines come in order, its exit code once", () =>
      Effect.gen(function* () {
        const runId = yield* request({
          image: "local/shell",
          executionRoleArn: "arn:aws:iam::000000000000:role/execution",
          command: ["sh", "-c", "for i in 1 2 3; do echo line $i; done; exit 3"]
        })
        const { lines, end } = yield* output(runId)
        assert.deepStrictEqual(
          lines.map(({ text }) => text),
          ["line 1", "line 2", "line 3"]
        )
        assert.isTrue(end.complete)
        assert.deepInclude(yield* finished(runId), { outcome: "failed", exitCode: 3 })
      })
    )
  })
})
