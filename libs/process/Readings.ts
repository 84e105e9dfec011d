import { Context, Effect, Layer, Option, Schedule, type Scope } from "effect"

/** How often gauges are read that nothing else keeps up to date. */
export const READ_SECONDS = 10

/** A reading that takes longer is left for the next time. */
const READING_SECONDS_MAX = 5

/**
 * Gauges that show a state, and no event, are read now and then: both for `/metrics` and for a collector, at a cost that
 * does not rise with the load.
 */
export class Readings extends Context.Service<
  Readings,
  {
    /** The reading is taken as long as the scope is open. It says by itself what went wrong. */
    readonly register: (reading: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
    readonly takeForEver: Effect.Effect<never>
  }
>()("process/Readings") {
  static readonly layer: Layer.Layer<Readings> = Layer.sync(Readings, () => {
    const readings = new Set<{ readonly take: Effect.Effect<void> }>()
    const round = Effect.suspend(() => Effect.forEach([...readings], ({ take }) => take, { discard: true }))
    return {
      register: (reading) => {
        const entry = { take: Effect.asVoid(Effect.timeoutOption(reading, `${READING_SECONDS_MAX} seconds`)) }
        const added = Effect.andThen(
          Effect.sync(() => void readings.add(entry)),
          entry.take
        )
        return Effect.acquireRelease(added, () => Effect.sync(() => void readings.delete(entry)))
      },
      takeForEver: Effect.andThen(Effect.repeat(round, Schedule.spaced(`${READ_SECONDS} seconds`)), Effect.never)
    }
  })
}

/** Registers the reading where metrics are told; one that embeds a service may not. */
export const readWhereTold = (reading: Effect.Effect<void>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(
    Effect.serviceOption(Readings),
    Option.match({ onNone: () => Effect.void, onSome: (readings) => readings.register(reading) })
  )
