import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { MemoryServer } from "#bus/MemoryServer.ts"
import type { Delivery } from "#bus/Message.ts"
import type { MemoryStream } from "#bus/memory/MemoryStream.ts"
import { WireError } from "#bus/wire/Wire.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
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
import { at, broken, cancel, definitionGone, failed, rejected, started, stopped } from "#test/support/messages.ts"
import { dispatcherConfig } from "./config.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { handleFact } from "./handle.ts"
import { handleRequest } from "./requests.ts"

/** From the end of one attempt to the order of the next, with a crash at every line; and tasks that nobody waits for. */

const dispatcher = (requestsMax?: number) =>
  Effect.provide(makeFleet(defaultsOf(dispatcherConfig)), processPorts(requestsMax))

const runId = "nightly"
const body = { image: "alpine", env: { TOKEN: "s3cret" }, retry: { attempts: 1, platformAttempts: 2 } }
const request = (id = runId) => published(Streams.inbox, Subjects.runRequested(id), JSON.stringify(body))
const on = (subject: string, data: string) => published(Streams.fleet, subject, data)
const startOf = (attempt: number) =>
  on(Subjects.taskStarted(runId, attempt), Codecs.taskStarted.encode(started(0, { attempt }).message))
const endOf = ({ message }: ReturnType<typeof failed>) =>
  on(Subjects.taskStopped(message.runId, message.attempt), Codecs.taskStopped.encode(message))
const rejectionOf = ({ message }: ReturnType<typeof rejected>) =>
  on(Subjects.taskRejected(message.runId, message.attempt), Codecs.taskRejected.encode(message))
const wish = on(Subjects.runCancel(runId), Codecs.runCancel.encode(cancel(0).message))

/** Requests go with their age. */
const emptied = (inbox: MemoryStream | WireError): void => {
  assert(!(inbox instanceof WireError))
  for (let seq = 1; seq <= inbox.lastSeq; seq++) inbox.remove(seq)
}

const orders = messagesOf(Streams.fleet, Filters.taskdefReady, Codecs.taskdefReady)
const stops = messagesOf(Streams.fleet, Filters.taskStop, Codecs.taskStop)
const ends = messagesOf(Streams.fleet, Filters.runFinished, Codecs.runFinished)

const launched = Effect.gen(function* () {
  const fleet = yield* dispatcher()
  yield* inTime(handleRequest(fleet, yield* request()))
  return fleet
})

const untilDone = (fleet: Fleet, delivery: Delivery) => deliver((each) => handleFact(fleet, each), delivery)

/** What must be, however it came about: one second order, not before its time, and no end. */
const isOrderedAgain = Effect.gen(function* () {
  const [first, second, ...more] = yield* orders
  assert.deepStrictEqual(more, [])
  const run = yield* recordOf(runId)
  const { retryAt } = run?.attempts[0] ?? {}
  assert.isDefined(retryAt)
  assert.isDefined(second)
  assert.deepInclude(second, { attempt: 2, notBefore: retryAt })
  assert.deepStrictEqual(second.retry, first?.retry)
  assert.isAtLeast(millisOf(retryAt) - millisOf(at(9)), 8000)
  assert.isAtLeast(millisOf(second.launchDeadline), millisOf(retryAt) + 86_400_000)
  assert.strictEqual(run?.attempts[1]?.notBefore, retryAt)
  assert.strictEqual(second.runTask.taskDefinition, first?.runTask.taskDefinition)
  const environment = second.runTask.overrides.containerOverrides[0]?.["environment"]
  assert.deepInclude(environment, { name: "TOKEN", value: "s3cret" })
  assert.deepInclude(environment, { name: "FLEET_ATTEMPT", value: "2" })
  assert.deepInclude(run, { state: "launching", programFailures: 1 })
  assert.deepStrictEqual(yield* liveRuns, [runId])
  assert.deepStrictEqual(yield* ends, [])
})

describe("an attempt that fails and is followed by another", () => {
  it.effect("crash between any two lines, then a redelivery: exactly one second order, at the same time", () =>
    Effect.gen(function* () {
      const seen = new Set<string>()
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          yield* launched
          const fact = yield* endOf(failed(9))
          const dying = Effect.flatMap(dispatcher(requestsMax), (fleet) => handleFact(fleet, fact))
          const result = yield* inTime(Effect.result(dying))
          const halfway = yield* recordOf(runId)
          seen.add(`${halfway?.state} ${(yield* orders).length}`)
          assert.deepStrictEqual(yield* untilDone(yield* dispatcher(), again(fact)), { _tag: "Ack" })
          yield* isOrderedAgain
          const planned = halfway?.attempts[0]?.retryAt
          if (planned !== undefined) assert.strictEqual((yield* orders)[1]?.notBefore, planned)
          return result._tag === "Success"
        })
      )
      assert.isAbove(places, 5)
      assert.includeMembers([...seen], ["launching 1", "defining 1", "launching 2"])
    })
  )

  it.effect("crash of the first, and another fact instead of the redelivery completes the order", () =>
    crashEverywhere((requestsMax) =>
      Effect.gen(function* () {
        yield* launched
        const fact = yield* endOf(failed(9))
        const dying = Effect.flatMap(dispatcher(requestsMax), (fleet) => handleFact(fleet, fact))
        const result = yield* inTime(Effect.result(dying))
        const recorded = ((yield* recordOf(runId))?.programFailures ?? 0) > 0
        yield* untilDone(yield* dispatcher(), yield* startOf(1))
        if (recorded) yield* isOrderedAgain
        else assert.lengthOf(yield* orders, 1)
        return result._tag === "Success"
      })
    )
  )

  it.effect("late, when its request has left the inbox: ordered as the attempt before, crash at every line", () =>
    crashEverywhere((requestsMax) =>
      Effect.gen(function* () {
        yield* launched
        yield* Effect.flatMap(MemoryServer, ({ state }) => Effect.sync(() => emptied(state.stream(Streams.inbox))))
        const fact = yield* endOf(failed(9))
        const result = yield* inTime(
          Effect.result(Effect.flatMap(dispatcher(requestsMax), (fleet) => handleFact(fleet, fact)))
        )
        assert.deepStrictEqual(yield* untilDone(yield* dispatcher(), again(fact)), { _tag: "Ack" })
        yield* isOrderedAgain
        return result._tag === "Success"
      })
    )
  )

  it.effect("twice, and twice at once on two dispatchers: one second order", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* launched, yield* dispatcher()]
      const fact = yield* endOf(failed(9))
      yield* Effect.all([untilDone(one, fact), untilDone(other, again(fact))], { concurrency: 2 })
      yield* untilDone(other, again(fact))
      yield* isOrderedAgain
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: facts of the first attempt change nothing any more, the second one's end is the run's", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      for (const fact of [startOf(1), endOf(failed(9)), startOf(1), endOf(failed(9)), startOf(2)])
        yield* untilDone(fleet, yield* fact)
      assert.lengthOf(yield* orders, 2)
      assert.deepStrictEqual(yield* stops, [])
      yield* untilDone(fleet, yield* endOf(failed(99, { attempt: 2, exitCode: 4 })))
      assert.deepInclude((yield* ends)[0], { outcome: "failed", exitCode: 4, attempts: 2 })
      assert.lengthOf(yield* orders, 2)
      assert.deepStrictEqual(yield* liveRuns, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("a cancel between the attempts, after a crash anywhere: ended at once, or the next one is stopped", () =>
    Effect.gen(function* () {
      const seen = new Set<string>()
      yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const fleet = yield* launched
          const fact = yield* endOf(failed(9))
          const dying = Effect.flatMap(dispatcher(requestsMax), (other) => handleFact(other, fact))
          const result = yield* inTime(Effect.result(dying))
          const { state = "", attempts = [] } = (yield* recordOf(runId)) ?? {}
          seen.add(attempts.length > 1 ? "ordered" : state)
          yield* untilDone(fleet, yield* wish)
          yield* untilDone(fleet, again(fact))
          const last = yield* recordOf(runId)
          if (state === "defining") assert.deepInclude((yield* ends)[0], { outcome: "cancelled", attempts: 1 })
          else if (attempts.length === 1) assert.deepInclude((yield* ends)[0], { outcome: "failed", attempts: 1 })
          else assert.deepInclude((yield* stops)[0], { attempt: 2 })
          assert.strictEqual((yield* orders).length, attempts.length > 1 ? 2 : 1)
          assert.lengthOf(last?.attempts ?? [], attempts.length > 1 ? 2 : 1)
          return result._tag === "Success"
        })
      )
      assert.sameMembers([...seen], ["launching", "defining", "ordered"])
    })
  )

  it.effect(
    "launches that fail come again as the next attempt, behind what was ordered, and end with all reasons (scenario 61)",
    () =>
      Effect.gen(function* () {
        const fleet = yield* launched
        yield* inTime(handleRequest(fleet, yield* request("daily")))
        const { ecs } = yield* EcsModel
        for (const attempt of [1, 2, 3]) {
          const taskDefinition = (yield* orders).at(-1)?.runTask.taskDefinition
          yield* ecs.DeregisterTaskDefinition("us-east-1", { taskDefinition })
          const problem = { code: "TaskDefinitionInactive", message: `Reason ${attempt}.`, advice: "Wait." } as const
          yield* untilDone(fleet, yield* rejectionOf(definitionGone(9, { attempt, problem })))
        }
        assert.deepStrictEqual(
          (yield* orders).map((order) => `${order.runId} ${order.attempt}`),
          ["nightly 1", "daily 1", "nightly 2", "nightly 3"]
        )
        const [end] = yield* ends
        assert.deepInclude(end, { runId: RunId.make(runId), outcome: "rejected", attempts: 3 })
        assert.deepStrictEqual(
          end?.errors?.map(({ message }) => message),
          ["Reason 3.", "Reason 2.", "Reason 1."]
        )
      }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("start failures and program failures add up to one maximum (peers 84, scenario 62)", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      const failures = [
        definitionGone(9),
        broken(20, { attempt: 2 }),
        failed(30, { attempt: 3 }),
        broken(40, { attempt: 4 })
      ]
      for (const failure of failures) {
        yield* untilDone(fleet, yield* failure.kind === "task.rejected" ? rejectionOf(failure) : endOf(failure))
      }
      assert.deepInclude((yield* ends)[0], { outcome: "crashed", attempts: 4 })
      assert.lengthOf(yield* orders, 4)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("a task that comes to be after its attempt was given up", () => {
  const cancelled = rejected(9, { outcome: "cancelled" })

  it.effect(
    "crash between any two lines: stopped by one order more, although the cancel's was done with (peers 119)",
    () =>
      crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const fleet = yield* launched
          for (const fact of [wish, rejectionOf(cancelled)]) yield* untilDone(fleet, yield* fact)
          const [end] = yield* ends
          const fact = yield* startOf(1)
          const dying = Effect.flatMap(dispatcher(requestsMax), (other) => handleFact(other, fact))
          const result = yield* inTime(Effect.result(dying))
          for (const redelivery of [again(fact), again(again(fact))]) yield* untilDone(fleet, redelivery)
          assert.deepStrictEqual(
            (yield* stops).map(({ reason }) => reason),
            ["fleet:cancelled", "fleet:cancelled: its attempt was given up before the task was known"]
          )
          assert.deepStrictEqual(yield* ends, end === undefined ? [] : [end])
          assert.deepStrictEqual(yield* liveRuns, [])
          return result._tag === "Success"
        })
      )
  )

  it.effect("at once on two dispatchers, no order to stop before: one order", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* launched, yield* dispatcher()]
      yield* untilDone(one, yield* rejectionOf(rejected(9)))
      const fact = yield* startOf(1)
      yield* Effect.all([untilDone(one, fact), untilDone(other, again(fact))], { concurrency: 2 })
      assert.lengthOf(yield* stops, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("never for a task whose end was folded first", () =>
    Effect.gen(function* () {
      const fleet = yield* launched
      for (const fact of [endOf(stopped(9)), startOf(1)]) yield* untilDone(fleet, yield* fact)
      assert.deepStrictEqual(yield* stops, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
