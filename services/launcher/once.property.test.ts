import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import type { RetryClass } from "#ecs-core/errors.ts"
import { anAwsFailure, aRun } from "#test/support/builders.ts"
import { aLauncher, allTasks, anOrder, rejections, startedFacts, untilDone } from "#test/support/launches.ts"
import { inTime, keepRecord, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import * as messages from "#test/support/messages.ts"
import { handleOrder } from "./handle.ts"

/** What happens to a RunTask call: `lost` is carried out and its answer does not come. */
const Fate = Schema.Literals(["carriedOut", "lost", "transient", "capacity", "throttle", "credentials", "never"])

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** One handing out of the order. */
const Move = Schema.Struct({
  fate: Fate,
  /** The launcher dies after so many requests to the bus: a launch takes about seven. */
  requestsMax: between(1, 12),
  /** nats-server up to 2.9 may say so of a redelivery. */
  isCalledNew: Schema.Boolean,
  /** Until the next one. */
  seconds: between(0, 300)
})
type Move = typeof Move.Type

const history = Schema.Struct({
  moves: Schema.Array(Move).check(Schema.isMaxLength(8)),
  /** The run is cancelled before this move; later than the last = never. */
  cancelBefore: between(0, 20)
})

interface Call {
  readonly token: string
  readonly fate: typeof Fate.Type
}

/** ECS whose next calls meet these fates, and that keeps what it was asked. A replay needs no capacity. */
const fateful = (calls: Array<Call>, next: { fate: typeof Fate.Type }) =>
  Layer.effect(
    Ecs,
    Effect.map(Ecs, (ecs) => {
      const runTask: typeof ecs.runTask = (target, input) =>
        Effect.suspend(() => {
          const token = input.clientToken ?? ""
          const hasTask = calls.some((call) => call.token === token && ["carriedOut", "lost"].includes(call.fate))
          const fate = hasTask && next.fate === "capacity" ? "carriedOut" : next.fate
          calls.push({ token, fate })
          if (fate === "carriedOut") return ecs.runTask(target, input)
          if (fate === "lost") return Effect.andThen(ecs.runTask(target, input), Effect.fail(anAwsFailure("transient")))
          return Effect.fail(anAwsFailure(fate satisfies RetryClass))
        })
      return Ecs.of({ ...ecs, runTask })
    })
  )

const isCertain = (calls: ReadonlyArray<Call>): boolean =>
  calls.at(-1)?.fate === "capacity" ||
  calls.every(({ fate }) => fate === "capacity" || fate === "throttle" || fate === "credentials" || fate === "never")

/** Each token's calls, in the order of their tokens; a token that comes back is a token of its own. */
const byToken = (calls: ReadonlyArray<Call>): ReadonlyArray<ReadonlyArray<Call>> =>
  calls.reduce<ReadonlyArray<ReadonlyArray<Call>>>((groups, call) => {
    const last = groups.at(-1)
    return last?.[0]?.token === call.token ? [...groups.slice(0, -1), [...last, call]] : [...groups, [call]]
  }, [])

const play = (moves: ReadonlyArray<Move>, cancelBefore: number) => {
  const [calls, next] = [Array<Call>(), { fate: Fate.literals[0] as typeof Fate.Type }]
  return Effect.gen(function* () {
    const order = yield* anOrder()
    for (const [index, { fate, requestsMax, isCalledNew, seconds }] of moves.entries()) {
      if (index === cancelBefore) yield* keepRecord(aRun(messages.ready(0), messages.cancel(1)))
      next.fate = fate
      const fleet = yield* Effect.result(aLauncher(requestsMax))
      if (Result.isFailure(fleet)) continue
      const deliveries = isCalledNew ? 1 : index + 1
      yield* inTime(Effect.result(handleOrder(fleet.success, { ...order, deliveries })))
      yield* TestClock.adjust(`${seconds} seconds`)
    }
    next.fate = "carriedOut"
    yield* untilDone(yield* aLauncher(), { ...order, deliveries: moves.length + 1 })
    return { calls, tasks: yield* allTasks, told: yield* startedFacts, rejected: yield* rejections }
  }).pipe(Effect.provide(fateful(calls, next), { local: true }), Effect.provide(layerMemoryFleet(), { local: true }))
}

describe("over any history of crashes, lost answers, refusals and cancels", () => {
  it.effect.prop(
    "there is one task or a rejection, never both, and no new token without a certain failure (peers 86, 119)",
    { history },
    ({ history: { moves, cancelBefore } }) =>
      Effect.gen(function* () {
        const { calls, tasks, told, rejected } = yield* play(moves, cancelBefore)
        const tokens = byToken(calls)
        assert.isTrue(tokens.slice(0, -1).every(isCertain), "a new token without a certain failure")
        assert.strictEqual(new Set(tokens.map((each) => each[0]?.token)).size, tokens.length, "a token came back")
        assert.isAtMost(tasks.length, 1)
        assert.deepStrictEqual(
          told.map(({ taskArn }) => taskArn),
          tasks
        )
        assert.strictEqual(told.length + rejected.length, 1)
      }),
    { arbitrary: { runs: 100 } }
  )
})
