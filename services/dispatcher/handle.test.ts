import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Codecs } from "#ecs-core/Messages.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aTaskdefReady, aTaskStarted, aTaskStop, aTaskStopped } from "#test/support/builders.ts"
import {
  again,
  crashEverywhere,
  defaultsOf,
  inTime,
  layerMemoryFleet,
  liveRuns,
  messagesOf,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import { changed } from "#test/support/messages.ts"
import { dispatcherConfig } from "./config.ts"
import { makeFleet } from "./Fleet.ts"
import { handleFact } from "./handle.ts"
import { handleRequest } from "./requests.ts"

const dispatcher = (requestsMax?: number) =>
  Effect.provide(makeFleet(defaultsOf(dispatcherConfig)), processPorts(requestsMax))

const runId = "nightly"
const job = { image: "alpine", env: { TOKEN: "s3cret" } }
const request = published(Streams.inbox, Subjects.runRequested(runId), JSON.stringify(job))

const on = (subject: string, data: string) => published(Streams.fleet, subject, data)
const cancel = on(Subjects.runCancel(runId), Codecs.runCancel.encode({ reason: "too slow" }))
const started = on(Subjects.taskStarted(runId, 1), Codecs.taskStarted.encode(aTaskStarted()))
const running = on(Subjects.taskChanged(runId, 1), Codecs.taskChanged.encode(changed(0, "RUNNING", 3).message))
const stopped = on(Subjects.taskStopped(runId, 1), Codecs.taskStopped.encode(aTaskStopped()))

const orders = messagesOf(Streams.fleet, Filters.taskdefReady, Codecs.taskdefReady)
const stops = messagesOf(Streams.fleet, Filters.taskStop, Codecs.taskStop)
const ends = messagesOf(Streams.fleet, Filters.runFinished, Codecs.runFinished)

const launched = Effect.gen(function* () {
  const fleet = yield* dispatcher()
  yield* inTime(handleRequest(fleet, yield* request))
  return fleet
})

describe("handleFact", () => {
  it.effect("follows the run to its end", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      for (const fact of [started, running]) yield* handleFact(fleet, yield* fact)
      assert.strictEqual((yield* recordOf(runId))?.state, "running")
      assert.deepStrictEqual(yield* ends, [])
      assert.deepStrictEqual(yield* handleFact(fleet, yield* stopped), { _tag: "Ack" })
      assert.deepInclude((yield* ends)[0], { outcome: "succeeded", exitCode: 0, attempts: 1 })
      assert.deepStrictEqual(yield* liveRuns, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect.each([
    { what: "out of order", facts: [stopped, running, started] },
    { what: "twice", facts: [started, started, stopped, stopped] },
    { what: "late: the start after the end", facts: [stopped, started] }
  ])("$what: one end all the same", ({ facts }) =>
    Effect.gen(function* () {
      const fleet = yield* launched
      for (const fact of facts) assert.deepStrictEqual(yield* handleFact(fleet, yield* fact), { _tag: "Ack" })
      assert.deepStrictEqual(
        (yield* ends).map(({ outcome }) => outcome),
        ["succeeded"]
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("crash between any two lines, then a redelivery: the end is told, nothing is live", () =>
    Effect.gen(function* () {
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const sound = yield* launched
          const fact = yield* stopped
          const dying = Effect.flatMap(dispatcher(requestsMax), (fleet) => handleFact(fleet, fact))
          const result = yield* inTime(Effect.result(dying))
          assert.deepStrictEqual(yield* handleFact(sound, again(fact)), { _tag: "Ack" })
          assert.strictEqual((yield* ends).length, 1)
          assert.deepStrictEqual(yield* liveRuns, [])
          return result._tag === "Success"
        })
      )
      assert.isAbove(places, 5)
    })
  )

  it.effect("a fact about a run without a record is acked and makes none; its run counts as live, for the sweep", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* handleFact(yield* dispatcher(), yield* stopped), { _tag: "Ack" })
      assert.isUndefined(yield* recordOf(runId))
      assert.deepStrictEqual(yield* ends, [])
      assert.deepStrictEqual(yield* liveRuns, [runId])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("its own orders are acked unread, what cannot be read is dead", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      const order = yield* on(Subjects.taskStop(runId, 1), Codecs.taskStop.encode(aTaskStop()))
      assert.deepStrictEqual(yield* handleFact(fleet, order), { _tag: "Ack" })
      assert.isUndefined((yield* recordOf(runId))?.cancel)
      assert.strictEqual((yield* handleFact(fleet, yield* on(Subjects.taskStopped(runId, 1), "{")))._tag, "Dead")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("handleFact: a cancel", () => {
  it.effect("early: it waits for its request, which then ends at once", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      assert.deepStrictEqual(yield* handleFact(fleet, yield* cancel), { _tag: "Ack" })
      assert.deepStrictEqual(yield* ends, [])
      yield* handleRequest(fleet, yield* request)
      assert.deepInclude((yield* ends)[0], { outcome: "cancelled", attempts: 0 })
      assert.deepStrictEqual(yield* orders, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("twice: one order to stop, and no end before the launcher or the watcher says so", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      const wish = yield* cancel
      for (const delivery of [wish, again(wish), yield* cancel]) yield* handleFact(fleet, delivery)
      assert.deepStrictEqual(
        (yield* stops).map(({ reason }) => reason),
        ["fleet:cancelled: too slow"]
      )
      assert.deepStrictEqual(yield* ends, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: after the end it changes nothing", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      yield* handleFact(fleet, yield* stopped)
      assert.deepStrictEqual(yield* handleFact(fleet, yield* cancel), { _tag: "Ack" })
      assert.deepStrictEqual(yield* stops, [])
      assert.strictEqual((yield* ends).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("crash of the dispatcher of the request: the one of the cancel completes the launch order first", () =>
    Effect.gen(function* () {
      yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const delivery = yield* request
          const dying = Effect.flatMap(dispatcher(requestsMax), (fleet) => handleRequest(fleet, delivery))
          const result = yield* inTime(Effect.result(dying))
          yield* handleFact(yield* dispatcher(), yield* cancel)
          const [order] = yield* orders
          const wasDefined = ((yield* recordOf(runId))?.attempts.length ?? 0) > 0
          assert.strictEqual(order !== undefined, wasDefined)
          assert.strictEqual((yield* stops).length, wasDefined ? 1 : 0)
          const environment = order?.runTask.overrides.containerOverrides[0]?.["environment"]
          if (wasDefined) assert.deepInclude(environment, { name: "TOKEN", value: "s3cret" })
          return result._tag === "Success"
        })
      )
    })
  )

  it.effect("an order to launch that is there already is not overwritten", () =>
    Effect.gen(function* () {
      yield* on(Subjects.taskdefReady(runId, 1), Codecs.taskdefReady.encode(aTaskdefReady()))
      yield* launched
      assert.deepStrictEqual(
        (yield* orders).map(({ runTask }) => runTask),
        [aTaskdefReady().runTask]
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
