import { Clock, Duration, Effect, Layer } from "effect"

/** The real time, which a test sets forward: hours pass at once, and whoever sleeps until a time gone by wakes. */
export interface LeapingClock {
  /** Whatever is built with it lives in this time. */
  readonly layer: Layer.Layer<never>
  readonly leap: (duration: Duration.Input) => Effect.Effect<void>
}

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

export const leapingClock = (): LeapingClock => {
  const real = Clock.Clock.defaultValue()
  const sleepers = new Set<Sleeper>()
  let leapt = 0
  const leaptNanos = () => BigInt(leapt) * 1_000_000n
  const now = () => real.currentTimeMillisUnsafe() + leapt
  const nanos = () => real.currentTimeNanosUnsafe() + leaptNanos()
  const monotonic = () => real.monotonicTimeNanosUnsafe() + leaptNanos()
  const woken = (until: number) =>
    Effect.callback<void>((resume) => {
      const sleeper = { until, wake: () => resume(Effect.void) }
      sleepers.add(sleeper)
      return Effect.sync(() => sleepers.delete(sleeper))
    })
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: now,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) =>
      Effect.suspend(() => {
        const millis = Duration.toMillis(duration)
        return millis > 0 ? Effect.raceFirst(real.sleep(duration), woken(now() + millis)) : real.sleep(duration)
      })
  }
  return {
    layer: Layer.succeed(Clock.Clock, clock),
    leap: (duration) =>
      Effect.sync(() => {
        leapt += Duration.toMillis(duration)
        const due = [...sleepers].filter(({ until }) => until <= now())
        for (const sleeper of due) {
          sleepers.delete(sleeper)
          sleeper.wake()
        }
      })
  }
}
