import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Metric, Option } from "effect"
import { TestClock } from "effect/testing"
import { checkSeconds, Health, roomOf } from "#process/Health.ts"
import { HealthServer } from "#process/HealthServer.ts"

describe("Health", () => {
  it.effect("is ready when every part is, and lists the parts in order", () =>
    Effect.gen(function* () {
      const health = yield* Health
      assert.deepStrictEqual(yield* health.report, { ready: true, parts: [] })
      yield* health.register({ name: "nats", check: Effect.succeed("ok") })
      assert.isTrue((yield* health.report).ready)
      yield* health.register({ name: "aws", check: Effect.succeed("credentials expired") })
      assert.deepStrictEqual(yield* health.report, {
        ready: false,
        parts: [
          { name: "nats", status: "ok" },
          { name: "aws", status: "credentials expired" }
        ]
      })
    }).pipe(Effect.provide(Health.layer))
  )

  it.effect("forgets a part with its scope, and only that one of two with the same name", () =>
    Effect.gen(function* () {
      const health = yield* Health
      const check = { name: "watcher", check: Effect.succeed("ok") }
      yield* health.register(check)
      const within = yield* Effect.scoped(Effect.andThen(health.register(check), health.report))
      assert.lengthOf(within.parts, 2)
      assert.lengthOf((yield* health.report).parts, 1)
    }).pipe(Effect.provide(Health.layer))
  )

  it.effect("counts a check that never answers, and one that crashes, as unwell", () =>
    Effect.gen(function* () {
      const health = yield* Health
      yield* health.register({ name: "slow", check: Effect.never })
      yield* health.register({ name: "broken", check: Effect.die(new Error("bug")) })
      const report = yield* Effect.forkChild(health.report, { startImmediately: true })
      yield* TestClock.adjust(`${checkSeconds} seconds`)
      assert.deepStrictEqual(
        (yield* Fiber.join(report)).parts.map(({ status }) => status),
        [`no answer within ${checkSeconds} s`, "the check itself failed: Error: bug"]
      )
    }).pipe(Effect.provide(Health.layer))
  )
})

const served = HealthServer.layer({ healthPort: Option.some(0), healthHost: "127.0.0.1" }).pipe(
  Layer.provideMerge(Health.layer)
)

const get = (path: string) =>
  Effect.gen(function* () {
    const { url } = yield* HealthServer
    return yield* Effect.promise(async () => {
      const response = await fetch(`${Option.getOrThrow(url)}${path}`)
      return { status: response.status, body: await response.text() }
    })
  })

describe("HealthServer", () => {
  it.live("answers /live always, /ready by the parts, /metrics for Prometheus", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get("/ready")).status, 200)
      yield* (yield* Health).register({ name: "nats", check: Effect.succeed("not connected") })
      assert.strictEqual((yield* get("/live")).status, 200)
      assert.strictEqual((yield* get("/ready")).status, 503)
      assert.strictEqual((yield* get("/nothing")).status, 404)
      yield* Metric.update(Metric.counter("fleet_test_total", { incremental: true }), 1)
      assert.include((yield* get("/metrics")).body, "fleet_test_total 1")
    }).pipe(Effect.provide(served))
  )

  it.live("is off without a port", () =>
    Effect.gen(function* () {
      assert.isTrue(Option.isNone((yield* HealthServer).url))
    }).pipe(
      Effect.provide(HealthServer.layer({ healthPort: Option.none(), healthHost: "127.0.0.1" })),
      Effect.provide(Health.layer)
    )
  )
})

describe("roomOf", () => {
  it.each([
    { tasks: 0, says: "ok" },
    { tasks: 99_999, says: "ok" },
    { tasks: 100_000, says: "at capacity: 100000 of 100000 tasks; start another replica" }
  ])("$tasks tasks: $says", ({ says, tasks }) => {
    assert.strictEqual(roomOf(tasks, 100_000, "tasks"), says)
  })
})
