import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References, Result } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { bucketStream } from "#bus/buckets.ts"
import { Connection } from "#bus/Connection.ts"
import { text } from "#bus/Message.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { isFinal, type Run, RunCodec } from "#ecs-core/Run.ts"
import { BucketNames, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { fleet as fleetCommand } from "#test/support/fleetCommand.ts"
import { recordWhen, tasksOf } from "#test/support/follow.ts"
import { layerTest as localAws } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { cancel, finished, firstOn, request, stored, take } from "#test/support/runs.ts"

/** Records lost and made again: on a real nats-server, with real programs, as an operator does it. */

const image = "local/shell"
const soon = { attempts: 1, backoffSeconds: 1, maxBackoffSeconds: 1 }
const shell = (script: string) => ({ image, command: ["sh", "-c", script] })

const times = (count: number) => Array.from({ length: count }, (_, at) => at)
const ask = (count: number, body: object) => Effect.forEach(times(count), () => request(body), { concurrency: 8 })

/** A fifth of the full size, unless `npm run recovery` asks for all of it. */
const many = (count: number): number => (process.env["RECOVERY_FULL"] === undefined ? count / 5 : count)
const OVER = many(200)
const LIVE = many(20)

/** In all the ways in which a run can be over. */
const overInEveryWay = Effect.gen(function* () {
  const others = [
    ...(yield* ask(many(100), shell("true"))),
    ...(yield* ask(many(20), shell("exit 3"))),
    ...(yield* ask(many(20), { ...shell("exit $((2 - FLEET_ATTEMPT))"), retry: soon })),
    ...(yield* ask(many(10), { ...shell("sleep 60"), runTimeoutSeconds: 1 })),
    ...(yield* ask(many(10), { image, memory: 17, comand: ["true"] })),
    ...(yield* ask(many(10), { image, cluster: "no-such-cluster" }))
  ]
  const cancelled = yield* ask(many(20), shell("sleep 60"))
  for (const runId of cancelled) {
    yield* recordWhen(runId, ({ state }) => state === "running")
    yield* cancel(runId, "enough")
  }
  const early = times(many(10)).map((at) => `early-${at}`)
  for (const runId of early) {
    yield* cancel(runId, "too early")
    yield* recordWhen(runId, (run) => run.cancel !== undefined)
    yield* request(shell("true"), runId)
  }
  return [...others, ...cancelled, ...early]
})

/** Programs that run until the file is there. */
const waitingFor = (file: string, count: number) =>
  Effect.gen(function* () {
    const runIds = yield* ask(count, shell(`while [ ! -e ${file} ]; do sleep 0.1; done`))
    for (const runId of runIds) yield* recordWhen(runId, ({ state }) => state === "running")
    return runIds
  })

const runsBucket = Buckets.use((buckets) => buckets.open(BucketNames.runs))

const records = Effect.gen(function* () {
  const entries = yield* (yield* runsBucket).entries()
  const runs = entries.map(({ value }) => Result.getOrThrow(RunCodec.decode(text({ data: value }))))
  return new Map(runs.map((run) => [run.runId as string, run]))
})

const loseKeys = Effect.gen(function* () {
  const bucket = yield* runsBucket
  yield* Effect.forEach(yield* bucket.keys(), (key) => bucket.delete(key), { concurrency: 16, discard: true })
})

const jsm = Connection.use(({ jsm }) => Effect.succeed(jsm))
const loseBucket = Effect.flatMap(jsm, ({ streams }) =>
  Effect.promise(() => streams.delete(bucketStream(BucketNames.runs)))
)
/** The messages before this one are gone, as with age. */
const trim = (stream: string, seq: number) =>
  Effect.flatMap(jsm, ({ streams }) => Effect.promise(() => streams.purge(stream, { seq })))

/** `fleet rebuild` as an operator starts it. */
const rebuild = Effect.gen(function* () {
  const { url } = yield* NatsServer
  const place = { folder: yield* tempFolder("rebuild"), env: { NATS_URL: url } }
  const { code, err, out } = yield* fleetCommand(place, "rebuild", "--json")
  assert.strictEqual(code, 0, err)
  return JSON.parse(out) as Readonly<Record<string, unknown>>
})

/**
 * What a dispatcher told itself stands in no message: how often a definition was waited for. And a record lacks those
 * changes of a task that were folded after newer ones, while the stream has all of them, in order.
 */
const comparable = ({ delayed: _delayed, ...run }: Run) => ({
  ...run,
  attempts: run.attempts.map(
    ({ lastStatus: _lastStatus, taskVersion: _version, times: _times, ...attempt }) => attempt
  ),
  timeline: run.timeline.filter(({ what }) => !/^(task definition delayed|task is )/.test(what))
})

const same = (before: ReadonlyMap<string, Run>, after: ReadonlyMap<string, Run>) => {
  assert.deepStrictEqual([...after.keys()].toSorted(), [...before.keys()].toSorted())
  for (const [runId, run] of before) {
    const again = after.get(runId) ?? assert.fail(`${runId} has no record`)
    assert.deepStrictEqual(comparable(again), comparable(run))
    assert.includeDeepMembers(
      [...again.timeline],
      run.timeline.filter(({ what }) => what.startsWith("task is "))
    )
    for (const [index, { taskVersion = 0, times = {} }] of run.attempts.entries()) {
      assert.isAtLeast(again.attempts[index]?.taskVersion ?? 0, taskVersion)
      assert.deepInclude(again.attempts[index]?.times ?? {}, times)
    }
  }
}

const quietly = Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error"))
const fleetWith = (settings: Readonly<Record<string, string>>) =>
  quietly(layerFleetWith(natsServer, localAws(), settings))

layer(fleetWith({ FLEET_RECONCILE_SECONDS: "3600" }), { excludeTestServices: true })("fleet rebuild", (it) => {
  it.effect(
    "makes the same records of runs that are over and of others that go on, and these come to their ends (peers 122)",
    () =>
      Effect.gen(function* () {
        const file = join(yield* tempFolder("recovery"), "go")
        const live = yield* waitingFor(file, LIVE)
        const over = yield* overInEveryWay
        yield* take(Streams.fleet, "run.finished.*", OVER)
        for (const runId of over) yield* recordWhen(runId, isFinal)
        const before = yield* records
        yield* loseKeys
        const counts = { created: OVER + LIVE, kept: 0, live: LIVE, incomplete: 0, left: 0 }
        assert.deepInclude(yield* rebuild, { state: "done", by: "fleet rebuild", ...counts })
        same(before, yield* records)
        yield* loseBucket
        assert.deepInclude(yield* rebuild, { state: "done", ...counts })
        same(before, yield* records)
        assert.deepInclude(yield* rebuild, { created: 0, kept: OVER + LIVE })
        writeFileSync(file, "")
        for (const runId of live) {
          assert.deepInclude(yield* finished(runId), { outcome: "succeeded", attempts: 1 })
          assert.lengthOf(yield* tasksOf(runId), 1)
        }
        yield* Effect.forEach(live, (runId) => recordWhen(runId, isFinal))
        assert.lengthOf(yield* stored(Streams.fleet, "run.finished.*"), OVER + LIVE)
      }),
    120_000
  )
})

layer(fleetWith({ FLEET_RECONCILE_SECONDS: "1" }), { excludeTestServices: true })("records that are lost", (it) => {
  it.effect("are noticed and made again without anybody's doing, their bucket too", () =>
    Effect.gen(function* () {
      const file = join(yield* tempFolder("recovery"), "go")
      const [live = ""] = yield* waitingFor(file, 1)
      const [over = ""] = yield* ask(1, shell("exit 3"))
      yield* finished(over)
      yield* recordWhen(over, isFinal)
      const before = yield* records
      yield* loseBucket
      const back = records.pipe(Effect.catch(() => Effect.succeed(new Map<string, Run>())))
      const after = yield* Effect.repeat(back, { until: ({ size }) => size === 2 })
      same(before, after)
      writeFileSync(file, "")
      assert.deepInclude(yield* finished(live), { outcome: "succeeded", attempts: 1 })
    })
  )

  it.effect("are incomplete where the stream was trimmed; the runs end as they did, or go on to their end", () =>
    Effect.gen(function* () {
      const file = join(yield* tempFolder("recovery"), "go")
      const [untraced = ""] = yield* waitingFor(file, 1)
      const over: Array<string> = []
      for (const _ of times(5)) {
        const [runId = ""] = yield* ask(1, shell("exit 3"))
        yield* recordWhen(runId, isFinal)
        yield* finished(runId)
        over.push(runId)
      }
      const [whole = ""] = yield* waitingFor(file, 1)
      const [, gone = "", orderless = "", requestless = "", complete = ""] = over
      const before = yield* records
      const order = yield* firstOn(Streams.fleet, Subjects.taskdefReady(orderless, 1))
      yield* trim(Streams.fleet, order.seq + 1)
      yield* trim(Streams.inbox, before.get(complete)?.requestSequence ?? 0)
      yield* loseKeys
      yield* rebuild
      const after = yield* records
      assert.isUndefined(after.get(gone))
      for (const runId of [orderless, requestless]) {
        const { finishedAt, requestedAt, exitCode } = before.get(runId) ?? assert.fail()
        const run = after.get(runId) ?? assert.fail()
        assert.deepInclude(run, { state: "failed", incomplete: true })
        assert.deepStrictEqual([run.finishedAt, run.requestedAt, run.exitCode], [finishedAt, requestedAt, exitCode])
      }
      for (const runId of [complete, whole]) {
        same(
          new Map([[runId, before.get(runId) ?? assert.fail()]]),
          new Map([[runId, after.get(runId) ?? assert.fail()]])
        )
      }
      writeFileSync(file, "")
      for (const runId of [untraced, whole]) {
        assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0 })
        assert.lengthOf(yield* tasksOf(runId), 1)
      }
      assert.isTrue((yield* recordWhen(untraced, isFinal)).incomplete)
    })
  )
})
