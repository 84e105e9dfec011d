import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { text } from "#bus/Message.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aJob, anAwsFailure } from "#test/support/builders.ts"
import { EcsCalls } from "#test/support/EcsCalls.ts"
import {
  crashEverywhere,
  defaultsOf,
  inTime,
  layerMemoryFleet,
  processPorts,
  published
} from "#test/support/MemoryFleet.ts"
import { stopped } from "#test/support/messages.ts"
import { dispatcherConfig } from "./config.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { handleFact } from "./handle.ts"
import { handleRequest } from "./requests.ts"
import { sweep, sweepForEver } from "./sweep.ts"

const settings = defaultsOf(dispatcherConfig)
const dispatcher = (requestsMax?: number) => Effect.provide(makeFleet(settings), processPorts(requestsMax))
const layerFleet = EcsCalls.layer.pipe(Layer.provideMerge(layerMemoryFleet()))
const region = "us-east-1"
const definition = prepareTaskDefinition(aJob(), region).definition
const flagged = { match: false, autoDeregister: true }

const arnOf = (fleet: Fleet, wish = flagged) =>
  inTime(Effect.map(fleet.definitions.ensure(definition, { region }, wish), ({ arn }) => arn))
const active = Effect.flatMap(EcsModel, ({ ecs }) => ecs.ListTaskDefinitions(region, { status: "ACTIVE" })).pipe(
  Effect.map(({ taskDefinitionArns = [] }) => taskDefinitionArns)
)
const deregistrations = Effect.map(EcsCalls, ({ count }) => count("deregisterTaskDefinition"))
const idle = TestClock.adjust("3601 seconds")
const entriesOf = (fleet: Fleet) =>
  Effect.map(fleet.definitionEntries.entries(), (all) =>
    all.map(({ value }) => JSON.parse(text({ data: value })) as Readonly<Record<string, unknown>>)
  )

const run = (fleet: Fleet, runId: string, body: object) =>
  Effect.gen(function* () {
    const data = JSON.stringify({ image: "alpine", ...body })
    yield* inTime(handleRequest(fleet, yield* published(Streams.inbox, Subjects.runRequested(runId), data)))
  })
const end = (fleet: Fleet, runId: string) =>
  Effect.gen(function* () {
    const data = Codecs.taskStopped.encode(stopped(0, { runId: RunId.make(runId) }).message)
    yield* handleFact(fleet, yield* published(Streams.fleet, Subjects.taskStopped(runId, 1), data))
  })
const numberActive = Effect.map(active, (arns) => arns.length)

describe("the sweep of idle definitions", () => {
  it.effect("deregisters what has been unused for an hour, and registers it anew when it is wanted again", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      const arn = yield* arnOf(fleet)
      yield* TestClock.adjust("3590 seconds")
      yield* sweep(fleet, settings)
      assert.deepStrictEqual(yield* active, [arn])
      yield* TestClock.adjust("60 seconds")
      yield* sweep(fleet, settings)
      assert.deepStrictEqual(yield* active, [])
      const fresh = yield* arnOf(fleet)
      assert.notStrictEqual(fresh, arn)
      assert.deepStrictEqual(yield* active, [fresh])
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect(
    "a job's own definition, once no live run uses it; an hour begins with the last one's end (peers 53, scenario 59)",
    () =>
      Effect.gen(function* () {
        const fleet = yield* dispatcher()
        const idleAndSwept = Effect.andThen(idle, sweep(fleet, settings))
        const shared = { family: "shared", cloudwatchLogsPrefix: "p" }
        yield* run(fleet, "nightly", { ...shared, autoDeregisterTaskDefinition: true })
        yield* run(fleet, "another", shared)
        assert.strictEqual(yield* numberActive, 1)
        yield* end(fleet, "nightly")
        yield* idleAndSwept
        assert.strictEqual(yield* numberActive, 1)
        yield* end(fleet, "another")
        yield* sweep(fleet, settings)
        assert.strictEqual(yield* numberActive, 1)
        yield* idleAndSwept
        assert.strictEqual(yield* numberActive, 0)
      }).pipe(Effect.provide(layerFleet))
  )

  it.effect("after the job, and never a linked one, with the flag or without (peers 52, scenario 26)", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      const { ecs } = yield* EcsModel
      const { definition: theirs } = prepareTaskDefinition(aJob({ family: "reports" }), region)
      const { taskDefinition } = yield* ecs.RegisterTaskDefinition(region, structuredClone(theirs) as never)
      const taskDefinitionArn = taskDefinition?.taskDefinitionArn ?? ""
      yield* run(fleet, "own", { autoDeregisterTaskDefinition: true })
      yield* run(fleet, "linked", { taskDefinitionArn, autoDeregisterTaskDefinition: true })
      yield* run(fleet, "plain", { taskDefinitionArn })
      for (const runId of ["own", "linked", "plain"]) yield* end(fleet, runId)
      yield* idle
      yield* sweep(fleet, settings)
      assert.deepStrictEqual(yield* active, [taskDefinitionArn])
      assert.strictEqual(yield* deregistrations, 1)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("without the flag, or adopted from somebody else, it stays", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* arnOf(fleet, { match: false, autoDeregister: false })
      const { ecs } = yield* EcsModel
      const { definition: foreign } = prepareTaskDefinition(aJob({ family: "reports" }), region)
      yield* ecs.RegisterTaskDefinition(region, structuredClone(foreign) as never)
      yield* inTime(fleet.definitions.ensure(foreign, { region }, { match: true, autoDeregister: true }))
      yield* idle
      yield* sweep(fleet, settings)
      assert.lengthOf(yield* active, 2)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("twice at once, on three replicas: ECS is told once", () =>
    Effect.gen(function* () {
      const fleets = [yield* dispatcher(), yield* dispatcher(), yield* dispatcher()]
      yield* Effect.forEach(fleets.slice(0, 1), (fleet) => arnOf(fleet))
      yield* idle
      const sweeps = Effect.forEach(fleets, (fleet) => sweep(fleet, settings), { concurrency: 3 })
      yield* inTime(sweeps)
      assert.strictEqual(yield* deregistrations, 1)
      assert.lengthOf(yield* active, 0)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("crash between any two lines: a later sweep completes it, and who wants it gets a live one", () =>
    Effect.gen(function* () {
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const sound = yield* dispatcher()
          const arn = yield* arnOf(sound)
          yield* idle
          const result = yield* inTime(
            Effect.result(
              Effect.timeout(
                Effect.flatMap(dispatcher(requestsMax), (fleet) => sweep(fleet, settings)),
                "2 minutes"
              )
            )
          )
          const left = (yield* entriesOf(sound))[0]?.["state"]
          yield* TestClock.adjust("31 seconds")
          yield* inTime(sweep(sound, settings))
          assert.deepStrictEqual(yield* active, [])
          assert.deepStrictEqual(
            (yield* entriesOf(sound)).map(({ state }) => state),
            ["absent"]
          )
          const fresh = yield* arnOf(sound)
          assert.notStrictEqual(fresh, arn)
          return result._tag === "Success" && left === "absent"
        }).pipe(Effect.provide(EcsCalls.layer))
      )
      assert.isAbove(places, 3)
    })
  )

  it.effect("crash amid it, and the definition is wanted before the next sweep: it is registered anew", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      const arn = yield* arnOf(fleet)
      const [key = ""] = yield* fleet.definitionEntries.keys()
      const since = instantOf(yield* Clock.currentTimeMillis)
      yield* fleet.definitionEntries.put(key, JSON.stringify({ v: 1, state: "deregistering", arn, since }))
      const fresh = yield* arnOf(yield* dispatcher())
      assert.notStrictEqual(fresh, arn)
      yield* TestClock.adjust("31 seconds")
      yield* sweep(fleet, settings)
      assert.include(yield* active, fresh)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("late: one that somebody deregistered before is as good as done; one that AWS refuses is tried again", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* arnOf(fleet)
      yield* idle
      const calls = yield* EcsCalls
      yield* calls.fail("deregisterTaskDefinition", [
        anAwsFailure("never", { code: "AccessDenied" }),
        anAwsFailure("inactive")
      ])
      const stateAfter = Effect.map(
        Effect.andThen(inTime(sweep(fleet, settings)), entriesOf(fleet)),
        ([entry]) => entry?.["state"]
      )
      assert.strictEqual(yield* stateAfter, "deregistering")
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual(yield* stateAfter, "absent")
      yield* TestClock.adjust("25 hours")
      assert.isUndefined(yield* stateAfter)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("comes round by itself", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* arnOf(fleet)
      yield* Effect.forkChild(sweepForEver(fleet, settings))
      yield* TestClock.adjust("3000 seconds")
      assert.lengthOf(yield* active, 1)
      yield* TestClock.adjust("1300 seconds")
      assert.lengthOf(yield* active, 0)
    }).pipe(Effect.provide(layerFleet))
  )
})
