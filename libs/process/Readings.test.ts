import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { READ_SECONDS, Readings, readWhereTold } from "#process/Readings.ts"

const counter = () => {
  let count = 0
  return { reading: Effect.sync(() => void count++), count: () => count }
}

describe("Readings", () => {
  it.effect("are taken at once and then again and again, as long as their scope is open", () =>
    Effect.gen(function* () {
      const readings = yield* Readings
      const [always, once] = [counter(), counter()]
      yield* readings.register(always.reading)
      yield* Effect.scoped(readings.register(once.reading))
      assert.deepStrictEqual([always.count(), once.count()], [1, 1])
      yield* Effect.forkChild(readings.takeForEver, { startImmediately: true })
      yield* TestClock.adjust(`${3 * READ_SECONDS} seconds`)
      assert.deepStrictEqual([always.count(), once.count()], [5, 1])
    }).pipe(Effect.provide(Readings.layer))
  )

  it.effect("one that hangs does not keep the others waiting for ever", () =>
    Effect.gen(function* () {
      const readings = yield* Readings
      const other = counter()
      yield* Effect.forkChild(readings.register(Effect.never), { startImmediately: true })
      yield* TestClock.adjust(`${READ_SECONDS} seconds`)
      yield* readings.register(other.reading)
      yield* Effect.forkChild(readings.takeForEver, { startImmediately: true })
      yield* TestClock.adjust(`${3 * READ_SECONDS} seconds`)
      assert.isAbove(other.count(), 2)
    }).pipe(Effect.provide(Readings.layer))
  )

  it.effect("are not taken where nobody asks", () =>
    Effect.gen(function* () {
      const unread = counter()
      yield* readWhereTold(unread.reading)
      assert.strictEqual(unread.count(), 0)
    })
  )
})
