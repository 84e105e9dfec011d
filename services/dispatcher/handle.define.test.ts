import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { EcsModel } from "#aws/model/EcsModel.ts"
import type { Delivery } from "#bus/Message.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { EcsCalls } from "#test/support/EcsCalls.ts"
import {
  again,
  crashEverywhere,
  defaultsOf,
  untilDone as deliver,
  inTime,
  layerMemoryFleet,
  liveRuns,
  messagesOf,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import { cancel, deferred, definitionGone, started, stopped } from "#test/support/messages.ts"
import { dispatcherConfig } from "./config.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { handleFact } from "./handle.ts"
import { handleRequest } from "./requests.ts"

/** Somebody deregisters a definition of the fleet's: the launch is refused, and the run goes on with another. */

const settings = defaultsOf(dispatcherConfig)
const dispatcher = (requestsMax?: number) => Effect.provide(makeFleet(settings), processPorts(requestsMax))
const layerFleet = EcsCalls.layer.pipe(Layer.provideMerge(layerMemoryFleet()))

const runId = "nightly"
const request = (body: object = {}) =>
  published(
    Streams.inbox,
    Subjects.runRequested(runId),
    JSON.stringify({ image: "alpine", env: { TOKEN: "s3cret" }, ...body })
  )
const on = (subject: string, data: string) => published(Streams.fleet, subject, data)
const gone = (attempt: number) =>
  on(Subjects.taskRejected(runId, attempt), Codecs.taskRejected.encode(definitionGone(0, { attempt }).message))

const orders = messagesOf(Streams.fleet, Filters.taskdefReady, Codecs.taskdefReady)
const ends = messagesOf(Streams.fleet, Filters.runFinished, Codecs.runFinished)
const stops = messagesOf(Streams.fleet, Filters.taskStop, Codecs.taskStop)
const registrations = Effect.map(EcsCalls, ({ count }) => count("registerTaskDefinition"))

const launched = Effect.gen(function* () {
  const fleet = yield* dispatcher()
  yield* inTime(handleRequest(fleet, yield* request()))
  const [order] = yield* orders
  yield* (yield* EcsModel).ecs.DeregisterTaskDefinition("us-east-1", {
    taskDefinition: order?.runTask.taskDefinition
  })
  return fleet
})

const untilDone = (fleet: Fleet, delivery: Delivery) => deliver((each) => handleFact(fleet, each), delivery)

/** What must be, however it came about: the second attempt ordered once, with another definition, all secrets in it. */
const isMended = Effect.gen(function* () {
  const [first, second, ...more] = yield* orders
  assert.deepStrictEqual(more, [])
  assert.strictEqual(second?.attempt, 2)
  assert.include(["registered", "reused"], second?.definition)
  assert.notStrictEqual(second?.runTask.taskDefinition, first?.runTask.taskDefinition)
  assert.deepInclude(second?.runTask.overrides.containerOverrides[0]?.["environment"], {
    name: "TOKEN",
    value: "s3cret"
  })
  const run = yield* recordOf(runId)
  assert.deepInclude(run, { state: "launching", platformFailures: 1, problems: [] })
  assert.strictEqual(run?.attempts[1]?.taskDefinitionArn, second?.runTask.taskDefinition)
  assert.deepStrictEqual(yield* liveRuns, [runId])
  assert.deepStrictEqual(yield* ends, [])
})

describe("a definition deregistered out of band, noticed at the launch", () => {
  it.effect("the run is launched again with another revision, at no cost to the program", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      assert.deepStrictEqual(yield* inTime(handleFact(fleet, yield* gone(1))), { _tag: "Ack" })
      yield* isMended
      const facts = [
        on(Subjects.taskStarted(runId, 2), Codecs.taskStarted.encode(started(0, { attempt: 2 }).message)),
        on(Subjects.taskStopped(runId, 2), Codecs.taskStopped.encode(stopped(0, { attempt: 2 }).message))
      ]
      for (const fact of facts) yield* handleFact(fleet, yield* fact)
      assert.deepInclude((yield* ends)[0], { outcome: "succeeded", attempts: 2 })
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("twice, and twice at once on two dispatchers: one more attempt, one more revision", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* launched, yield* dispatcher()]
      const fact = yield* gone(1)
      yield* Effect.all([untilDone(one, fact), untilDone(other, again(fact))], { concurrency: 2 })
      yield* untilDone(other, again(fact))
      yield* isMended
      assert.strictEqual(yield* registrations, 2)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("crash between any two lines, then a redelivery: one more attempt, one more revision", () =>
    Effect.gen(function* () {
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          yield* launched
          const fact = yield* gone(1)
          const dying = Effect.flatMap(dispatcher(requestsMax), (fleet) => handleFact(fleet, fact))
          const result = yield* inTime(Effect.result(dying))
          assert.deepStrictEqual(yield* untilDone(yield* dispatcher(), again(fact)), { _tag: "Ack" })
          yield* isMended
          assert.strictEqual(yield* registrations, 2)
          return result._tag === "Success"
        }).pipe(Effect.provide(EcsCalls.layer))
      )
      assert.isAbove(places, 10)
    })
  )

  it.effect("late: facts of the first attempt change nothing any more", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      yield* inTime(handleFact(fleet, yield* gone(1)))
      const before = yield* recordOf(runId)
      const late = [
        on(Subjects.taskDeferred(runId, 1), Codecs.taskDeferred.encode(deferred(0).message)),
        on(Subjects.taskStopped(runId, 1), Codecs.taskStopped.encode(stopped(0).message)),
        gone(1)
      ]
      for (const fact of late) yield* handleFact(fleet, yield* fact)
      assert.deepStrictEqual(yield* recordOf(runId), before)
      yield* isMended
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("never mended: after five more attempts the run is rejected with the reason", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      for (const attempt of [1, 2, 3, 4, 5, 6]) yield* inTime(handleFact(fleet, yield* gone(attempt)))
      const [end] = yield* ends
      assert.deepInclude(end, { outcome: "rejected", attempts: 6 })
      assert.strictEqual(end?.error?.code, "TaskDefinitionInactive")
      assert.strictEqual(yield* registrations, 6)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("crash anywhere, then a cancel: what is only defined again ends, what is ordered is stopped", () =>
    Effect.gen(function* () {
      const seen = new Set<string>()
      yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const fleet = yield* launched
          const fact = yield* gone(1)
          const dying = Effect.flatMap(dispatcher(requestsMax), (other) => handleFact(other, fact))
          const result = yield* inTime(Effect.result(dying))
          const { state = "", attempts = [] } = (yield* recordOf(runId)) ?? {}
          seen.add(attempts.length > 1 ? "ordered" : state)
          const wish = on(Subjects.runCancel(runId), Codecs.runCancel.encode(cancel(0).message))
          yield* inTime(handleFact(fleet, yield* wish))
          if (state === "defining") {
            assert.deepInclude((yield* ends)[0], { outcome: "cancelled", attempts: 1 })
            assert.lengthOf(yield* orders, 1)
          } else {
            assert.deepStrictEqual(
              (yield* stops).map(({ attempt }) => attempt),
              [attempts.length]
            )
          }
          return result._tag === "Success"
        }).pipe(Effect.provide(EcsCalls.layer))
      )
      assert.sameMembers([...seen], ["launching", "defining", "ordered"])
    })
  )
})

describe("a request that is gone from the inbox", () => {
  it.effect("never: a run that would need it is ended with the reason, not left to wait", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      const withoutInbox: Fleet = { ...fleet, messages: { ...fleet.messages, at: () => Effect.succeedNone } }
      yield* inTime(handleFact(withoutInbox, yield* gone(1)))
      assert.deepInclude((yield* ends)[0], { outcome: "crashed", attempts: 1 })
    }).pipe(Effect.provide(layerFleet))
  )
})
