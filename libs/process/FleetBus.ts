import { Effect, Layer } from "effect"
import { Bus } from "#bus/Bus.ts"
import { Connection } from "#bus/Connection.ts"
import { connectionConfig, connectionOptions } from "#bus/ConnectionConfig.ts"
import { readConfig } from "#process/ConfigReport.ts"
import { Health } from "#process/Health.ts"

/** A closed connection is told to the health checks at once; a server that is away for a moment is waited for. */
const watchConnection = Layer.effectDiscard(
  Effect.gen(function* () {
    const { nc } = yield* Connection
    const check = Effect.sync(() => (nc.isClosed() ? "the connection to NATS is closed" : "ok"))
    yield* (yield* Health).register({ name: "nats", check })
  })
)

/** The bus of a service, connected as the environment says, and part of its health. */
export const fleetBus = (name: string) => {
  const connected = Layer.unwrap(
    Effect.map(readConfig(connectionConfig), (values) => Bus.layer(connectionOptions(values, name)))
  )
  return watchConnection.pipe(Layer.provideMerge(connected))
}
