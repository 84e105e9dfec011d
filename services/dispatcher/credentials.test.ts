import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import type { Fault } from "#aws/model/Fault.ts"
import { Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import type { Pool } from "#ecs-core/Pool.ts"
import { BucketNames, Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aJob } from "#test/support/builders.ts"
import { keepPool } from "#test/support/credentialSets.ts"
import {
  again,
  defaultsOf,
  inTime,
  layerMemoryFleet,
  messagesOf,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import { dispatcherConfig } from "./config.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { credentialsProblem } from "./order.ts"
import { handleRequest } from "./requests.ts"
import { sweep } from "./sweep.ts"

const settings = defaultsOf(dispatcherConfig)
const dispatcher = Effect.provide(makeFleet(settings), processPorts())
const teamA = { name: "team-a", source: { _tag: "Ambient" }, region: "eu-west-1" } as const
const layerFleet = CredentialSets.layerMemory(teamA).pipe(Layer.provideMerge(layerMemoryFleet()))

const fault = (change: Partial<Fault>) =>
  Effect.flatMap(EcsModel, ({ faults }) =>
    faults.inject({ action: "*", times: 0, error: { name: "ExpiredTokenException", message: "expired" }, ...change })
  )
const cleared = Effect.flatMap(EcsModel, ({ faults }) => faults.clear)

/** Whoever asks without the pool's set is not answered. */
const onlyTeamA = fault({ accessKeyId: "default" })

const publish = (body: object, runId = "nightly") =>
  published(Streams.inbox, Subjects.runRequested(runId), JSON.stringify({ pool: "a", ...body }))

const handled = (fleet: Fleet, body: object, runId?: string) =>
  Effect.gen(function* () {
    return yield* inTime(handleRequest(fleet, yield* publish(body, runId)))
  })

const orders = messagesOf(Streams.fleet, Filters.taskdefReady, Codecs.taskdefReady)
const poolWith = (pool: Pool) => keepPool("a", { image: "alpine", credentials: teamA.name, ...pool })
const entries = Effect.gen(function* () {
  const kept = yield* (yield* (yield* Buckets).open(BucketNames.taskDefinitions)).entries()
  return kept.map(({ value }) => JSON.parse(text({ data: value })) as Readonly<Record<string, unknown>>)
})

describe("a pool's set of credentials", () => {
  it.effect("is what its definitions are registered with, and the set's region counts where nobody names one", () =>
    Effect.gen(function* () {
      yield* poolWith({})
      yield* onlyTeamA
      yield* handled(yield* dispatcher, {})
      const [order] = yield* orders
      assert.deepStrictEqual<unknown>(order?.target, { region: "eu-west-1", credentials: "team-a" })
      assert.include(order?.runTask.taskDefinition, ":eu-west-1:")
      assert.deepInclude((yield* entries)[0], { state: "ready", credentials: "team-a" })
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("is what clusters and linked definitions are asked about with", () =>
    Effect.gen(function* () {
      const { ecs } = yield* EcsModel
      const { taskDefinition } = yield* ecs.RegisterTaskDefinition("us-west-2", {
        family: "theirs",
        containerDefinitions: [{ name: "main", image: "alpine", memory: 128 }]
      })
      yield* poolWith({
        launchType: null,
        region: "us-west-2",
        taskDefinitionArn: taskDefinition?.taskDefinitionArn ?? ""
      })
      yield* onlyTeamA
      yield* handled(yield* dispatcher, {})
      assert.deepStrictEqual<unknown>((yield* orders)[0]?.target, { region: "us-west-2", credentials: "team-a" })
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("has definitions of its own: those of another set are not used", () =>
    Effect.gen(function* () {
      yield* poolWith({ region: "us-east-1" })
      const fleet = yield* dispatcher
      yield* handled(fleet, {}, "first")
      yield* handled(fleet, { pool: "default", image: "alpine", family: "fleet_a" }, "other")
      yield* handled(fleet, {}, "second")
      const arns = (yield* orders).map(({ runTask }) => runTask.taskDefinition)
      assert.strictEqual(arns[0], arns[2])
      assert.notStrictEqual(arns[0], arns[1])
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("is what the sweep deregisters idle definitions with; while it pauses, they stay as they are", () =>
    Effect.gen(function* () {
      yield* poolWith({ autoDeregisterTaskDefinition: true })
      const fleet = yield* dispatcher
      yield* handled(fleet, {})
      yield* (yield* (yield* Buckets).open(BucketNames.live)).delete("nightly")
      yield* TestClock.adjust("3601 seconds")
      yield* fault({})
      yield* inTime(
        Effect.ignore(fleet.ecs.describeTaskDefinition({ region: "eu-west-1", credentials: "team-a" }, "x"))
      )
      yield* inTime(sweep(fleet, settings))
      assert.deepInclude((yield* entries)[0], { state: "ready" })
      yield* cleared
      yield* onlyTeamA
      yield* TestClock.adjust("1 minute")
      yield* inTime(sweep(fleet, settings))
      assert.deepInclude((yield* entries)[0], { state: "absent" })
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect(
    "pauses: the run waits beyond its time, is told once, claims nothing, and is launched when it works (peers 83)",
    () =>
      Effect.gen(function* () {
        yield* poolWith({ launchTimeoutSeconds: 20 })
        yield* fault({ accessKeyId: "team-a" })
        const fleet = yield* dispatcher
        let delivery = yield* publish({})
        for (let look = 0; look < 10; look++) {
          const verdict = yield* inTime(handleRequest(fleet, delivery))
          assert.deepStrictEqual(verdict, { _tag: "Nak", delayMillis: 10_000 })
          yield* TestClock.adjust("10 seconds")
          delivery = again(delivery)
        }
        const waiting = yield* recordOf("nightly")
        assert.strictEqual(waiting?.timeline.filter(({ what }) => what.includes('"team-a"')).length, 1)
        assert.isUndefined(waiting?.timeline.at(-1)?.count)
        const before = yield* entries
        yield* cleared
        yield* TestClock.adjust("30 seconds")
        assert.deepStrictEqual(yield* inTime(handleRequest(fleet, delivery)), { _tag: "Ack" })
        assert.lengthOf(yield* orders, 1)
        assert.deepStrictEqual(
          before.map(({ state }) => state),
          ["absent"]
        )
      }).pipe(Effect.provide(layerFleet))
  )

  it.effect("after a pause what is left of the time counts: throttled beyond it, the run is timed out", () =>
    Effect.gen(function* () {
      yield* poolWith({ launchTimeoutSeconds: 60 })
      yield* fault({ accessKeyId: "team-a" })
      const fleet = yield* dispatcher
      let delivery = yield* publish({})
      yield* inTime(handleRequest(fleet, delivery))
      yield* TestClock.adjust("300 seconds")
      yield* cleared
      yield* fault({
        action: "RegisterTaskDefinition",
        error: { name: "ThrottlingException", message: "Rate exceeded" }
      })
      yield* TestClock.adjust("30 seconds")
      const looks: Array<string> = []
      for (let look = 0; look < 12 && looks.at(-1) !== "Ack"; look++) {
        delivery = again(delivery)
        looks.push((yield* inTime(handleRequest(fleet, delivery)))._tag)
        yield* TestClock.adjust("10 seconds")
      }
      assert.deepStrictEqual([looks[0], looks.at(-1)], ["Nak", "Ack"])
      assert.deepInclude(yield* recordOf("nightly"), { state: "timed_out", phase: "launch" })
    }).pipe(Effect.provide(layerFleet))
  )
})

describe("credentialsProblem", () => {
  const sets = {
    find: (name: string | undefined) => (name === "team-a" ? teamA : undefined),
    names: () => ["default", "team-a"]
  }
  it.each([
    { credentials: undefined, says: undefined },
    { credentials: "team-a", says: undefined },
    { credentials: "teem-a", says: 'Did you mean "team-a"?' },
    { credentials: "accounting", says: "which the dispatcher does not know." }
  ])("$credentials: $says", ({ credentials, says }) => {
    const problem = credentialsProblem({ ...aJob(), credentials }, sets)
    if (says === undefined) return assert.isUndefined(problem)
    assert.deepInclude(problem, { code: "InvalidRequest", field: "pool" })
    assert.include(problem?.message, says)
    return assert.include(problem?.advice, "Known are default, team-a.")
  })
})
