import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { NOTICE_CONTAINER } from "#ecs-core/LogLine.ts"
import { AwsWire } from "#test/parity/AwsWire.ts"
import { executionRoleArn, keptElsewhere, launched, layerWatchedFleet, least } from "#test/parity/launched.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { clearFaults, inject, launchedTasks } from "#test/support/LocalAws.ts"
import { recordOf } from "#test/support/MemoryFleet.ts"
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

const logsTo = (group: string) => ({
  logDriver: "awslogs" as const,
  options: {
    "awslogs-create-group": "true",
    "awslogs-group": group,
    "awslogs-region": "eu-west-1",
    "awslogs-stream-prefix": "own"
  }
})
const worker = { name: "worker", image: "local/shell", command: threeLines, logConfiguration: logsTo("/jobs") }
/** It has written its lines long before the end of the essential container ends it. */
const proxy = {
  ...worker,
  name: "proxy",
  command: ["simulate", "--seconds", "0.1", "--lines-per-second", "30"],
  essential: false,
  logConfiguration: logsTo("/proxies")
}
const agent = { name: "agent", image: "local/shell", command: ["true"], essential: false }
const shipper = { ...agent, name: "shipper", logConfiguration: { logDriver: "splunk" as const } }
const containerDefinitions = [proxy, worker, agent, shipper]

layer(layerWatchedFleet, { excludeTestServices: true })("a task of several containers", (it) => {
  const { command: _given, image: _image, ...rest } = least
  it.effect.each(["prepared", "linked"])(
    "%s: its output is that of all that log to awslogs, each from its own stream (peers 105, 106)",
    (how) =>
      Effect.gen(function* () {
        const definition =
          how === "linked"
            ? { taskDefinitionArn: yield* keptElsewhere({ family: "four", executionRoleArn, containerDefinitions }) }
            : { taskDefinition: { containerDefinitions } }
        const { runId } = yield* launched({
          ...rest,
          ...definition,
          containerName: "worker",
          configureCloudwatchLogs: false
        })
        const { lines, end } = yield* output(runId)
        const linesFrom = (container: string) =>
          lines.flatMap((line) => (line.container === container ? [line.text] : []))
        assert.deepStrictEqual([linesFrom("worker"), linesFrom("proxy")], [expected, expected])
        assert.sameMembers(
          end.containers.map(({ container }) => container),
          [NOTICE_CONTAINER, "worker", "proxy"]
        )
        assert.lengthOf(linesFrom(NOTICE_CONTAINER), 1)
        const run = yield* recordOf(runId)
        assert.deepStrictEqual(
          run?.attempts[0]?.logs?.map(({ container, logGroup }) => [container, logGroup]),
          [
            ["worker", "/jobs"],
            ["proxy", "/proxies"]
          ]
        )
        assert.deepStrictEqual(
          run?.notices.filter((notice) => notice.includes("no output")),
          ['There is no output of container "shipper" to show: it logs with the driver splunk, not awslogs.']
        )
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
