import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { type ServiceName, Streams } from "#ecs-core/Subjects.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { statusesOf } from "#test/support/follow.ts"
import { LocalAws, launchedTasks, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { countOf, type ServiceProcess, startService } from "#test/support/Processes.ts"
import { allFinished, output, request, take } from "#test/support/runs.ts"

/**
 * Every service is a process of its own, a real nats-server and local-aws stand beside them, and SIGKILL comes while
 * runs are in every state. The moments are facts, not times: so many launched, so many running, so many lines.
 */
const RUNS = 50
const LINES = 10

const names: ReadonlyArray<ServiceName> = ["dispatcher", "launcher", "watcher", "log-streamer"]

const surroundings = Layer.mergeAll(natsServer, localAws({ timeScale: "dev" }))
const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))
const outside = bus.pipe(Layer.provideMerge(surroundings))

const startFleet = (replicas: number) =>
  Effect.gen(function* () {
    const env = { ...quickSettings, ...sdkEnv((yield* LocalAws).url), NATS_URL: (yield* NatsServer).url }
    const folder = yield* tempFolder("services")
    const start = (name: ServiceName) => startService(name, folder, env)
    const running: Array<ServiceProcess> = []
    for (const name of names) for (let at = 0; at < replicas; at++) running.push(yield* start(name))
    const killOne = (name: ServiceName) =>
      Effect.gen(function* () {
        const victim = running.find((service) => service.name === name)
        if (victim !== undefined) yield* victim.kill
        running.push(yield* start(name))
      })
    return { running, killOne }
  })

/** Ten numbered lines over so many seconds. */
const program = (seconds: number) => {
  const pause = (seconds / LINES).toFixed(2)
  return ["sh", "-c", `i=1; while [ $i -le ${LINES} ]; do echo line $i; i=$((i+1)); sleep ${pause}; done`]
}

/** As many as it takes until the replicas of each service have all done something. */
const MOST_RUNS = 100

const work: Readonly<Record<ServiceName, string>> = {
  dispatcher: "run defined",
  launcher: "task launched",
  watcher: "attempt over",
  "log-streamer": "output drained"
}

const hasWorked = (service: ServiceProcess): boolean => countOf(service, work[service.name]) > 0

const requestRun = (seconds: number) =>
  request({
    image: "local/shell",
    executionRoleArn: "arn:aws:iam::000000000000:role/execution",
    command: program(seconds)
  })

/** They take two to five seconds. */
const requestRuns = (from: number, to: number) =>
  Effect.forEach(
    Array.from({ length: to - from }, (_, at) => 2 + ((from + at) % 4)),
    requestRun
  )

const expectedLines = Array.from({ length: LINES }, (_, at) => `line ${at + 1}`)

const verify = (runIds: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const ends = yield* allFinished(runIds)
    assert.deepStrictEqual(new Set(ends.map(({ runId }) => String(runId))), new Set(runIds))
    assert.deepStrictEqual(new Set(ends.map(({ outcome }) => outcome)), new Set(["succeeded"]))
    assert.lengthOf(yield* launchedTasks, runIds.length)
    for (const runId of runIds) {
      const { lines, end } = yield* output(runId)
      assert.deepStrictEqual(
        lines.map(({ text }) => text),
        expectedLines,
        runId
      )
      assert.isTrue(end.complete)
      assert.deepStrictEqual(yield* statusesRepeated(runId), [], runId)
    }
  })

/** What was told more than once of the run's task. */
const statusesRepeated = (runId: string) =>
  Effect.map(statusesOf(runId), (statuses) => statuses.filter((status, at) => statuses.indexOf(status) !== at))

it.live(
  "crash: each service is killed once in the middle of 50 runs: 50 ends, 50 tasks, every line once and in order (peers 86, 122, scenario 87, 88)",
  () =>
    Effect.gen(function* () {
      const { killOne } = yield* startFleet(1)
      const early = yield* requestRuns(0, RUNS / 2)
      yield* take(Streams.fleet, "taskdef.ready.*.*", 5)
      yield* killOne("dispatcher")
      yield* take(Streams.fleet, "task.started.*.*", 10)
      yield* killOne("launcher")
      const late = yield* requestRuns(RUNS / 2, RUNS)
      yield* take(Streams.logs, "logs.*", 20)
      yield* killOne("log-streamer")
      yield* take(Streams.fleet, "task.stopped.*.*", 5)
      yield* killOne("watcher")
      yield* verify([...early, ...late])
    }).pipe(Effect.scoped, Effect.provide(outside)),
  120_000
)

it.live(
  "crash: with two replicas of each service one of each is killed: the same, and both had done work (peers 122, scenario 88)",
  () =>
    Effect.gen(function* () {
      const { running, killOne } = yield* startFleet(2)
      const first = running.slice(0, names.length * 2)
      const early: Array<string> = []
      while (!first.every(hasWorked) && early.length < MOST_RUNS) {
        const runIds = yield* Effect.forEach(
          Array.from({ length: RUNS / 5 }, () => 0),
          requestRun
        )
        yield* Effect.forEach(runIds, output, { concurrency: "unbounded", discard: true })
        early.push(...runIds)
      }
      const late = yield* requestRuns(RUNS / 2, RUNS)
      yield* take(Streams.fleet, "task.started.*.*", early.length + 10)
      for (const name of names) yield* killOne(name)
      yield* verify([...early, ...late])
      for (const service of first) assert.isTrue(hasWorked(service), service.name)
    }).pipe(Effect.scoped, Effect.provide(outside)),
  120_000
)
