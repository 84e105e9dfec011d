import { Clock, Effect, Random } from "effect"
import { type BusFailureReason, BusUnavailable } from "./BusError.ts"
import type { BusSettingsShape } from "./BusSettings.ts"
import type { WireError, WireFault } from "./wire/Wire.ts"

/** The pause before retry number `retry` (0, 1, 2 …): doubling, capped, shortened by up to half at random. */
export const pauseMillis = (settings: BusSettingsShape, retry: number, random: number): number =>
  Math.min(settings.retryFirstMillis * 2 ** retry, settings.retryMaxMillis) * (1 - random / 2)

/** Repeats what fails for a passing reason, until `publishTimeoutSeconds` are over; then the last failure is final. */
export const patiently = Effect.fnUntraced(function* <A>(
  settings: BusSettingsShape,
  attempt: Effect.Effect<A, WireError>
): Effect.fn.Return<A, WireError> {
  const deadline = (yield* Clock.currentTimeMillis) + settings.publishTimeoutSeconds * 1_000
  for (let retry = 0; ; retry++) {
    const outcome = yield* Effect.result(attempt)
    if (outcome._tag === "Success") return outcome.success
    const pause = pauseMillis(settings, retry, yield* Random.next)
    const over = (yield* Clock.currentTimeMillis) + pause > deadline
    if (outcome.failure.fault !== "transient" || over) return yield* outcome.failure
    yield* Effect.sleep(pause)
  }
})

const reasons: Readonly<Record<WireFault, BusFailureReason>> = {
  transient: "NoAnswer",
  closed: "Closed",
  denied: "Denied",
  full: "Full",
  missing: "Missing",
  exists: "Refused",
  tooLarge: "Refused",
  wrongLastSequence: "Refused",
  refused: "Refused"
}

const advice: Readonly<Record<BusFailureReason, string>> = {
  NoAnswer: "check that nats-server runs with JetStream (-js), that the stream exists and that a leader is elected",
  Closed: "start the process again",
  Denied: "give these credentials the permission, or use others",
  Full: "the stream takes no more: wait until messages age out, or raise its byte limit",
  Missing: "create the streams, buckets and consumers first",
  Refused: "compare the request with the server's limits and the stream's configuration"
}

/** What a caller of the bus is told about a failure of the wire. */
export const unavailable =
  (operation: string) =>
  (error: WireError): BusUnavailable => {
    const reason = reasons[error.fault]
    return new BusUnavailable({ operation, reason, message: `${operation}: ${error.message}; ${advice[reason]}` })
  }
