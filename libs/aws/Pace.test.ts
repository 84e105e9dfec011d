import { assert, describe, it } from "@effect/vitest"
import { Clock, ConfigProvider, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { AwsConfig } from "./AwsConfig.ts"
import { classify } from "./AwsError.ts"
import {
  filterLogEventsElsewhere,
  filterLogEventsLimit,
  filterLogEventsQuotas,
  maxBuckets,
  Pace,
  type PaceClass,
  stopTaskReserve
} from "./Pace.ts"
import { recoverySeconds } from "./TokenBucket.ts"

const target = { region: "eu-west-1" }

const take = (paceClass: PaceClass, at = target) => Pace.use((pace) => pace.take(paceClass, at))
const takeMany = (paceClass: PaceClass, count: number) => Effect.repeat(take(paceClass), { times: count - 1 })
const wait = (paceClass: PaceClass, at = target) => Pace.use((pace) => pace.waitMillis(paceClass, at))
const throttled = (paceClass: PaceClass) => Pace.use((pace) => pace.throttled(paceClass, target))

describe("Pace", () => {
  it.effect("gives the burst at once, then the rate", () =>
    Effect.gen(function* () {
      yield* takeMany("runTask", 10)
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      const next = yield* Effect.forkChild(takeMany("runTask", 19))
      yield* TestClock.adjust("990 millis")
      assert.isUndefined(next.pollUnsafe())
      yield* TestClock.adjust("30 millis")
      yield* Fiber.join(next)
    }).pipe(Effect.provide(Pace.layer()))
  )

  it.effect("counts each region and each set of credentials by itself", () =>
    Effect.gen(function* () {
      yield* takeMany("runTask", 10)
      assert.isAbove(yield* wait("runTask"), 0)
      assert.strictEqual(yield* wait("runTask", { region: "us-east-1" }), 0)
      assert.strictEqual(yield* Pace.use((pace) => pace.waitMillis("runTask", { ...target, credentials: "b" })), 0)
    }).pipe(Effect.provide(Pace.layer()))
  )

  it.effect(
    "tells what is left of each quota that was used, after a throttle and as it rises again without a call",
    () =>
      Effect.gen(function* () {
        const runTask = Pace.use((pace) =>
          Effect.map(pace.rooms, (rooms) => rooms.find(({ quota }) => quota === "runTask"))
        )
        assert.isUndefined(yield* runTask)
        yield* Pace.use((pace) => pace.take("runTask", { ...target, credentials: "other" }))
        const room = { quota: "runTask", ...target, credentials: "other", limit: { perSecond: 19, burst: 10 } }
        assert.deepStrictEqual(yield* runTask, { ...room, callsLeft: 9, perSecond: 19 })
        yield* Pace.use((pace) => pace.throttled("runTask", { ...target, credentials: "other" }))
        assert.deepStrictEqual(yield* runTask, { ...room, callsLeft: 0, perSecond: 9.5 })
        yield* TestClock.adjust(`${recoverySeconds} seconds`)
        assert.deepStrictEqual(yield* runTask, { ...room, callsLeft: 10, perSecond: 19 })
      }).pipe(Effect.provide(Pace.layer()))
  )

  it.effect("StopTask does not wait behind RunTask in the quota that they share", () =>
    Effect.gen(function* () {
      const launches = yield* Effect.forkChild(takeMany("runTask", 100))
      yield* TestClock.adjust(0)
      assert.isUndefined(launches.pollUnsafe())
      yield* takeMany("stopTask", stopTaskReserve)
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      assert.isAbove(yield* wait("stopTask"), 0)
      yield* Fiber.interrupt(launches)
    }).pipe(
      Effect.provide(
        Pace.layer({ runTask: { perSecond: 1000, burst: 1000 }, modifyTasks: { perSecond: 40, burst: 50 } })
      )
    )
  )

  it.effect("launches that found no capacity take a quarter of the pace, and leave the rest to the others", () =>
    Effect.gen(function* () {
      yield* takeMany("runTaskAgain", 5)
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      assert.strictEqual(yield* wait("runTaskAgain"), Math.ceil(4000 / 19))
      yield* takeMany("runTask", 15)
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      assert.isAbove(yield* wait("runTask"), 0)
    }).pipe(Effect.provide(Pace.layer({ runTask: { perSecond: 19, burst: 20 } })))
  )

  it.effect("a throttled launch slows the launches down, also one that found no capacity before", () =>
    Effect.gen(function* () {
      yield* throttled("runTaskAgain")
      assert.strictEqual(yield* wait("runTask"), Math.ceil(1000 / 9.5))
    }).pipe(Effect.provide(Pace.layer()))
  )

  it.effect("tells how long the wait is behind others", () =>
    Effect.gen(function* () {
      const behind = (ahead: number) => Pace.use((pace) => pace.waitMillis("runTask", target, ahead))
      assert.deepStrictEqual([yield* behind(9), yield* behind(10), yield* behind(28)], [0, 53, 1000])
    }).pipe(Effect.provide(Pace.layer()))
  )

  it.effect("halves after a throttled call, and only the class that was throttled", () =>
    Effect.gen(function* () {
      yield* throttled("runTask")
      assert.strictEqual(yield* wait("runTask"), Math.ceil(1000 / 9.5))
      assert.strictEqual(yield* wait("readTasks"), 0)
    }).pipe(Effect.provide(Pace.layer()))
  )

  it.effect("paced: takes, and slows down when the call says Throttled, not for other failures", () =>
    Effect.gen(function* () {
      const pace = yield* Pace
      const fail = (name: string) => Effect.fail(classify("RunTask", { name, message: "" }))
      yield* Effect.flip(pace.paced("runTask", target)(fail("ServerException")))
      assert.strictEqual(yield* wait("runTask"), 0)
      yield* Effect.flip(pace.paced("runTask", target)(fail("ThrottlingException")))
      assert.isAbove(yield* wait("runTask"), 0)
    }).pipe(Effect.provide(Pace.layer()))
  )

  it.effect("an interrupted wait gives its place away, not a token", () =>
    Effect.gen(function* () {
      yield* takeMany("runTask", 10)
      const first = yield* Effect.forkChild(take("runTask"))
      const second = yield* Effect.forkChild(take("runTask"))
      yield* TestClock.adjust("10 millis")
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("43 millis")
      yield* Fiber.join(second)
    }).pipe(Effect.provide(Pace.layer()))
  )

  it.effect(`forgets the longest unused of more than ${maxBuckets} buckets`, () =>
    Effect.gen(function* () {
      yield* takeMany("runTask", 10)
      yield* Effect.forEach(Array.from({ length: maxBuckets }), (_, index) =>
        take("readTasks", { region: `r${index}` })
      )
      assert.strictEqual(yield* wait("runTask"), 0)
    }).pipe(Effect.provide(Pace.layer()))
  )

  it.each<{ region: string | undefined; perSecond: number; burst: number }>([
    { region: "us-east-1", perSecond: 22.5, burst: 1 },
    { region: "eu-central-1", perSecond: 4.5, burst: 1 },
    { region: "ap-northeast-3", perSecond: 4.5, burst: 1 },
    { region: "ap-southeast-3", perSecond: 4.5, burst: 1 },
    { region: "ca-west-1", perSecond: 4.5, burst: 1 },
    { region: "il-central-1", perSecond: 4.5, burst: 1 },
    { region: "us-east-2", perSecond: 9, burst: 1 },
    { region: "eu-west-1", perSecond: 9, burst: 1 },
    { region: undefined, perSecond: 9, burst: 1 }
  ])("FilterLogEvents in $region: $perSecond per second, and never above AWS's quota", ({ region, ...limit }) => {
    assert.deepStrictEqual(filterLogEventsLimit(region), limit)
    const quota = filterLogEventsQuotas.get(region ?? "") ?? filterLogEventsElsewhere
    assert.isAtMost(Math.floor(limit.perSecond) + limit.burst, quota, "calls of any one second")
  })

  /** Until the second call, milliseconds. */
  const second = (region: string, env: Record<string, string> = {}) =>
    Effect.andThen(take("filterLogEvents", { region }), wait("filterLogEvents", { region })).pipe(
      Effect.provide(Pace.layerConfig.pipe(Layer.provide(AwsConfig.layer))),
      Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
    )

  it.effect("FilterLogEvents has the pace of the region, unless a setting gives one for all", () =>
    Effect.gen(function* () {
      const raised = { FLEET_AWS_FILTER_LOG_EVENTS_PER_SECOND: "40.5" }
      assert.strictEqual(yield* second("eu-central-1"), 223)
      assert.strictEqual(yield* second("us-east-1"), 45)
      assert.strictEqual(yield* second("eu-central-1", raised), 25)
      assert.strictEqual(yield* second("us-east-1", raised), 25)
    })
  )
})
