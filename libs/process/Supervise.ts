import { Deferred, Duration, Effect, Exit, Metric, Random } from "effect"
import { restarts } from "#process/metrics.ts"
import { Stopping } from "#process/Stopping.ts"

/** How a crashed worker is started again: the wait doubles from `baseMillis` up to `maxMillis`, ±20 % by chance. */
export const backOff = {
  baseMillis: 100,
  maxMillis: 30_000,
  /** A worker that ran this long was well: counting starts anew. */
  healthyMillis: 60_000
}

/** The wait before the start that follows the n-th failure in a row (n from 1), before chance. */
export const backOffMillis = (failures: number): number =>
  Math.min(backOff.baseMillis * 2 ** Math.min(failures - 1, 30), backOff.maxMillis)

/**
 * Runs a worker for ever: started again after a failure, a defect or a normal end, each logged and counted. Only an
 * interruption from outside ends it, or the end of the process, at which all workers wind up side by side. A forked
 * fiber that fails is silent, so whatever is forked and not joined runs in this.
 */
export const supervised = <A, E, R>(name: string, worker: Effect.Effect<A, E, R>): Effect.Effect<never, never, R> =>
  Effect.gen(function* () {
    yield* Effect.raceFirst(restarted(name, worker), Deferred.await(yield* Stopping))
    return yield* Effect.never
  })

const restarted = <A, E, R>(name: string, worker: Effect.Effect<A, E, R>): Effect.Effect<never, never, R> => {
  const counted = Metric.withAttributes(restarts, { worker: name })
  return Effect.gen(function* () {
    let failures = 0
    while (true) {
      const [ran, exit] = yield* Effect.timed(Effect.exit(worker))
      failures = Duration.toMillis(ran) >= backOff.healthyMillis ? 1 : failures + 1
      const waitMillis = Math.round(backOffMillis(failures) * (yield* Random.nextBetween(0.8, 1.2)))
      const facts = { worker: name, failures, waitMillis }
      if (Exit.isSuccess(exit)) yield* Effect.logWarning("worker ended; starting it again", facts)
      else yield* Effect.logError("worker crashed; starting it again", exit.cause, facts)
      yield* Metric.update(counted, 1)
      yield* Effect.sleep(waitMillis)
    }
  })
}
