import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit } from "effect"
import { diceOf } from "./Dice.ts"
import { Simulator } from "./Simulator.ts"
import { simulate } from "./simulate.ts"

const START = 1_000_000

const run = <A, E>(effect: Effect.Effect<A, E>, seed = 1, untilMillis = Number.POSITIVE_INFINITY) => {
  const simulator = new Simulator(diceOf(seed), START)
  const fiber = Effect.runFork(Effect.provideService(effect, Clock.Clock, simulator.clock), {
    scheduler: simulator.scheduler
  })
  const exit = simulator.run(fiber, untilMillis)
  return { simulator, exit }
}

describe("Simulator", () => {
  it("lets hours pass at once, and wakes sleepers in order", () => {
    const woken: Array<string> = []
    const sleeper = (name: string, hours: number) =>
      Effect.andThen(
        Effect.sleep(`${hours} hours`),
        Effect.sync(() => woken.push(name))
      )
    const { exit, simulator } = run(
      Effect.all([sleeper("late", 5), sleeper("early", 1), sleeper("middle", 2.5)], { concurrency: "unbounded" })
    )
    assert.isTrue(exit !== undefined && Exit.isSuccess(exit))
    assert.deepStrictEqual(woken, ["early", "middle", "late"])
    assert.strictEqual(simulator.now, START + 5 * 3_600_000)
  })

  it("interleaves fibers by dice: another seed, another order; the same seed, the same", () => {
    const order = (seed: number) => {
      const seen: Array<number> = []
      const fiber = (name: number) =>
        Effect.andThen(
          Effect.yieldNow,
          Effect.sync(() => seen.push(name))
        )
      run(Effect.forEach([1, 2, 3, 4, 5, 6], fiber, { concurrency: "unbounded", discard: true }), seed)
      return seen.join("")
    }
    assert.isAbove(new Set([1, 2, 3, 4, 5].map(order)).size, 1)
    assert.strictEqual(order(7), order(7))
  })

  it("says so when nobody waits for anything any more", () => {
    assert.isUndefined(run(Effect.never).exit)
  })

  it("ends when its time is over", () => {
    assert.isUndefined(run(Effect.sleep("2 hours"), 1, START + 3_600_000).exit)
  })
})

describe("simulate", () => {
  it("the same seed is the same story, to the last line", () => {
    assert.deepStrictEqual(simulate(3), simulate(3))
  })

  it.each([1, 2, 3, 4])("seed %i: duplicates, reorder, crashes, lost answers: all promises hold", (seed) => {
    const { violations, outcomes } = simulate(seed)
    assert.deepStrictEqual(violations, [])
    assert.isAbove(outcomes.length, 0)
  })
})
