import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Buckets } from "#bus/Bucket.ts"
import type { Delivery } from "#bus/Message.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { OVERRIDES_CHARACTERS_MAX } from "#ecs-core/RunTaskInput.ts"
import { BucketNames, Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { anAwsFailure } from "#test/support/builders.ts"
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
import { dispatcherConfig } from "./config.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { handleRequest } from "./requests.ts"

const settings = defaultsOf(dispatcherConfig)

/** A dispatcher that dies after so many requests to the bus. */
const dispatcher = (requestsMax?: number) => Effect.provide(makeFleet(settings), processPorts(requestsMax))

const request = (body: object, headers?: Readonly<Record<string, string>>) =>
  published(Streams.inbox, Subjects.runRequested(), JSON.stringify(body), headers)

const job = { runId: "nightly", image: "alpine", command: ["true"] }

const orders = messagesOf(Streams.fleet, Filters.taskdefReady, Codecs.taskdefReady)
const ends = messagesOf(Streams.fleet, Filters.runFinished, Codecs.runFinished)

const revisions = Effect.flatMap(EcsModel, ({ ecs }) => ecs.ListTaskDefinitions("us-east-1", {})).pipe(
  Effect.map(({ taskDefinitionArns = [] }) => taskDefinitionArns)
)

const untilDone = (fleet: Fleet, delivery: Delivery) => deliver((each) => handleRequest(fleet, each), delivery)

describe("handleRequest", () => {
  it.effect("registers, records and orders the launch", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      assert.deepStrictEqual(yield* handleRequest(fleet, yield* request(job)), { _tag: "Ack" })
      const [order] = yield* orders
      const [arn] = yield* revisions
      assert.strictEqual(order?.runTask.taskDefinition, arn)
      assert.deepInclude(yield* recordOf("nightly"), { state: "launching", requestSequence: 1 })
      assert.deepStrictEqual(yield* liveRuns, ["nightly"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("twice: one record, one order, one revision", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* dispatcher(), yield* dispatcher()]
      const delivery = yield* request(job)
      yield* handleRequest(one, delivery)
      const before = yield* recordOf("nightly")
      assert.deepStrictEqual(yield* handleRequest(other, again(delivery)), { _tag: "Ack" })
      assert.deepStrictEqual(yield* recordOf("nightly"), before)
      assert.strictEqual((yield* orders).length, 1)
      assert.strictEqual((yield* revisions).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("twice at once, on two dispatchers: one order, one revision", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* dispatcher(), yield* dispatcher()]
      const delivery = yield* request(job)
      yield* Effect.all([untilDone(one, delivery), untilDone(other, again(delivery))], { concurrency: 2 })
      assert.strictEqual((yield* orders).length, 1)
      assert.strictEqual((yield* revisions).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("fifty runs of one job at once, on two dispatchers: one revision, an order each", () =>
    Effect.gen(function* () {
      const fleets = [yield* dispatcher(), yield* dispatcher()]
      const runs = Array.from({ length: 50 }, (_, n) => ({ ...job, runId: `nightly-${n}` }))
      const deliveries = yield* Effect.forEach(runs, (run) => request(run))
      yield* Effect.forEach(
        deliveries,
        (delivery, n) => Effect.forEach(fleets.slice(n % 2, (n % 2) + 1), (fleet) => untilDone(fleet, delivery)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual((yield* revisions).length, 1)
      assert.sameMembers(
        (yield* orders).map(({ runId }) => `${runId}`),
        runs.map(({ runId }) => runId)
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: the same body under a later sequence changes nothing", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* handleRequest(fleet, yield* request(job))
      assert.deepStrictEqual(yield* handleRequest(fleet, yield* request(job)), { _tag: "Ack" })
      assert.strictEqual((yield* recordOf("nightly"))?.requestSequence, 1)
      assert.strictEqual((yield* orders).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("another request for a known run is dead, the run untouched", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* handleRequest(fleet, yield* request(job))
      const verdict = yield* handleRequest(fleet, yield* request({ ...job, image: "busybox" }))
      assert.deepStrictEqual(verdict, { _tag: "Dead", reason: 'another request with the run id "nightly" came first' })
      assert.strictEqual((yield* orders).length, 1)
      assert.strictEqual((yield* revisions).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("two requests for one run at the same moment: one is carried out, the other is dead", () =>
    Effect.gen(function* () {
      const bodies = [job, { ...job, image: "busybox", command: ["false"] }]
      const deliveries = yield* Effect.forEach(bodies, (body) => request(body))
      const fleets = yield* Effect.forEach(deliveries, () => dispatcher())
      const verdicts = yield* Effect.forEach(
        fleets,
        (fleet, n) => Effect.forEach(deliveries.slice(n, n + 1), (delivery) => untilDone(fleet, delivery)),
        { concurrency: 2 }
      )
      assert.sameMembers(
        verdicts.flat().map(({ _tag }) => _tag),
        ["Ack", "Dead"]
      )
      const requestSequence = (yield* recordOf("nightly"))?.requestSequence
      const [order] = yield* orders
      assert.deepStrictEqual(
        order?.runTask.overrides.containerOverrides[0]?.["command"],
        bodies[(requestSequence ?? 0) - 1]?.command
      )
      assert.strictEqual((yield* revisions).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("handleRequest: refused requests", () => {
  it.effect("no JSON: the run ends, and the original is kept among the dead", () =>
    Effect.gen(function* () {
      const delivery = yield* published(Streams.inbox, Subjects.runRequested("nightly"), "{")
      assert.strictEqual((yield* handleRequest(yield* dispatcher(), delivery))._tag, "Dead")
      assert.deepInclude((yield* ends)[0], { runId: RunId.make("nightly"), outcome: "rejected", attempts: 0 })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect.each([
    { what: "a misspelt field", body: { ...job, imgae: "alpine" }, code: "InvalidRequest" },
    { what: "a pool that does not exist", body: { ...job, pool: "batch" }, code: "InvalidRequest" },
    { what: "a size that Fargate lacks", body: { ...job, cpu: 1024, memory: 512 }, code: "InvalidRequest" }
  ])("$what: rejected once, however often it is delivered", ({ body, code }) =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      const delivery = yield* request(body)
      assert.deepStrictEqual(yield* handleRequest(fleet, delivery), { _tag: "Ack" })
      assert.deepStrictEqual(yield* handleRequest(fleet, again(delivery)), { _tag: "Ack" })
      const [end, ...more] = yield* ends
      assert.deepStrictEqual([end?.outcome, end?.error?.code, more.length], ["rejected", code, 0])
      assert.deepStrictEqual(yield* orders, [])
      assert.deepStrictEqual(yield* liveRuns, [])
      assert.deepStrictEqual(yield* revisions, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("a payload over ECS's limit ends the run before any AWS call, naming the field", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      const tooLarge = { ...job, env: { PAYLOAD: "x".repeat(OVERRIDES_CHARACTERS_MAX) } }
      assert.deepStrictEqual(yield* handleRequest(fleet, yield* request(tooLarge)), { _tag: "Ack" })
      const [end] = yield* ends
      assert.deepInclude(end, { outcome: "rejected", attempts: 0 })
      assert.deepInclude(end?.error, { code: "InvalidRequest", field: "env" })
      assert.notInclude(JSON.stringify(end), "xxx")
      assert.deepStrictEqual(yield* revisions, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("a pool that cannot be read is the request's problem, not a crash", () =>
    Effect.gen(function* () {
      const pools = yield* (yield* Buckets).open(BucketNames.pools)
      yield* pools.put("default", '{"cpu": "much"}')
      yield* handleRequest(yield* dispatcher(), yield* request(job))
      assert.include((yield* ends)[0]?.error?.message ?? "", 'Pool "default" is not valid')
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

/** One delivery to a dispatcher that dies after so many requests to the bus, then as many as it takes to a sound one. */
const crashAfter = (requestsMax: number, delivery: Delivery) =>
  Effect.gen(function* () {
    const first = Effect.flatMap(dispatcher(requestsMax), (fleet) => handleRequest(fleet, delivery))
    const result = yield* inTime(Effect.result(first))
    const verdict = yield* untilDone(yield* dispatcher(), again(delivery))
    return { survived: Result.isSuccess(result), verdict }
  })

/** A definition that only AWS refuses. */
const refusedByAws = EcsCalls.use(({ fail }) =>
  fail(
    "registerTaskDefinition",
    [1, 2].map(() => anAwsFailure("never", { code: "TaskDefinitionInvalid" }))
  )
)

describe("handleRequest: crash between any two lines, then a redelivery", () => {
  it.effect("completes the launch: one record, one order, one revision", () =>
    Effect.gen(function* () {
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const { survived, verdict } = yield* crashAfter(requestsMax, yield* request(job))
          assert.deepStrictEqual(verdict, { _tag: "Ack" })
          assert.strictEqual((yield* recordOf("nightly"))?.state, "launching")
          assert.deepStrictEqual(yield* liveRuns, ["nightly"])
          assert.strictEqual((yield* orders).length, 1)
          assert.strictEqual((yield* revisions).length, 1)
          return survived
        })
      )
      assert.isAbove(places, 8)
    })
  )

  it.effect("completes a refusal: one end, nothing live", () =>
    Effect.gen(function* () {
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          yield* refusedByAws
          const { survived, verdict } = yield* crashAfter(requestsMax, yield* request(job))
          assert.deepStrictEqual(verdict, { _tag: "Ack" })
          assert.deepStrictEqual(
            (yield* ends).map(({ outcome }) => outcome),
            ["rejected"]
          )
          assert.deepStrictEqual(yield* liveRuns, [])
          return survived
        }).pipe(Effect.provide(EcsCalls.layer))
      )
      assert.isAbove(places, 8)
    })
  )
})
