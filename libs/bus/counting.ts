import { Effect, Option } from "effect"
import type { BusUnavailable } from "./BusError.ts"
import type { BusSettingsShape } from "./BusSettings.ts"
import { createEphemeral } from "./ephemeral.ts"
import { patiently, unavailable } from "./patience.ts"
import type { WireShape } from "./wire/Wire.ts"

/** The server forgets a count whose process died, or whose creation was not answered, after this time. */
const INACTIVE_SECONDS = 30

/**
 * How many messages of a subject are stored from a sequence on. nats-server counts only for consumers: one is made that
 * would begin there, and asked what waits for it.
 */
export const countFrom = (
  { settings, wire }: { readonly settings: BusSettingsShape; readonly wire: WireShape },
  stream: string,
  subject: string,
  fromSeq: number
): Effect.Effect<number, BusUnavailable> =>
  Effect.gen(function* () {
    const consumer = { durable: false, ack: "none", filterSubject: subject, fromSeq, headersOnly: true } as const
    const name = yield* createEphemeral(settings, "count", (name) =>
      wire.createConsumer(stream, { ...consumer, name, inactiveSeconds: INACTIVE_SECONDS })
    )
    const counted = patiently(settings, wire.backlog(stream, name))
    const backlog = yield* Effect.ensuring(counted, Effect.ignore(wire.deleteConsumer(stream, name)))
    return Option.match(backlog, { onNone: () => 0, onSome: ({ waiting }) => waiting })
  }).pipe(Effect.mapError(unavailable(`count ${subject} in ${stream}`)))
