import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { begun } from "#ecs-core/Drain.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { BucketNames, type ServiceName, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { changeDrain, readDrain } from "#process/Drain.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { fleet as command, start as startCommand } from "#test/support/fleetCommand.ts"
import { recordWhen, taskWhen } from "#test/support/follow.ts"
import { calls, inject, LocalAws, launchedTasks, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { startService } from "#test/support/Processes.ts"
import { allFinished, cancel, finished, firstOn, request } from "#test/support/runs.ts"

/** `fleet drain` and `fleet stop --all` against services that are processes of their own. */

const names: ReadonlyArray<ServiceName> = ["dispatcher", "launcher", "watcher", "log-streamer"]
const surroundings = Layer.mergeAll(natsServer, localAws({ timeScale: "dev" }))
const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))
const outside = bus.pipe(Layer.provideMerge(surroundings))

const aFleet = Effect.gen(function* () {
  yield* setUpFleet({ ...topologyDefaults, ackWaitSeconds: 3, leaseSeconds: 3 })
  const url = (yield* NatsServer).url
  const env = { ...quickSettings, ...sdkEnv((yield* LocalAws).url), NATS_URL: url }
  const folder = yield* tempFolder("drain")
  const start = (name: ServiceName) => startService(name, folder, env)
  const services = yield* Effect.forEach(names, start)
  const place = { folder, env: { NATS_URL: url } }
  const gate = join(folder, "gate")
  return {
    start,
    /** Runs until the gate is open. */
    gated: (exitCode: number) => ({
      image: "local/shell",
      command: ["sh", "-c", `until test -f ${gate}; do sleep 0.1; done; exit ${exitCode}`]
    }),
    openGate: Effect.sync(() => writeFileSync(gate, "")),
    launcher: services[1],
    fleet: (...args: ReadonlyArray<string>) => command(place, ...args),
    startFleet: (...args: ReadonlyArray<string>) => startCommand(place, args)
  }
})

const long = { image: "local/shell", command: ["sleep", "600"] }
const quick = { image: "local/shell", command: ["true"] }

/** Orders that were given, and handed out at least once since: the launcher has seen them. */
const ordered = (runId: string) => firstOn(Streams.fleet, Subjects.taskdefReady(runId, 1))

const meta = Effect.flatMap(Buckets, (buckets) => buckets.open(BucketNames.meta))
const drainNow = Effect.flatMap(meta, readDrain)
const drainFromNow = Effect.gen(function* () {
  const at = instantOf(yield* Clock.currentTimeMillis)
  yield* changeDrain(yield* meta, (known) => begun(known, at, undefined))
})

const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)

describe.concurrent("fleet drain", () => {
  it.live(
    "what runs ends, nothing new is launched though a launcher is killed meanwhile, and afterwards all that waits is, once (peers 123, scenario 66)",
    () =>
      Effect.gen(function* () {
        const { fleet, gated, launcher, openGate, start, startFleet } = yield* aFleet
        const running = yield* request(gated(0))
        yield* taskWhen(running, "RUNNING")
        const drain = yield* startFleet("drain", "--json", "--reason", "new subnets")
        yield* drain.wrote('"type":"progress"')
        const retried = yield* request({ ...quick, command: ["sh", "-c", "exit 3"], retry: { attempts: 1 } })
        const waiting = yield* Effect.forEach([1, 2, 3], () => request(quick))
        yield* Effect.forEach([retried, ...waiting], ordered)
        yield* launcher?.kill ?? Effect.void
        yield* start("launcher")
        const listed = yield* fleet("ps")
        assert.include(listed.err, "the fleet drains since")
        assert.include(listed.err, "(new subnets)")
        const accepted = yield* fleet("run", "--detach", "--image", "local/shell", "--", "true")
        assert.include(accepted.err, "nothing is launched until fleet drain --end")
        yield* openGate
        const { code, out } = yield* drain.ended
        assert.strictEqual(code, 0)
        assert.deepInclude(jsonLines(out).at(-1), { type: "drained", tasks: 0, launching: 0, waiting: 5 })
        assert.deepInclude(yield* finished(running), { outcome: "succeeded" })
        assert.lengthOf(yield* launchedTasks, 1)
        assert.strictEqual((yield* calls).calls["RunTask"], 1)
        assert.strictEqual((yield* fleet("drain", "--end")).code, 0)
        const ends = yield* allFinished([running, retried, ...waiting, accepted.out.trim()])
        assert.deepStrictEqual(ends.map(({ outcome }) => outcome).toSorted(), [
          "failed",
          "succeeded",
          "succeeded",
          "succeeded",
          "succeeded",
          "succeeded"
        ])
        assert.lengthOf(yield* launchedTasks, 7)
      }).pipe(Effect.scoped, Effect.provide(outside)),
    240_000
  )

  it.live(
    "a retry waits, a cancel is answered, and Ctrl-C leaves the drain in force",
    () =>
      Effect.gen(function* () {
        const { fleet, gated, openGate, startFleet } = yield* aFleet
        const runId = yield* request({ ...gated(3), retry: { attempts: 1, backoffSeconds: 1 } })
        yield* taskWhen(runId, "RUNNING")
        const drain = yield* startFleet("drain", "--json")
        yield* drain.wrote('"tasks":1')
        yield* drain.signal("SIGINT")
        const { code, err } = yield* drain.ended
        assert.strictEqual(code, 130)
        assert.include(err, "End it with: fleet drain --end")
        assert.isUndefined((yield* drainNow)?.endedAt)
        yield* openGate
        yield* recordWhen(runId, ({ attempts }) => attempts.length === 2)
        yield* cancel(runId, "no longer wanted")
        assert.deepInclude(yield* finished(runId), { outcome: "cancelled", attempts: 2 })
        assert.lengthOf(yield* launchedTasks, 1)
        assert.strictEqual((yield* fleet("drain", "--timeout-seconds", "30")).code, 0)
      }).pipe(Effect.scoped, Effect.provide(outside)),
    240_000
  )

  it.live(
    "late: a launch whose answer comes after the beginning of the drain is counted, and its end awaited",
    () =>
      Effect.gen(function* () {
        const { gated, openGate, startFleet } = yield* aFleet
        yield* inject({ action: "RunTask", delaySeconds: 3, times: 1 })
        const runId = yield* request(gated(0))
        yield* firstOn(Streams.fleet, Subjects.taskLaunching(runId, 1))
        yield* drainFromNow
        const drain = yield* startFleet("drain", "--json")
        yield* drain.wrote('"tasks":1')
        yield* openGate
        const { code, out } = yield* drain.ended
        assert.strictEqual(code, 0)
        assert.deepInclude(jsonLines(out).at(-1), { type: "drained", tasks: 0, waiting: 0 })
        assert.deepInclude(yield* finished(runId), { outcome: "succeeded" })
      }).pipe(Effect.scoped, Effect.provide(outside)),
    240_000
  )
})

describe("fleet stop --all", () => {
  it.live(
    "refuses without a terminal and --yes; with it every run that fits is stopped, with a reason, and waited for (peers 118, 123, scenario 66)",
    () =>
      Effect.gen(function* () {
        const { fleet } = yield* aFleet
        const labelled = yield* Effect.forEach([1, 2], () => request({ ...long, labels: { team: "data" } }))
        const other = yield* request(long)
        yield* Effect.forEach([...labelled, other], (runId) => taskWhen(runId, "RUNNING"))
        const refused = yield* fleet("stop", "--all")
        assert.strictEqual(refused.code, 2)
        assert.include(refused.err, "--yes")
        const some = yield* fleet("stop", "--all", "--label", "team=data", "--yes", "--wait", "--reason", "too dear")
        assert.strictEqual(some.code, 0, some.err)
        assert.include(some.out, "all 2 runs are over: 2 cancelled")
        assert.include((yield* finished(labelled[0] ?? "")).error?.message, "too dear")
        const rest = yield* fleet("stop", "--all", "--yes", "--wait", "--json")
        assert.deepStrictEqual(jsonLines(rest.out), [
          { type: "asked", runs: 1, asked: 1 },
          { type: "over", runs: 1, outcomes: { cancelled: 1 } }
        ])
        assert.deepInclude(yield* finished(other), { outcome: "cancelled" })
        assert.include((yield* fleet("stop", "--all", "--yes")).out, "nothing to stop")
        assert.strictEqual((yield* fleet("drain")).code, 0)
        assert.isTrue((yield* launchedTasks).every(({ stoppedReason }) => stoppedReason?.startsWith("fleet:cancelled")))
      }).pipe(Effect.scoped, Effect.provide(outside)),
    240_000
  )
})
