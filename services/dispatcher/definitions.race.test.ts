import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result, Schedule } from "effect"
import { TestClock } from "effect/testing"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { prepareTaskDefinition, type TaskDefinitionInput } from "#ecs-core/PrepareDefinition.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { definitionKey } from "#ecs-core/TaskDefinition.ts"
import { aJob, anAwsFailure } from "#test/support/builders.ts"
import { EcsCalls } from "#test/support/EcsCalls.ts"
import { defaultsOf, inTime, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import { dispatcherConfig } from "./config.ts"
import { type Definitions, makeDefinitions } from "./definitions.ts"

const region = "us-east-1"
const definitionOf = (request: Parameters<typeof aJob>[0] = {}) =>
  prepareTaskDefinition(aJob(request), region).definition
const plain = { match: false, autoDeregister: false }
const settings = defaultsOf(dispatcherConfig)
const layerFleet = EcsCalls.layer.pipe(Layer.provideMerge(layerMemoryFleet()))

const bucket = Effect.flatMap(Buckets, (buckets) => buckets.open(BucketNames.taskDefinitions))
const replica = Effect.flatMap(bucket, (bucket) => makeDefinitions(bucket, settings))
const replicas = (count: number) => Effect.all(Array.from({ length: count }, () => replica))
const registrations = Effect.map(EcsCalls, ({ count }) => count("registerTaskDefinition"))
const revisions = Effect.flatMap(EcsModel, ({ ecs }) => ecs.ListTaskDefinitions(region, {})).pipe(
  Effect.map(({ taskDefinitionArns = [] }) => taskDefinitionArns)
)
const states = Effect.gen(function* () {
  const entries = yield* (yield* bucket).entries()
  return entries.map(({ value }) => (JSON.parse(text({ data: value })) as { readonly state: string }).state)
})

/** As a request does: handed back for a second whenever another replica is at it. */
const untilThere = (definitions: Definitions, definition: TaskDefinitionInput): Effect.Effect<string> =>
  definitions.ensure(definition, { region }, plain).pipe(
    Effect.retry(Schedule.spaced("1 second")),
    Effect.orDie,
    Effect.map(({ arn }) => arn)
  )

describe("several replicas at once", () => {
  it.effect("ten racers for one definition: one registration, used by all", () =>
    Effect.gen(function* () {
      const wanted = definitionOf()
      const racers = Effect.forEach(yield* replicas(10), (each) => untilThere(each, wanted), { concurrency: 10 })
      const arns = yield* inTime(racers)
      assert.lengthOf(arns, 10)
      assert.deepStrictEqual([...new Set(arns)], [...(yield* revisions)])
      assert.strictEqual(yield* registrations, 1)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("different definitions of one family, of which ECS takes one at a time: a revision each", () =>
    Effect.gen(function* () {
      const wanted = [256, 512, 1024].map((cpu) => definitionOf({ cpu, memory: 2048 }))
      const racers = Effect.forEach(
        yield* replicas(3),
        (each, n) => Effect.forEach(wanted.slice(n, n + 1), (definition) => untilThere(each, definition)),
        { concurrency: 3 }
      )
      assert.strictEqual(new Set((yield* inTime(racers)).flat()).size, 3)
      assert.lengthOf(yield* revisions, 3)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect(
    "more new definitions than the quota lets through in the time of a take-over: each is registered once",
    () =>
      Effect.gen(function* () {
        const wanted = Array.from({ length: 80 }, (_, n) => definitionOf({ family: `family-${n}` }))
        const both = yield* replicas(2)
        const all = both.flatMap((each) => wanted.map((definition) => untilThere(each, definition)))
        const arns = yield* inTime(Effect.all(all, { concurrency: "unbounded" }))
        assert.strictEqual(new Set(arns).size, 80)
        assert.strictEqual(yield* registrations, 80)
      }).pipe(Effect.provide(layerFleet))
  )

  it.effect("late: a registrar that was silent for too long finds its claim taken over, and uses what is there", () =>
    Effect.gen(function* () {
      const wanted = definitionOf()
      const kept = yield* bucket
      const [one, other] = [yield* replica, yield* replica]
      yield* (yield* EcsCalls).silence("registerTaskDefinition")
      const slow = yield* Effect.forkChild(Effect.result(one.ensure(wanted, { region }, plain)), {
        startImmediately: true
      })
      yield* TestClock.adjust("50 millis")
      assert.deepStrictEqual(yield* states, ["registering"])
      const key = definitionKey(wanted, region)
      yield* kept.put(key, JSON.stringify({ v: 1, state: "registering", since: "1969-12-31T00:00:00.000Z", by: "x" }))
      const arn = yield* inTime(untilThere(other, wanted))
      while (slow.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* inTime(untilThere(one, wanted)), arn)
      assert.deepStrictEqual(yield* states, ["ready"])
      assert.deepStrictEqual(yield* revisions, [arn])
    }).pipe(Effect.provide(layerFleet))
  )
})

describe("a registration that is refused", () => {
  it.effect.each(["never", "credentials"] as const)("(%s): nobody waits for its registrar", (retry) =>
    Effect.gen(function* () {
      yield* (yield* EcsCalls).fail("registerTaskDefinition", [anAwsFailure(retry)])
      const definitions = yield* replica
      const failure = yield* inTime(Effect.flip(definitions.ensure(definitionOf(), { region }, plain)))
      assert.deepInclude(failure, { _tag: "AwsFailure", retry })
      assert.deepStrictEqual(yield* states, ["absent"])
      const again = yield* inTime(Effect.result(definitions.ensure(definitionOf(), { region }, plain)))
      assert.isTrue(Result.isSuccess(again))
      assert.lengthOf(yield* revisions, 1)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("crash of every answer: the next one, on any replica, compares at once and finds it", () =>
    Effect.gen(function* () {
      const lost = Array.from({ length: 3 }, () => anAwsFailure("transient"))
      const calls = yield* EcsCalls
      yield* calls.fail("registerTaskDefinition", lost.slice(0, 1), { carriedOut: true })
      yield* calls.fail("describeTaskDefinition", lost.slice(1))
      const failure = yield* inTime(Effect.flip((yield* replica).ensure(definitionOf(), { region }, plain)))
      assert.deepInclude(failure, { _tag: "AwsFailure", retry: "transient" })
      assert.deepStrictEqual(yield* states, ["lost"])
      const { arn, registered } = yield* inTime((yield* replica).ensure(definitionOf(), { region }, plain))
      assert.isFalse(registered)
      assert.deepStrictEqual(yield* revisions, [arn])
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("crash by interruption: the claim is given up at once", () =>
    Effect.gen(function* () {
      const definitions = yield* replica
      yield* (yield* EcsCalls).silence("registerTaskDefinition")
      const fiber = yield* Effect.forkChild(definitions.ensure(definitionOf(), { region }, plain), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* states, ["registering"])
      fiber.interruptUnsafe()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* states, ["lost"])
    }).pipe(Effect.provide(layerFleet))
  )
})
