import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Result } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { prepareTaskDefinition } from "#ecs-core/TaskDefinition.ts"
import { aJob, anAwsFailure, millis } from "#test/support/builders.ts"
import { defaultsOf, inTime, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import { at } from "#test/support/messages.ts"
import { dispatcherConfig } from "./config.ts"
import { decideEntry, makeDefinitions } from "./definitions.ts"

const region = "us-east-1"
const definition = prepareTaskDefinition(aJob(), region)

const settings = defaultsOf(dispatcherConfig)

const bucket = Effect.flatMap(Buckets, (buckets) => buckets.open(BucketNames.taskDefinitions))
const replica = Effect.flatMap(bucket, (bucket) => makeDefinitions(bucket, settings))

const states = Effect.gen(function* () {
  const entries = yield* (yield* bucket).entries()
  return entries.map(({ value }) => (JSON.parse(text({ data: value })) as { readonly state: string }).state)
})

const revisions = Effect.flatMap(EcsModel, ({ ecs }) => ecs.ListTaskDefinitions(region, { status: "ACTIVE" })).pipe(
  Effect.map(({ taskDefinitionArns = [] }) => taskDefinitionArns)
)

/** ECS whose first registrations, once carried out or not, are answered with these failures. */
const failingEcs = (options: { readonly failures: ReadonlyArray<AwsFailure>; readonly carriedOut: boolean }) =>
  Layer.effect(
    Ecs,
    Effect.map(Ecs, (ecs) => {
      const failures = [...options.failures]
      const registerTaskDefinition: typeof ecs.registerTaskDefinition = (target, input) =>
        Effect.suspend(() => {
          const failure = failures.shift()
          if (failure === undefined) return ecs.registerTaskDefinition(target, input)
          return options.carriedOut
            ? Effect.andThen(ecs.registerTaskDefinition(target, input), Effect.fail(failure))
            : Effect.fail(failure)
        })
      return Ecs.of({ ...ecs, registerTaskDefinition })
    })
  )

describe("decideEntry", () => {
  it.each([
    { what: "nothing there", entry: undefined, now: 0, step: "create" },
    { what: "an ARN, however old", entry: { state: "ready", arn: "a", since: at(0) }, now: 1e6, step: "check" },
    { what: "somebody registers", entry: { state: "registering", since: at(0) }, now: 30, step: "wait" },
    { what: "somebody died", entry: { state: "registering", since: at(0) }, now: 30.001, step: "takeOver" }
  ] as const)("$what: $step", ({ entry, now, step }) => {
    assert.strictEqual(decideEntry(entry, millis(now), 30), step)
  })
})

describe("ensure", () => {
  it.effect("twice and later: the revision that is there, also for another replica", () =>
    Effect.gen(function* () {
      const arn = yield* (yield* replica).ensure(definition, region)
      const other = yield* replica
      assert.strictEqual(yield* other.ensure(definition, region), arn)
      yield* TestClock.adjust("301 seconds")
      assert.strictEqual(yield* other.ensure(definition, region), arn)
      assert.deepStrictEqual(yield* revisions, [arn])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("another image is another revision of the family", () =>
    Effect.gen(function* () {
      const { ensure } = yield* replica
      const other = prepareTaskDefinition(aJob({ image: "busybox" }), region)
      assert.notStrictEqual(yield* ensure(definition, region), yield* ensure(other, region))
      assert.strictEqual((yield* revisions).length, 2)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("a revision that somebody deregistered is replaced when it is looked at again", () =>
    Effect.gen(function* () {
      const { ensure } = yield* replica
      const taskDefinition = yield* ensure(definition, region)
      yield* (yield* EcsModel).ecs.DeregisterTaskDefinition(region, { taskDefinition })
      yield* TestClock.adjust("301 seconds")
      const fresh = yield* ensure(definition, region)
      assert.notStrictEqual(fresh, taskDefinition)
      assert.deepStrictEqual(yield* revisions, [fresh])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("an entry that cannot be read is replaced", () =>
    Effect.gen(function* () {
      const arn = yield* (yield* replica).ensure(definition, region)
      const kept = yield* bucket
      const [key = ""] = yield* kept.keys()
      yield* kept.put(key, "?")
      assert.notStrictEqual(yield* (yield* replica).ensure(definition, region), arn)
      assert.deepStrictEqual(yield* states, ["ready"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("crash of a registrar: others wait, hand back, and take over after its time", () =>
    Effect.gen(function* () {
      const arn = yield* (yield* replica).ensure(definition, region)
      const kept = yield* bucket
      const [key = ""] = yield* kept.keys()
      yield* kept.put(key, JSON.stringify({ v: 1, state: "registering", since: "1970-01-01T00:00:00.000Z" }))
      const other = yield* replica
      const early = yield* inTime(Effect.result(other.ensure(definition, region)))
      assert.strictEqual(Result.getFailure(early).pipe(Option.getOrUndefined)?._tag, "DefinitionBusy")
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual(yield* other.ensure(definition, region), arn)
      assert.deepStrictEqual(yield* revisions, [arn])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect.each([1, 2, 3])(
    "crash of %i answers: what ECS has registered is found again, not registered twice",
    (lost) =>
      Effect.gen(function* () {
        const { ensure } = yield* replica
        const untilThere: Effect.Effect<string> = Effect.matchEffect(inTime(ensure(definition, region)), {
          onFailure: () => Effect.suspend(() => untilThere),
          onSuccess: Effect.succeed
        })
        const arn = yield* untilThere
        assert.deepStrictEqual(yield* revisions, [arn])
      }).pipe(
        Effect.provide(
          failingEcs({ failures: Array.from({ length: lost }, () => anAwsFailure("transient")), carriedOut: true })
        ),
        Effect.provide(layerMemoryFleet())
      )
  )

  it.effect.each(["throttle", "never", "credentials"] as const)("refused (%s): nobody waits for a registrar", (retry) =>
    Effect.gen(function* () {
      const { ensure } = yield* replica
      const failure = yield* Effect.flip(ensure(definition, region))
      assert.deepInclude(failure, { _tag: "AwsFailure", retry })
      assert.deepStrictEqual(yield* states, [])
      yield* inTime(ensure(definition, region))
      assert.strictEqual((yield* revisions).length, 1)
    }).pipe(
      Effect.provide(failingEcs({ failures: [anAwsFailure(retry)], carriedOut: false })),
      Effect.provide(layerMemoryFleet())
    )
  )
})
