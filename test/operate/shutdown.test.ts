import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schedule } from "effect"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { type ServiceName, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { calls, inject, LocalAws, launchedTasks, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { type ServiceProcess, startService } from "#test/support/Processes.ts"
import { allFinished, cancel, finished, firstOn, output, request, take } from "#test/support/runs.ts"

/**
 * Services as processes, and SIGTERM in the middle of their work. Nothing is lost: what was in hand is finished, or
 * handed back at once. Leases and ack waits are an hour here, so that a message which was kept instead would never come.
 */
const names: ReadonlyArray<ServiceName> = ["dispatcher", "launcher", "watcher", "log-streamer"]
const SHUTDOWN_SECONDS = 8
const HOUR = "3600"

const surroundings = Layer.mergeAll(natsServer, localAws({ timeScale: "dev" }))
const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))
const outside = bus.pipe(Layer.provideMerge(surroundings))

const fleet = (more: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const env = { ...quickSettings, ...sdkEnv((yield* LocalAws).url), NATS_URL: (yield* NatsServer).url, ...more }
    const folder = yield* tempFolder("services")
    const start = (name: ServiceName) => startService(name, folder, env)
    return { start, services: yield* Effect.forEach(names, start) }
  })

/** The streams are there before the services are: requests need not wait for their start. */
const patient = Effect.andThen(
  setUpFleet({ ...topologyDefaults, leaseSeconds: Number(HOUR), ackWaitSeconds: Number(HOUR) }),
  fleet({ FLEET_LEASE_SECONDS: HOUR, FLEET_ACK_WAIT_SECONDS: HOUR })
)

const entry = (service: ServiceProcess, message: string) => service.log().find((line) => line["message"] === message)

/** SIGTERM: exit code 0, within the time by the process's own log. */
const endsInOrder = (service: ServiceProcess) =>
  Effect.gen(function* () {
    assert.strictEqual(yield* service.terminate, 0, service.name)
    const [stopping, stopped] = ["stopping", "stopped"].map((message) =>
      Date.parse(String(entry(service, message)?.["timestamp"]))
    )
    const seconds = ((stopped ?? Number.NaN) - (stopping ?? Number.NaN)) / 1000
    assert.isBelow(seconds, SHUTDOWN_SECONDS, service.name)
    return seconds
  })

const LINES = 20
const program = ["sh", "-c", `i=1; while [ $i -le ${LINES} ]; do echo line $i; i=$((i+1)); sleep 0.1; done`]
const lines = Array.from({ length: LINES }, (_, at) => `line ${at + 1}`)
const least = { image: "local/shell", executionRoleArn: "arn:aws:iam::000000000000:role/execution" }

/** Waits until local-aws has had so many calls of an action: one is in hand. */
const called = (action: string, times: number) =>
  Effect.repeat(calls, { until: ({ calls }) => (calls[action] ?? 0) >= times, schedule: Schedule.spaced("20 millis") })

describe("SIGTERM", () => {
  it.live(
    "in the middle of 20 runs every service is replaced: exit code 0 in time, every run once, every line once (peers 122)",
    () =>
      Effect.gen(function* () {
        const { services, start } = yield* patient
        const runIds = yield* Effect.forEach(Array.from({ length: 20 }), () => request({ ...least, command: program }))
        yield* take(Streams.fleet, "task.started.*.*", 5)
        yield* take(Streams.logs, "logs.*", 5)
        yield* Effect.forEach(services, (service) => Effect.andThen(start(service.name), endsInOrder(service)), {
          concurrency: "unbounded"
        })
        const ends = yield* allFinished(runIds)
        assert.deepStrictEqual(new Set(ends.map(({ outcome }) => outcome)), new Set(["succeeded"]))
        assert.lengthOf(yield* launchedTasks, runIds.length)
        for (const runId of runIds) {
          const { end, lines: seen } = yield* output(runId)
          assert.deepStrictEqual(
            seen.map(({ text }) => text),
            lines,
            runId
          )
          assert.isTrue(end.complete)
        }
      }).pipe(Effect.scoped, Effect.provide(outside)),
    120_000
  )

  it.live(
    "to the launcher while RunTask hangs: the order is handed back, the successor launches it, one task (scenario 87)",
    () =>
      Effect.gen(function* () {
        const { services, start } = yield* patient
        yield* inject({ action: "RunTask", delaySeconds: 3600 })
        const runId = yield* request({ ...least, command: ["true"] })
        yield* called("RunTask", 1)
        for (const launcher of services.filter(({ name }) => name === "launcher")) yield* endsInOrder(launcher)
        yield* start("launcher")
        assert.strictEqual((yield* finished(runId)).outcome, "succeeded")
        assert.lengthOf(yield* launchedTasks, 1)
      }).pipe(Effect.scoped, Effect.provide(outside)),
    120_000
  )

  it.live(
    "to the watcher while DescribeTasks and StopTask hang: its tasks and its orders go to the other one at once (scenario 88)",
    () =>
      Effect.gen(function* () {
        const { services, start } = yield* patient
        const runId = yield* request({ ...least, command: ["sleep", "600"] })
        yield* firstOn(Streams.fleet, Subjects.taskStarted(runId, 1))
        yield* inject({ action: "DescribeTasks", delaySeconds: 3600, times: 1 })
        yield* inject({ action: "StopTask", delaySeconds: 3600, times: 1 })
        yield* cancel(runId)
        yield* called("StopTask", 1)
        yield* start("watcher")
        for (const watcher of services.filter(({ name }) => name === "watcher")) yield* endsInOrder(watcher)
        assert.strictEqual((yield* finished(runId)).outcome, "cancelled")
      }).pipe(Effect.scoped, Effect.provide(outside)),
    120_000
  )

  it.live(
    "without a nats-server every service still ends in order: what was in hand comes again to another",
    () =>
      Effect.gen(function* () {
        const { services } = yield* patient
        yield* inject({ action: "RunTask", delaySeconds: 3600 })
        yield* request({ ...least, command: ["true"] })
        yield* called("RunTask", 1)
        yield* (yield* NatsServer).kill
        yield* Effect.forEach(services, endsInOrder, { concurrency: "unbounded" })
      }).pipe(Effect.scoped, Effect.provide(outside)),
    120_000
  )

  it.live(
    "a second one ends the launcher at once, in the middle of RunTask, and its order comes again: one task (scenario 87)",
    () =>
      Effect.gen(function* () {
        const { services, start } = yield* fleet()
        yield* inject({ action: "RunTask", delaySeconds: 3600 })
        const runId = yield* request({ ...least, command: ["true"] })
        yield* called("RunTask", 1)
        for (const launcher of services.filter(({ name }) => name === "launcher")) {
          const first = yield* Effect.forkChild(launcher.terminate, { startImmediately: true })
          yield* Effect.repeat(
            Effect.sync(() => entry(launcher, "stopping")),
            { until: (line) => line !== undefined, schedule: Schedule.spaced("20 millis") }
          )
          assert.strictEqual(yield* launcher.terminate, 143)
          assert.strictEqual(yield* Fiber.join(first), 143)
          assert.isUndefined(entry(launcher, "stopped"))
        }
        yield* start("launcher")
        assert.strictEqual((yield* finished(runId)).outcome, "succeeded")
        assert.lengthOf(yield* launchedTasks, 1)
      }).pipe(Effect.scoped, Effect.provide(outside)),
    120_000
  )
})
