import { Context, Deferred } from "effect"

/**
 * Done when the process was told to end. Scopes close their parts one after the other, and a service has several workers
 * that may each take seconds to finish what is in hand; so that these do not add up beyond `shutdownSeconds`, all workers
 * hear of the end at once, from here. Where nobody says anything, as in a service that is embedded, it is never done.
 */
export const Stopping = Context.Reference<Deferred.Deferred<void>>("process/Stopping", {
  defaultValue: () => Deferred.makeUnsafe<void>()
})
