import type { TaskDefinition } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, References } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import { mutable } from "#aws/Mutable.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Pace } from "#aws/Pace.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { aJob, anAwsFailure } from "#test/support/builders.ts"
import { EcsCalls, tooManyAttempts } from "#test/support/EcsCalls.ts"
import { inTime, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import { obtain, pacedEcs, registerWaitMillis, usable, type Wanted } from "./register.ts"

const region = "us-east-1"
const definition = prepareTaskDefinition(aJob(), region).definition
const wanted: Wanted = { key: "k", definition, place: { region }, match: false, autoDeregister: false }
const layerFleet = EcsCalls.layer.pipe(Layer.provideMerge(layerMemoryFleet()))

const port = Effect.gen(function* () {
  return pacedEcs(yield* Ecs, yield* Pace)
})
const tried = (tries = 3, compareFirst = false) =>
  Effect.flatMap(port, (ecs) => inTime(Effect.result(obtain(ecs, wanted, { compareFirst, tries }))))
const registrations = Effect.map(EcsCalls, ({ count }) => count("registerTaskDefinition"))
const revisions = Effect.flatMap(EcsModel, ({ ecs }) => ecs.ListTaskDefinitions(region, {})).pipe(
  Effect.map(({ taskDefinitionArns = [] }) => taskDefinitionArns)
)
const failures = (count: number, retry: "throttle" | "transient" | "never") =>
  Array.from({ length: count }, () => anAwsFailure(retry))

/** What was logged, from the least important level on. */
const logged = () => {
  const lines: Array<{ readonly level: string; readonly message: unknown }> = []
  const logger = Logger.make(({ logLevel, message }) => {
    lines.push({ level: logLevel, message })
  })
  return {
    lines,
    layer: Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "Debug"))
  }
}

describe("registerWaitMillis", () => {
  it.each([
    { tryNumber: 1, chance: 0.5, millis: 1000 },
    { tryNumber: 2, chance: 0.5, millis: 2000 },
    { tryNumber: 4, chance: 0.5, millis: 8000 },
    { tryNumber: 5, chance: 0.5, millis: 10_000 },
    { tryNumber: 1000, chance: 0.5, millis: 10_000 },
    { tryNumber: 1, chance: 0, millis: 800 },
    { tryNumber: 1, chance: 1, millis: 1200 }
  ])("after try $tryNumber, by chance $chance: $millis ms", ({ chance, millis, tryNumber }) => {
    assert.strictEqual(registerWaitMillis(tryNumber, chance), millis)
  })
})

describe("obtain", () => {
  it.effect.each([
    { what: "fails twice, then works", failing: 2, tries: 3, calls: 3, ends: "Success" },
    { what: "fails three times", failing: 3, tries: 3, calls: 3, ends: "Failure" },
    { what: "fails four times, five being allowed", failing: 4, tries: 5, calls: 5, ends: "Success" },
    { what: "fails five times, five being allowed", failing: 5, tries: 5, calls: 5, ends: "Failure" }
  ] as const)("registering $what: $calls calls (scenario 40)", ({ calls, ends, failing, tries }) =>
    Effect.gen(function* () {
      yield* (yield* EcsCalls).fail("registerTaskDefinition", failures(failing, "throttle"))
      assert.strictEqual((yield* tried(tries))._tag, ends)
      assert.strictEqual(yield* registrations, calls)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("each repetition is a warning with its delay and number; a refusal is not repeated (peers 50)", () => {
    const log = logged()
    return Effect.gen(function* () {
      const calls = yield* EcsCalls
      yield* calls.fail("registerTaskDefinition", [...failures(1, "throttle"), ...failures(1, "transient")])
      yield* tried()
      const warnings = log.lines.filter(({ level }) => level === "Warn").map(({ message }) => message)
      assert.lengthOf(warnings, 2)
      for (const [index, message] of warnings.entries()) {
        const [, facts] = message as ReadonlyArray<Readonly<Record<string, unknown>>>
        assert.deepInclude(facts, { family: definition.family, try: index + 1 })
        const waits = [800, 1600, 3200].slice(index, index + 1)
        for (const wait of waits) {
          assert.isAtLeast(Number(facts?.["delayMillis"]), wait)
          assert.isAtMost(Number(facts?.["delayMillis"]), wait * 1.5)
        }
      }
      const before = calls.count("registerTaskDefinition")
      yield* calls.fail("registerTaskDefinition", failures(1, "never"))
      assert.strictEqual((yield* tried())._tag, "Failure")
      assert.strictEqual(calls.count("registerTaskDefinition"), before + 1)
    }).pipe(Effect.provide(layerFleet), Effect.provide(log.layer))
  })

  it.effect(
    "ten racers that know nothing of each other, of which ECS takes one at a time: one revision, used by all (peers 51, scenario 74)",
    () =>
      Effect.gen(function* () {
        const racers = Array.from({ length: 10 }, () =>
          Effect.flatMap(port, (ecs) => obtain(ecs, wanted, { compareFirst: false, tries: 3 }))
        )
        const found = yield* inTime(Effect.all(racers, { concurrency: "unbounded" }))
        assert.deepStrictEqual([...new Set(found.map(({ arn }) => arn))], [...(yield* revisions)])
        assert.lengthOf(
          found.filter(({ registered }) => registered),
          1
        )
      }).pipe(Effect.provide(layerFleet))
  )

  it.effect("a family whose latest revision is not ACTIVE is no match, whatever it holds (peers 42)", () =>
    Effect.gen(function* () {
      const taskDefinitionArn = "arn:aws:ecs:us-east-1:000000000000:task-definition/fleet_default:9"
      const inactive = { ...mutable(definition), taskDefinitionArn, status: "INACTIVE" } as TaskDefinition
      const ecs = { ...(yield* port), describeTaskDefinition: () => Effect.succeed(inactive) }
      const { arn, registered } = yield* inTime(obtain(ecs, wanted, { compareFirst: true, tries: 3 }))
      assert.isTrue(registered)
      assert.notStrictEqual(arn, taskDefinitionArn)
      const active = {
        ...(yield* port),
        describeTaskDefinition: () => Effect.succeed({ ...inactive, status: "ACTIVE" as const })
      }
      assert.deepStrictEqual(yield* inTime(obtain(active, wanted, { compareFirst: true, tries: 3 })), {
        arn: taskDefinitionArn,
        registered: false
      })
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("refused because somebody registers the family just then: theirs is used if it is equal", () =>
    Effect.gen(function* () {
      yield* (yield* EcsCalls).fail("registerTaskDefinition", [tooManyAttempts], { carriedOut: true })
      assert.strictEqual((yield* tried())._tag, "Success")
      assert.lengthOf(yield* revisions, 1)
      assert.strictEqual(yield* registrations, 1)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("refused because somebody registers the family just then: if theirs is another, ours is registered", () =>
    Effect.gen(function* () {
      const { ecs } = yield* EcsModel
      yield* ecs.RegisterTaskDefinition(region, { ...structuredClone(definition), cpu: "512" } as never)
      yield* (yield* EcsCalls).fail("registerTaskDefinition", [tooManyAttempts])
      assert.strictEqual((yield* tried())._tag, "Success")
      assert.lengthOf(yield* revisions, 2)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect.each([1, 2])("crash of %i answers: what ECS has registered is found, not registered twice", (lost) =>
    Effect.gen(function* () {
      yield* (yield* EcsCalls).fail("registerTaskDefinition", failures(lost, "transient"), { carriedOut: true })
      assert.strictEqual((yield* tried())._tag, "Success")
      assert.lengthOf(yield* revisions, 1)
    }).pipe(Effect.provide(layerFleet))
  )
})

describe("the pace of registrations", () => {
  const waitAfter = (failure: AwsFailure) =>
    Effect.gen(function* () {
      yield* (yield* EcsCalls).fail("registerTaskDefinition", [failure])
      yield* tried(1)
      return yield* (yield* Pace).waitMillis("modifyTaskDefinition", { region })
    }).pipe(Effect.provide(layerFleet))

  it.effect("slows down when the quota is reached, not when the family is busy", () =>
    Effect.gen(function* () {
      assert.isAbove(yield* waitAfter(anAwsFailure("throttle", { awsName: "ThrottlingException" })), 0)
      assert.strictEqual(yield* waitAfter(tooManyAttempts), 0)
    })
  )
})

describe("usable", () => {
  it.effect("the differences of a definition that is not reused are named in a debug line (scenario 42)", () => {
    const log = logged()
    return Effect.gen(function* () {
      const { ecs } = yield* EcsModel
      const other = prepareTaskDefinition(aJob({ image: "busybox", cpu: 256, memory: 512 }), region).definition
      yield* ecs.RegisterTaskDefinition(region, structuredClone(other) as never)
      assert.isUndefined(yield* usable(yield* port, wanted, definition.family))
      const line = log.lines.find(({ level }) => level === "Debug")
      const [, facts] = (line?.message ?? []) as ReadonlyArray<Readonly<Record<string, unknown>>>
      assert.sameMembers(facts?.["differences"] as Array<string>, ["cpu", "memory", "containerDefinitions.0.image"])
    }).pipe(Effect.provide(layerFleet), Effect.provide(log.layer))
  })

  it.effect.each(["throttle", "transient", "credentials"] as const)(
    "a look-up that failed for now (%s) is no miss",
    (retry) =>
      Effect.gen(function* () {
        yield* (yield* EcsCalls).fail("describeTaskDefinition", [anAwsFailure(retry)])
        const result = yield* Effect.result(usable(yield* port, wanted, "any"))
        assert.strictEqual(result._tag, "Failure")
      }).pipe(Effect.provide(layerFleet))
  )
})
