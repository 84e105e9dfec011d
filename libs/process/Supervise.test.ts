import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Logger, Metric, Queue, Random } from "effect"
import { TestClock } from "effect/testing"
import { restarts } from "#process/metrics.ts"
import { backOff, backOffMillis, supervised } from "#process/Supervise.ts"

/** Says when a worker starts. */
const started = (starts: Queue.Queue<number>) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Queue.offer(starts, now))

const quiet = Logger.layer([])

/** Lets a worker run `count` times under a test's clock; answers when it started. */
const startsOf = Effect.fnUntraced(function* (run: Effect.Effect<unknown, string>, count: number, name = "w") {
  const starts = yield* Queue.unbounded<number>()
  const fiber = yield* Effect.forkChild(
    supervised(name, Effect.andThen(started(starts), run)).pipe(Random.withSeed("fixed"))
  )
  const times: Array<number> = []
  while (times.length < count) {
    times.push(...(yield* Queue.clear(starts)))
    yield* TestClock.adjust("10 millis")
  }
  yield* Fiber.interrupt(fiber)
  return times
})

const gaps = (times: ReadonlyArray<number>) => times.slice(1).map((time, index) => time - (times[index] ?? 0))

describe("supervised", () => {
  it.effect.each([
    { how: "a failure", run: Effect.fail("lost") },
    { how: "a crash", run: Effect.die(new Error("bug")) },
    { how: "an interruption from within", run: Effect.interrupt },
    { how: "a normal end", run: Effect.void }
  ])("starts again after $how, with waits that double", ({ run }) =>
    Effect.gen(function* () {
      const waits = gaps(yield* startsOf(run, 5))
      waits.forEach((wait, index) => {
        const expected = backOffMillis(index + 1)
        assert.isAtLeast(wait, expected * 0.8)
        assert.isAtMost(wait, expected * 1.2 + 10)
      })
    }).pipe(Effect.provide(quiet))
  )

  it.effect("waits the shortest again after a worker that ran well for a minute", () =>
    Effect.gen(function* () {
      const ranWell = Effect.never.pipe(Effect.timeout(backOff.healthyMillis), Effect.mapError(String))
      for (const gap of gaps(yield* startsOf(ranWell, 3))) {
        assert.isAtMost(gap, backOff.healthyMillis + backOff.baseMillis * 1.2 + 10)
      }
    }).pipe(Effect.provide(quiet))
  )

  it.effect("logs each crash with its cause and counts each start by worker", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))])
      yield* startsOf(Effect.fail("connection lost"), 3, "leases").pipe(Effect.provide(logger))
      assert.match(lines[0] ?? "", /level=ERROR .*worker crashed.*leases.*cause=.*connection lost/)
      const { count } = yield* Metric.value(Metric.withAttributes(restarts, { worker: "leases" }))
      assert.strictEqual(count, lines.length)
    })
  )

  it.effect("ends when it is interrupted from outside, and runs the worker's finalizers", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const worker = Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => seen.push("closed"))))
      const fiber = yield* Effect.forkChild(supervised("w", worker), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(seen, ["closed"])
    })
  )
})

describe("backOffMillis", () => {
  it.each([
    { failures: 1, millis: backOff.baseMillis },
    { failures: 2, millis: 200 },
    { failures: 9, millis: 25_600 },
    { failures: 10, millis: backOff.maxMillis },
    { failures: 1_000_000, millis: backOff.maxMillis }
  ])("$failures → $millis", ({ failures, millis }) => {
    assert.strictEqual(backOffMillis(failures), millis)
  })
})
