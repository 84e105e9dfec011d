import { Effect, Option, Random } from "effect"
import type { BusUnavailable } from "./BusError.ts"
import type { BusSettingsShape } from "./BusSettings.ts"
import { patiently, unavailable } from "./patience.ts"
import type { WireShape } from "./wire/Wire.ts"

/** The server forgets a count whose process died after this time. */
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
    const name = `count-${(yield* Random.nextInt).toString(36).replace("-", "")}`
    const consumer = { name, durable: false, ack: "none", filterSubject: subject, fromSeq } as const
    const made = patiently(
      settings,
      wire.createConsumer(stream, { ...consumer, inactiveSeconds: INACTIVE_SECONDS, headersOnly: true })
    )
    const counted = Effect.andThen(made, patiently(settings, wire.backlog(stream, name)))
    const backlog = yield* Effect.ensuring(counted, Effect.ignore(wire.deleteConsumer(stream, name)))
    return Option.match(backlog, { onNone: () => 0, onSome: ({ waiting }) => waiting })
  }).pipe(Effect.mapError(unavailable(`count ${subject} in ${stream}`)))
