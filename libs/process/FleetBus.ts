import { Effect, Layer } from "effect"
import { Bus } from "#bus/Bus.ts"
import type { BusUnavailable } from "#bus/BusError.ts"
import { Connection } from "#bus/Connection.ts"
import { type ConnectionValues, connectionOptions } from "#bus/ConnectionConfig.ts"
import { Health } from "#process/Health.ts"

/**
 * A server that is away for a moment is waited for, and the health checks say so. A connection that is closed for good
 * (credentials revoked, for instance) ends the process: whoever started it starts it again, and nothing is lost.
 */
const watchConnection = Layer.effectDiscard(
  Effect.gen(function* () {
    const { listen, closed } = yield* Connection
    let status = "ok"
    const stop = listen(({ _tag }) => {
      if (_tag !== "Denied") status = _tag === "Reconnected" ? "ok" : "disconnected, reconnecting"
    })
    yield* Effect.addFinalizer(() => Effect.sync(stop))
    yield* (yield* Health).register({ name: "nats", check: Effect.sync(() => status) })
    yield* Effect.forkScoped(closed.pipe(Effect.catch(endProcess)))
  })
)

const endProcess = (error: BusUnavailable) =>
  Effect.andThen(
    Effect.logFatal("the connection to NATS is closed for good", { why: error.message }),
    Effect.sync(() => process.exit(1))
  )

/** The bus of a service, connected as its settings say, and part of its health. */
export const fleetBus = (name: string, settings: ConnectionValues) =>
  watchConnection.pipe(Layer.provideMerge(Bus.layer(connectionOptions(settings, name))))
