import { Effect, Layer } from "effect"
import { Bus, type Ports } from "#bus/Bus.ts"
import { BusUnavailable } from "#bus/BusError.ts"
import { BusSettings, defaultBusSettings } from "#bus/BusSettings.ts"
import { Connection } from "#bus/Connection.ts"
import type { ConfigInvalid } from "#process/ConfigReport.ts"
import { connectionSettings } from "./connection.ts"
import { ExitCodes } from "./exitCode.ts"
import { type Failure, failure } from "./Failure.ts"

/** People wait at most this long for a server that is not there. */
const CONNECT_SECONDS = 2

/** A command may read many runs at once; of each it holds at most so many messages (batches of lines) read ahead. */
const READ_AHEAD_MESSAGES = 100

const settings = { ...defaultBusSettings, replayBufferMessages: READ_AHEAD_MESSAGES }

/** Gives a command its connection to NATS; what fails there becomes one line that says what to do. */
export const connected = <A, E, R>(
  command: Effect.Effect<A, E, R>,
  { connectSeconds = CONNECT_SECONDS }: { readonly connectSeconds?: number } = {}
): Effect.Effect<A, Exclude<E, BusUnavailable> | Failure | ConfigInvalid, Exclude<R, Ports | Connection>> =>
  Effect.gen(function* () {
    const { options } = yield* connectionSettings
    const url = options.servers.join(", ")
    const bus = Bus.layer({ ...options, connectWaitSeconds: connectSeconds }).pipe(
      Layer.provide(Layer.succeed(BusSettings, settings))
    )
    const explained = <F>(error: F) =>
      error instanceof BusUnavailable
        ? failure(busText(error, url), ExitCodes.unavailable)
        : (error as Exclude<F, BusUnavailable>)
    return yield* Effect.andThen(assertJetStream(url), command).pipe(Effect.provide(bus), Effect.mapError(explained))
  })

/** A server without JetStream would let every request wait until it is given up. */
const assertJetStream = (url: string) =>
  Effect.flatMap(Connection, ({ nc }) =>
    nc.info?.jetstream === true
      ? Effect.void
      : Effect.fail(
          failure(
            `The NATS server at ${url} has no JetStream. Start it with JetStream (nats-server -js).`,
            ExitCodes.unavailable
          )
        )
  )

/** Why the bus could not be used, for people. */
export const busText = ({ reason, message }: Pick<BusUnavailable, "reason" | "message">, url: string): string => {
  switch (reason) {
    case "NoAnswer":
      return `Nothing answers at ${url}. Start everything with \`fleet up\`, or set NATS_URL.`
    case "Missing":
      return `NATS at ${url} is not set up for a fleet. Set it up with \`fleet init\`, or start everything with \`fleet up\`.`
    case "Full":
      return "The inbox is full: too many requests wait. Try again when some have been taken, or raise FLEET_INBOX_BYTES_MAX."
    default:
      return message
  }
}
