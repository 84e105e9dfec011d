import { type Clock, Duration, Effect, type Exit, type Fiber, type Scheduler } from "effect"
import type { Dice } from "./Dice.ts"
import { pop, push, type Sleeper } from "./sleepers.ts"

/**
 * A computer in which nothing is left to chance but the seed. Fibers run on a scheduler that picks the next runnable one
 * by dice, and time stands still while anything can run: only when every fiber sleeps or waits does it jump to the next
 * sleeper. So the same seed gives the same interleaving to the last step, hours of fleet time pass in milliseconds, and a
 * system that waits for nothing is found at once.
 */
export class Simulator {
  private readonly dice: Dice
  private readonly ready: Array<() => void> = []
  private readonly sleepers: Array<Sleeper> = []
  private nowMillis: number
  private sleeps = 0

  constructor(dice: Dice, startMillis: number) {
    this.dice = dice
    this.nowMillis = startMillis
  }

  get now(): number {
    return this.nowMillis
  }

  readonly scheduler: Scheduler.Scheduler = {
    executionMode: "async",
    shouldYield: (fiber) => fiber.currentOpCount >= OPS_MAX,
    makeDispatcher: () => ({ scheduleTask: (task) => void this.ready.push(task), flush: () => {} })
  }

  readonly clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => this.nowMillis,
    currentTimeMillis: Effect.sync(() => this.nowMillis),
    currentTimeNanosUnsafe: () => BigInt(this.nowMillis) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(this.nowMillis) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => BigInt(this.nowMillis) * 1_000_000n,
    monotonicTimeNanos: Effect.sync(() => BigInt(this.nowMillis) * 1_000_000n),
    sleep: (duration) => this.sleep(Duration.toMillis(duration))
  }

  private sleep(millis: number): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const sleeper: Sleeper = {
        at: Math.ceil(this.nowMillis + Math.max(0, millis)),
        order: this.sleeps++,
        wake: () => resume(Effect.void)
      }
      push(this.sleepers, sleeper)
      return Effect.sync(() => {
        sleeper.wake = undefined
      })
    })
  }

  /** Runs until the fiber has ended, nothing is left to run, or the time is over. */
  run<A, E>(fiber: Fiber.Fiber<A, E>, untilMillis: number): Exit.Exit<A, E> | undefined {
    while (true) {
      this.drain()
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      const next = this.nextSleeper()
      if (next === undefined || next.at > untilMillis) return undefined
      this.nowMillis = Math.max(this.nowMillis, next.at)
      next.wake?.()
    }
  }

  private drain(): void {
    while (this.ready.length > 0) {
      const at = this.dice.whole(0, Math.min(this.ready.length, CHOICES_MAX) - 1)
      const task = this.ready[at]
      this.ready.splice(at, 1)
      task?.()
    }
  }

  private nextSleeper(): Sleeper | undefined {
    while (this.sleepers.length > 0) {
      const next = pop(this.sleepers)
      if (next?.wake !== undefined) return next
    }
    return undefined
  }
}

/** Steps of one fiber in a row. */
const OPS_MAX = 2048
/** The next fiber is one of so many that have waited longest. */
const CHOICES_MAX = 8
