import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Option, Result, Schedule } from "effect"
import { TestClock } from "effect/testing"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { aJob, anAwsFailure } from "#test/support/builders.ts"
import { EcsCalls } from "#test/support/EcsCalls.ts"
import { crashEverywhere, defaultsOf, inTime, layerMemoryFleet, processPorts } from "#test/support/MemoryFleet.ts"
import { dispatcherConfig } from "./config.ts"
import { type Definitions, makeDefinitions } from "./definitions.ts"

const region = "us-east-1"
const definitionOf = (request: Parameters<typeof aJob>[0] = {}) =>
  prepareTaskDefinition(aJob(request), region).definition
const wanted = definitionOf()
const plain = { match: false, autoDeregister: false }

const settings = defaultsOf(dispatcherConfig)
const layerFleet = EcsCalls.layer.pipe(Layer.provideMerge(layerMemoryFleet()))

const bucket = Effect.flatMap(Buckets, (buckets) => buckets.open(BucketNames.taskDefinitions))
const replica = Effect.flatMap(bucket, (bucket) => makeDefinitions(bucket, settings))

const arnOf = (definitions: Definitions, definition = wanted, wish: Parameters<Definitions["ensure"]>[2] = plain) =>
  inTime(Effect.map(definitions.ensure(definition, { region }, wish), ({ arn }) => arn))

const entries = Effect.gen(function* () {
  const kept = yield* (yield* bucket).entries()
  return kept.map(({ value }) => JSON.parse(text({ data: value })) as Readonly<Record<string, unknown>>)
})
const states = Effect.map(entries, (all) => all.map(({ state }) => state))

const revisions = Effect.flatMap(EcsModel, ({ ecs }) => ecs.ListTaskDefinitions(region, { status: "ACTIVE" })).pipe(
  Effect.map(({ taskDefinitionArns = [] }) => taskDefinitionArns)
)
const forgetAll = Effect.gen(function* () {
  const kept = yield* bucket
  yield* Effect.forEach(yield* kept.keys(), kept.delete, { discard: true })
})
const registrations = Effect.map(EcsCalls, ({ count }) => count("registerTaskDefinition"))
const deregisterBehindOurBack = (taskDefinition: string) =>
  Effect.flatMap(EcsModel, ({ ecs }) => ecs.DeregisterTaskDefinition(region, { taskDefinition }))

describe("ensure", () => {
  it.effect(
    "twice and later: the revision that is there, also for another replica, and written in another order (peers 37, scenario 28)",
    () =>
      Effect.gen(function* () {
        const executionRoleArn = "arn:aws:iam::123456789012:role/execution"
        const arns = { A: "arn:aws:ssm:us-east-1:1:parameter/a", B: "arn:aws:ssm:us-east-1:1:parameter/b" }
        const written = definitionOf({ executionRoleArn, secrets: { A: arns.A, B: arns.B } })
        const otherwise = definitionOf({ executionRoleArn, secrets: { B: arns.B, A: arns.A } })
        const one = yield* replica
        const { arn, registered } = yield* inTime(one.ensure(written, { region }, plain))
        assert.isTrue(registered)
        assert.deepStrictEqual(yield* one.ensure(otherwise, { region }, plain), { arn, registered: false })
        const other = yield* replica
        assert.deepStrictEqual(yield* other.ensure(otherwise, { region }, plain), { arn, registered: false })
        yield* TestClock.adjust("301 seconds")
        assert.strictEqual(yield* arnOf(other, written), arn)
        assert.strictEqual(yield* registrations, 1)
      }).pipe(Effect.provide(layerFleet))
  )

  it.effect("another image is another revision of the family", () =>
    Effect.gen(function* () {
      const definitions = yield* replica
      const [one, other] = [yield* arnOf(definitions), yield* arnOf(definitions, definitionOf({ image: "busybox" }))]
      assert.notStrictEqual(one, other)
      assert.strictEqual((yield* revisions).length, 2)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect(
    "a revision that somebody deregistered is replaced when it is looked at again (peers 39, scenario 31)",
    () =>
      Effect.gen(function* () {
        const definitions = yield* replica
        const gone = yield* arnOf(definitions)
        yield* deregisterBehindOurBack(gone)
        yield* TestClock.adjust("301 seconds")
        const fresh = yield* arnOf(definitions)
        assert.notStrictEqual(fresh, gone)
        assert.deepStrictEqual(yield* revisions, [fresh])
      }).pipe(Effect.provide(layerFleet))
  )

  it.effect("one that cannot be described, is not ACTIVE or not equal counts as none (peers 38)", () =>
    Effect.gen(function* () {
      const calls = yield* EcsCalls
      const first = yield* arnOf(yield* replica)
      yield* calls.fail("describeTaskDefinition", [anAwsFailure("never", { code: "AccessDenied" })])
      const second = yield* arnOf(yield* replica)
      assert.notStrictEqual(second, first)
      yield* deregisterBehindOurBack(second)
      const third = yield* arnOf(yield* replica)
      assert.notStrictEqual(third, second)
      const kept = yield* bucket
      const [key = ""] = yield* kept.keys()
      const other = yield* arnOf(yield* replica, definitionOf({ image: "busybox" }))
      yield* kept.put(key, JSON.stringify({ v: 1, state: "ready", arn: other, since: "2026-01-01T00:00:00.000Z" }))
      assert.notStrictEqual(yield* arnOf(yield* replica), other)
      assert.strictEqual(yield* registrations, 5)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("an entry that cannot be read is replaced", () =>
    Effect.gen(function* () {
      const arn = yield* arnOf(yield* replica)
      const kept = yield* bucket
      const [key = ""] = yield* kept.keys()
      yield* kept.put(key, "?")
      assert.notStrictEqual(yield* arnOf(yield* replica), arn)
      assert.deepStrictEqual(yield* states, ["ready"])
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("its use is noted when it is checked, not with every run", () =>
    Effect.gen(function* () {
      const definitions = yield* replica
      yield* arnOf(definitions)
      const usedAt = Effect.map(entries, (all) => all[0]?.["usedAt"])
      const first = yield* usedAt
      for (const _ of [1, 2, 3]) {
        yield* TestClock.adjust("100 seconds")
        yield* arnOf(definitions)
      }
      assert.notStrictEqual(yield* usedAt, first)
      const second = yield* usedAt
      yield* TestClock.adjust("200 seconds")
      yield* arnOf(definitions)
      assert.strictEqual(yield* usedAt, second)
    }).pipe(Effect.provide(layerFleet))
  )
})

describe("ensure, when ECS called an ARN inactive at a launch", () => {
  it.effect("a thousand ask, on three replicas that all believe in it: one more is registered", () =>
    Effect.gen(function* () {
      const replicas = yield* Effect.all([replica, replica, replica])
      const notArn = yield* arnOf(replicas[0])
      yield* Effect.forEach(replicas, (each) => arnOf(each))
      const ask = (n: number) =>
        (replicas[n % 3] ?? replicas[0]).ensure(wanted, { region }, { ...plain, notArn }).pipe(
          Effect.retry(Schedule.spaced("1 second")),
          Effect.map(({ arn }) => arn)
        )
      const numbers = Array.from({ length: 1000 }, (_, n) => n)
      const arns = yield* inTime(Effect.forEach(numbers, ask, { concurrency: "unbounded" }))
      assert.strictEqual(new Set(arns).size, 1)
      assert.notInclude(arns, notArn)
      assert.strictEqual(yield* registrations, 2)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("late: once it is replaced, the replacement is kept", () =>
    Effect.gen(function* () {
      const definitions = yield* replica
      const notArn = yield* arnOf(definitions)
      const fresh = yield* arnOf(definitions, wanted, { ...plain, notArn })
      assert.strictEqual(yield* arnOf(definitions, wanted, { ...plain, notArn }), fresh)
      assert.strictEqual(yield* arnOf(yield* replica, wanted, { ...plain, notArn }), fresh)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("nor is it taken from the family, though ECS still describes it as ACTIVE", () =>
    Effect.gen(function* () {
      const definitions = yield* replica
      const notArn = yield* arnOf(definitions)
      assert.notStrictEqual(yield* arnOf(definitions, wanted, { ...plain, match: true, notArn }), notArn)
    }).pipe(Effect.provide(layerFleet))
  )
})

describe("ensure with matchLatestRevisionInFamily", () => {
  const matching = { ...plain, match: true }
  const foreign = (change: object = {}) =>
    Effect.gen(function* () {
      const { ecs } = yield* EcsModel
      const { taskDefinition } = yield* ecs.RegisterTaskDefinition(region, {
        ...structuredClone(wanted),
        ...change
      } as never)
      return taskDefinition?.taskDefinitionArn ?? ""
    })

  it.effect(
    "with a cold cache the family's latest revision is reused, without the flag it is registered (peers 41)",
    () =>
      Effect.gen(function* () {
        const arn = yield* foreign()
        assert.deepStrictEqual(yield* inTime((yield* replica).ensure(wanted, { region }, matching)), {
          arn,
          registered: false
        })
        assert.strictEqual(yield* registrations, 0)
        yield* forgetAll
        assert.notStrictEqual(yield* arnOf(yield* replica), arn)
        assert.strictEqual(yield* registrations, 1)
      }).pipe(Effect.provide(layerFleet))
  )

  it.effect.each([{ request: {} }, { request: { family: "reports" } }])(
    "a second job in another process reuses it: $request (scenario 27)",
    ({ request }) =>
      Effect.gen(function* () {
        const arn = yield* arnOf(yield* replica, definitionOf(request))
        yield* forgetAll
        assert.strictEqual(yield* arnOf(yield* replica, definitionOf(request), matching), arn)
        assert.strictEqual(yield* registrations, 1)
      }).pipe(Effect.provide(layerFleet))
  )

  it.effect("one that differs is not reused", () =>
    Effect.gen(function* () {
      const arn = yield* foreign({ cpu: "512" })
      assert.notStrictEqual(yield* arnOf(yield* replica, wanted, matching), arn)
    }).pipe(Effect.provide(layerFleet))
  )
})

describe("crash of a registrar", () => {
  it.effect("others wait, hand back, and take over after its time", () =>
    Effect.gen(function* () {
      const arn = yield* arnOf(yield* replica)
      const kept = yield* bucket
      const [key = ""] = yield* kept.keys()
      const now = yield* Clock.currentTimeMillis
      yield* kept.put(key, JSON.stringify({ v: 1, state: "registering", since: instantOf(now) }))
      const other = yield* replica
      const early = yield* inTime(Effect.result(other.ensure(wanted, { region }, plain)))
      assert.strictEqual(Result.getFailure(early).pipe(Option.getOrUndefined)?._tag, "DefinitionBusy")
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual(yield* arnOf(other), arn)
      assert.deepStrictEqual(yield* revisions, [arn])
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("between any two lines: another registers it, and everybody ends with that one", () =>
    Effect.gen(function* () {
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const dying = Effect.flatMap(Effect.provide(replica, processPorts(requestsMax)), (one) =>
            one.ensure(wanted, { region }, plain)
          )
          const result = yield* inTime(Effect.result(dying))
          const arn = yield* untilThere(yield* replica)
          assert.strictEqual(yield* untilThere(yield* replica), arn)
          assert.deepStrictEqual(yield* revisions, [arn])
          return Result.isSuccess(result)
        }).pipe(Effect.provide(EcsCalls.layer))
      )
      assert.isAbove(places, 4)
    })
  )
})

/** As a request does: again and again until it is there. */
const untilThere = (definitions: Definitions): Effect.Effect<string> =>
  Effect.matchEffect(arnOf(definitions), {
    onFailure: () => Effect.andThen(TestClock.adjust("1 second"), untilThere(definitions)),
    onSuccess: Effect.succeed
  })
