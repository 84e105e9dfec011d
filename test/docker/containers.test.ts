import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Bus } from "#bus/Bus.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { docker, fleet, logOf } from "#test/docker/docker.ts"
import { type ContainerFleet, type services, startContainers } from "#test/docker/Fleet.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { tasksOf } from "#test/support/follow.ts"
import { LocalAws } from "#test/support/LocalAws.ts"
import { finished, firstOn, output, request, stored } from "#test/support/runs.ts"

/** Services of the built image, each in a container, against NATS in another; what happens to containers happens here. */
let here: ContainerFleet

beforeAll(async () => {
  here = await startContainers(quickSettings)
})

afterAll(() => here?.stop())

const fromOutside = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.scoped,
    Effect.provide(Bus.layer({ servers: [here.natsUrl], name: "test" })),
    Effect.provideService(LocalAws, LocalAws.of({ host: "127.0.0.1", port: 0, url: here.awsUrl }))
  )

const LINES = 10
const command = ["simulate", "--seconds", "2", "--lines-per-second", String(LINES / 2)]

const requestRuns = (name: string, count: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, at) => `${name}-${at}`),
    (runId) => request({ command }, runId),
    { concurrency: 10 }
  )

/** Each run has one end, one task, and every line once and in order. */
const nothingLost = Effect.fnUntraced(function* (runIds: ReadonlyArray<string>) {
  for (const runId of runIds) {
    assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0, attempts: 1 }, runId)
    const { end, lines } = yield* output(runId)
    assert.isTrue(end.complete, runId)
    const expected = Array.from({ length: LINES }, (_, at) => `line ${at + 1} of ${LINES}`)
    assert.deepStrictEqual(
      lines.map(({ text }) => text),
      expected,
      runId
    )
    assert.lengthOf(yield* tasksOf(runId), 1, runId)
    assert.lengthOf(yield* stored(Streams.fleet, Subjects.runFinished(runId)), 1, runId)
  }
})

const each = (runIds: ReadonlyArray<string>, subject: (runId: string) => string) =>
  Effect.forEach(runIds, (runId) => firstOn(Streams.fleet, subject(runId)), { concurrency: 10 })

/** One more of a service, until the scope ends. */
const replica = (name: (typeof services)[number]) =>
  Effect.acquireRelease(
    Effect.promise(() => here.add(name)),
    (added) => Effect.promise(() => added.stop())
  )

describe("containers of the image", () => {
  it("run a program and give its line and its exit code", async () => {
    const ended = await fleet(["run", "--", "sh", "-c", "echo hello; exit 3"], { NATS_URL: here.natsUrl })
    assert.strictEqual(ended.code, 3, ended.err)
    assert.strictEqual(ended.out, "hello\n")
  })

  it.live("three launchers share the launches: each launches some, nobody twice", () =>
    fromOutside(
      Effect.gen(function* () {
        const more = [yield* replica("launcher"), yield* replica("launcher")]
        const runIds = yield* requestRuns("scaled", 30)
        yield* nothingLost(runIds)
        for (const launcher of [here.service("launcher"), ...more]) {
          const log = yield* Effect.promise(() => logOf(launcher.getId()))
          assert.isNotEmpty(log.filter((line) => line.includes('"task launched"')))
        }
      })
    )
  )

  it.live.each([
    { name: "launcher" as const, before: (id: string) => Subjects.taskdefReady(id, 1), kind: "task.started" },
    { name: "watcher" as const, before: (id: string) => Subjects.taskStarted(id, 1), kind: "task.stopped" }
  ])(
    "$name paused, cut off from the network and brought back: orders wait, and nothing is lost or done twice",
    ({ before, kind, name }) =>
      fromOutside(
        Effect.gen(function* () {
          const service = here.service(name)
          yield* Effect.promise(async () => {
            await docker(["pause", service.getId()])
            await here.disconnect(service)
          })
          const runIds = yield* requestRuns(`cut-off-${name}`, 10)
          yield* each(runIds, before)
          yield* Effect.promise(() => docker(["unpause", service.getId()]))
          for (const runId of runIds) assert.isEmpty(yield* stored(Streams.fleet, `${kind}.${runId}.1`))
          yield* Effect.promise(() => here.reconnect(service))
          yield* nothingLost(runIds)
        })
      )
  )

  it.live.each([{ name: "watcher" as const }, { name: "log-streamer" as const }])(
    "$name cut off while it holds runs: another one takes them over, and brought back it does nothing twice",
    ({ name }) =>
      fromOutside(
        Effect.gen(function* () {
          yield* replica(name)
          const runIds = yield* requestRuns(`taken-over-${name}`, 10)
          yield* each(runIds, (runId) => Subjects.taskStarted(runId, 1))
          yield* Effect.promise(() => here.disconnect(here.service(name)))
          yield* nothingLost(runIds)
          yield* Effect.promise(() => here.reconnect(here.service(name)))
          yield* nothingLost([...runIds, ...(yield* requestRuns(`after-${name}`, 5))])
        })
      )
  )

  it.live("nats killed in the middle of 20 runs and started again on its volume: nothing is lost or done twice", () =>
    fromOutside(
      Effect.gen(function* () {
        const runIds = yield* requestRuns("restart", 20)
        yield* each(runIds.slice(0, 5), (runId) => Subjects.taskStarted(runId, 1))
        yield* Effect.promise(() => docker(["kill", here.nats.getId()]))
        yield* Effect.promise(() => docker(["start", here.nats.getId()]))
        yield* nothingLost(runIds)
      })
    )
  )
})
