import { Clock, Effect } from "effect"

/** Runs on the machine's clock, wherever it is called: processes and downloads do not follow a test's clock. */
export const realTime = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(self, Clock.Clock, Clock.Clock.defaultValue())
