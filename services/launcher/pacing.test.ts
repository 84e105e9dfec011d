import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { defaultLimits, Pace } from "#aws/Pace.ts"
import type { AwsTarget } from "#aws/Target.ts"
import { anAwsFailure } from "#test/support/builders.ts"
import { publishOrders, region } from "#test/support/launches.ts"
import { defaultsOf, inTime, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import { launcherConfig } from "./config.ts"
import { layer as launcher } from "./handle.ts"

/** The whole service, its consumer and the real pace, on a clock that the test drives. */

interface Call {
  readonly region: string | undefined
  readonly owner: string
  readonly seconds: number
}

type RunTask = (typeof Ecs.Service)["runTask"]

/** ECS that keeps when RunTask was called for which run, and may be slow or refuse. */
const watched = (calls: Array<Call>, spoil: (target: AwsTarget, call: ReturnType<RunTask>) => ReturnType<RunTask>) =>
  Layer.effect(
    Ecs,
    Effect.map(Ecs, (ecs) => {
      const runTask: RunTask = (target, input) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          calls.push({ region: target.region, owner: input.startedBy ?? "", seconds: now / 1000 })
          return spoil(target, ecs.runTask(target, input))
        })
      return Ecs.of({ ...ecs, runTask })
    })
  )

/** A launcher whose calls are watched, at work during the test; `until` lets the clock run until something is so. */
const scene = (spoil: (target: AwsTarget, call: ReturnType<RunTask>) => ReturnType<RunTask> = (_, call) => call) => {
  const calls: Array<Call> = []
  const surroundings = Layer.provideMerge(watched(calls, spoil), layerMemoryFleet())
  const until = (isSo: () => boolean, secondsMax: number) =>
    Effect.gen(function* () {
      const end = (yield* Clock.currentTimeMillis) + secondsMax * 1000
      while (!isSo() && (yield* Clock.currentTimeMillis) < end) yield* TestClock.adjust("50 millis")
    })
  const during = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const life = yield* Scope.make()
      yield* Layer.buildWithScope(launcher(settings), life)
      return yield* Effect.ensuring(body, inTime(Scope.close(life, Exit.void)))
    })
  return { calls, until, during, surroundings }
}

const settings = defaultsOf(launcherConfig)
const { burst, perSecond } = defaultLimits.runTask
const other = "eu-west-1"

describe("many orders at once", () => {
  it.effect(
    "use up the pace, whatever was handed back meanwhile: within 1.1 × (runs − burst) / pace",
    () => {
      const { calls, until, during, surroundings } = scene()
      return during(
        Effect.gen(function* () {
          const runs = 1000
          yield* publishOrders("r", runs)
          yield* until(() => calls.length >= runs, 200)
          const owners = new Set(calls.map(({ owner }) => owner))
          assert.deepStrictEqual([calls.length, owners.size], [runs, runs])
          assert.isAtMost(calls.at(-1)?.seconds ?? 0, (1.1 * (runs - burst)) / perSecond)
          const late = calls.map(({ owner }, turn) => turn - Number(owner.split("/")[1]?.slice(1)))
          assert.isAtMost(Math.max(...late), runs / 3, "an order was passed by too many")
        })
      ).pipe(Effect.provide(surroundings))
    },
    60_000
  )
})

describe("calls that take long", () => {
  it.effect("follow one another: no more at a time than may be, no fewer while others wait", () => {
    const { calls, until, during, surroundings } = scene()
    return during(
      Effect.gen(function* () {
        const [runs, delaySeconds] = [100, 3]
        yield* (yield* EcsModel).faults.inject({ action: "RunTask", delaySeconds, times: runs })
        yield* publishOrders("r", runs)
        yield* until(() => calls.length >= runs, 60)
        const rounds = Math.ceil(runs / settings.concurrency)
        assert.strictEqual(calls.length, runs)
        assert.isAtLeast(calls[settings.concurrency]?.seconds ?? 0, delaySeconds)
        assert.isAtMost(calls.at(-1)?.seconds ?? 0, rounds * delaySeconds)
      })
    ).pipe(Effect.provide(surroundings))
  })
})

describe("the launches of another region go on at once", () => {
  const another = (calls: ReadonlyArray<Call>) => calls.filter((call) => call.region === other)

  it.effect("while one is throttled: 100 orders of it, and 10 behind them (peers 82)", () => {
    const { calls, until, during, surroundings } = scene((target, call) =>
      target.region === region ? Effect.fail(anAwsFailure("throttle")) : call
    )
    return during(
      Effect.gen(function* () {
        yield* publishOrders("slow", 100)
        yield* until(() => false, 30)
        assert.isAbove(yield* (yield* Pace).waitMillis("runTask", { region }, 10), 5000)
        const from = (yield* Clock.currentTimeMillis) / 1000
        yield* publishOrders("quick", 10, other)
        yield* until(() => another(calls).length >= 10, 60)
        assert.strictEqual(another(calls).length, 10)
        assert.isAtMost(another(calls).at(-1)?.seconds ?? 0, from + 0.5)
      })
    ).pipe(Effect.provide(surroundings))
  })

  it.effect(
    "while one gives no answers: 1,500 orders of it, and 10 behind them",
    () => {
      const gate = Deferred.makeUnsafe<void>()
      const { calls, until, during, surroundings } = scene((target, call) =>
        target.region === region ? Effect.andThen(Deferred.await(gate), call) : call
      )
      return during(
        Effect.gen(function* () {
          yield* publishOrders("stuck", 1500)
          yield* until(() => false, 10)
          yield* publishOrders("quick", 10, other)
          const from = (yield* Clock.currentTimeMillis) / 1000
          yield* until(() => another(calls).length >= 10, 60)
          assert.strictEqual(another(calls).length, 10)
          assert.isAtMost(another(calls).at(-1)?.seconds ?? 0, from + 0.5)
          assert.strictEqual(calls.length - 10, settings.concurrency)
          yield* Deferred.succeed(gate, undefined)
        })
      ).pipe(Effect.provide(surroundings))
    },
    60_000
  )
})

describe("SIGTERM", () => {
  it.effect("hands back at once what waits for its turn, and finishes what was called", () => {
    const { calls, until, during, surroundings } = scene()
    return Effect.gen(function* () {
      yield* during(
        Effect.gen(function* () {
          yield* publishOrders("r", 100)
          yield* until(() => calls.length > burst, 5)
        })
      )
      const called = calls.length
      assert.isBelow(called, burst + 5)
      yield* during(until(() => calls.length >= 100, 20))
      assert.strictEqual(new Set(calls.map(({ owner }) => owner)).size, 100)
      const pause = (calls[called]?.seconds ?? 0) - (calls[called - 1]?.seconds ?? 0)
      assert.isAtMost(pause, 2.5)
    }).pipe(Effect.provide(surroundings))
  })
})
