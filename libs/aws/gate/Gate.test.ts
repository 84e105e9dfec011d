import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Logger, Option, References, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { layerMemoryAws } from "#test/support/MemoryFleet.ts"
import { Gate, pauseText } from "./Gate.ts"

const teamA = { region: "us-east-1", credentials: "team-a" }
const teamB = { region: "us-east-1", credentials: "team-b" }

const expired = {
  action: "*",
  accessKeyId: "team-a",
  times: 0,
  error: { name: "ExpiredTokenException", message: "The security token included in the request is expired" }
}

const describeAs = (target: typeof teamA) => Effect.flatMap(Ecs, (ecs) => ecs.describeCluster(target, "default"))
const pauses = Effect.flatMap(Gate, (gate) => gate.pauses)

/** How many calls of `team-a` AWS has refused. */
const refused = Effect.flatMap(EcsModel, ({ faults }) => faults.list).pipe(
  Effect.map((all) => all.reduce((sum, { fired }) => sum + fired, 0))
)

describe("a set of credentials that AWS does not accept", () => {
  it.effect("pauses in its region alone: AWS is asked no more, and others go on (peers 83)", () =>
    Effect.gen(function* () {
      yield* (yield* EcsModel).faults.inject(expired)
      for (let call = 0; call < 5; call++) {
        const failure = yield* Effect.flip(describeAs(teamA))
        assert.deepStrictEqual([failure.code, failure.retry], ["CredentialsRejected", "credentials"])
        assert.include(failure.message, '"team-a"')
      }
      assert.strictEqual(yield* refused, 1)
      yield* describeAs(teamB)
      yield* (yield* EcsModel).faults.clear
      yield* describeAs({ ...teamA, region: "eu-west-1" })
      const [pause, ...more] = yield* pauses
      assert.deepStrictEqual([pause?.credentials, pause?.region, more.length], ["team-a", "us-east-1", 0])
      assert.match(
        pause === undefined ? "" : pauseText(pause),
        /^team-a in us-east-1 since 1970-.*: AWS did not accept/
      )
    }).pipe(Effect.provide(layerMemoryAws()))
  )

  it.effect("is probed ever more rarely, and goes on as soon as one passes (scenario 71)", () =>
    Effect.gen(function* () {
      yield* (yield* EcsModel).faults.inject(expired)
      yield* Effect.flip(describeAs(teamA))
      const waiting = yield* Effect.forkChild(Effect.flatMap(Gate, (gate) => gate.whenOpen(teamA)))
      const asked: Array<number> = []
      for (let second = 0; second < 100; second++) {
        const before = yield* refused
        yield* TestClock.adjust("1 second")
        if ((yield* refused) > before) asked.push(second + 1)
      }
      assert.deepStrictEqual(asked, [1, 3, 7, 15, 31, 61, 91])
      assert.isUndefined(waiting.pollUnsafe())
      yield* (yield* EcsModel).faults.clear
      yield* TestClock.adjust("21 seconds")
      assert.isTrue(yield* Fiber.join(waiting))
      assert.deepStrictEqual(yield* pauses, [])
      yield* describeAs(teamA)
      assert.isFalse(yield* Effect.flatMap(Gate, (gate) => gate.whenOpen(teamA)))
    }).pipe(Effect.provide(layerMemoryAws()))
  )

  it.effect("is probed outside of the run that was refused first: other runs wait for it too", () =>
    Effect.gen(function* () {
      const said: Array<{ readonly message: string; readonly annotations: unknown; readonly isTraced: boolean }> = []
      const logger = Logger.make(({ fiber, message }) => {
        const annotations = fiber.getRef(References.CurrentLogAnnotations)
        const isTraced = Option.isSome(Context.getOption(fiber.context, Tracer.ParentSpan))
        said.push({ message: String(Array.isArray(message) ? message[0] : message), annotations, isTraced })
      })
      yield* (yield* EcsModel).faults.inject(expired)
      const refusedRun = Effect.flip(describeAs(teamA)).pipe(
        Effect.annotateLogs("runId", "r-1"),
        Effect.withSpan("r-1")
      )
      yield* refusedRun.pipe(Effect.provide(Logger.layer([logger])))
      yield* (yield* EcsModel).faults.clear
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(said, [
        { message: "a set of credentials pauses", annotations: { runId: "r-1" }, isTraced: true },
        { message: "a set of credentials works again", annotations: {}, isTraced: false }
      ])
    }).pipe(Effect.provide(layerMemoryAws()))
  )

  it.effect("has its credentials looked up again for each probe", () =>
    Effect.gen(function* () {
      const sets = yield* CredentialSets
      const before = sets.find(undefined)
      yield* (yield* EcsModel).faults.inject({ ...expired, accessKeyId: "default" })
      yield* Effect.flip(Effect.flatMap(Ecs, (ecs) => ecs.describeCluster({}, "default")))
      assert.strictEqual(sets.find(undefined), before)
      yield* TestClock.adjust("1 second")
      assert.notStrictEqual(sets.find(undefined), before)
      assert.deepStrictEqual(sets.find(undefined), before)
    }).pipe(Effect.provide(layerMemoryAws()))
  )
})
