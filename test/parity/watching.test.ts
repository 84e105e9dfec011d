import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { AwsWire } from "#test/parity/AwsWire.ts"
import { launched, layerWatchedFleet, least } from "#test/parity/launched.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { clearFaults, inject, launchedTasks } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { output } from "#test/support/runs.ts"

const taskOf = (runId: string) =>
  Effect.map(launchedTasks, (tasks) => tasks.find(({ startedBy }) => startedBy?.includes(`/${runId}/`)))

const threeLines = ["simulate", "--seconds", "0.3", "--lines-per-second", "10"]
const expected = ["line 1 of 3", "line 2 of 3", "line 3 of 3"]

const texts = (runId: string) => Effect.map(output(runId), ({ lines }) => lines.map(({ text }) => text))

layer(layerWatchedFleet, { excludeTestServices: true })("tasks", (it) => {
  it.effect("one that misses its start is stopped, and only then the run is over (peers 89, scenario 92)", () =>
    Effect.gen(function* () {
      yield* inject({ action: "RunTask", hold: "PROVISIONING" })
      const { end, runId } = yield* launched({ ...least, taskStartTimeoutSeconds: 1 })
      assert.deepInclude(end, { outcome: "timed_out", phase: "start" })
      assert.match(end.error?.message ?? "", /^Timed out .*while watching task for status RUNNING/)
      assert.deepInclude(yield* taskOf(runId), { lastStatus: "STOPPED", stoppedReason: "fleet:start-timeout: 1 s" })
    })
  )

  it.effect("a launch that fails twice and then works is one task, after three calls (scenario 39)", () =>
    Effect.gen(function* () {
      const error = { name: "ClientException", message: "Rate exceeded", status: 400 }
      yield* inject({ action: "RunTask", times: 2, error })
      const { end, runId, runTasks } = yield* launched(least)
      assert.strictEqual(end.outcome, "succeeded")
      assert.lengthOf(runTasks, 3)
      assert.lengthOf(
        (yield* launchedTasks).filter(({ startedBy }) => startedBy?.includes(`/${runId}/`)),
        1
      )
    })
  )

  it.effect("logs that cannot be read fail no run (peers 109)", () =>
    Effect.gen(function* () {
      const error = { name: "AccessDeniedException", message: "not authorized to perform: logs:FilterLogEvents" }
      yield* inject({ action: "FilterLogEvents", times: 0, error })
      const { end, runId } = yield* launched({ ...least, command: threeLines })
      assert.deepInclude(end, { outcome: "succeeded", exitCode: 0 })
      yield* clearFaults
      assert.deepStrictEqual(yield* texts(runId), expected)
    })
  )

  it.effect("logs are read in the region that the container writes them to (peers 111)", () =>
    Effect.gen(function* () {
      const cloudwatchLogsOptions = { "awslogs-region": "eu-central-1" }
      const { runId } = yield* launched({ ...least, family: "abroad", command: threeLines, cloudwatchLogsOptions })
      assert.deepStrictEqual(yield* texts(runId), expected)
      const regions = (yield* AwsWire)
        .calls()
        .flatMap(({ action, region }) => (action === "FilterLogEvents" ? [region] : []))
      assert.include(regions, "eu-central-1")
    })
  )
})

/** Every line can be read a second after it was written at the earliest: all of them after the task has stopped. */
const layerLateLogs = layerFleetWith(natsServer, AwsWire.layer({ runtime: "simulated", logDelaySeconds: 1 }), {
  FLEET_LOGS_DRAIN_QUIET_SECONDS: "2"
})

describe("logs that come late", () => {
  layer(layerLateLogs, { excludeTestServices: true })((it) => {
    it.effect("reading goes on after the task has stopped, until it is quiet (peers 110)", () =>
      Effect.gen(function* () {
        const { runId } = yield* launched({ ...least, command: threeLines })
        assert.strictEqual((yield* taskOf(runId))?.lastStatus, "STOPPED")
        assert.deepStrictEqual(yield* texts(runId), expected)
      })
    )
  })
})
