import { Schema } from "effect"
import { codec, Version } from "#ecs-core/Codec.ts"

/**
 * `maxSubmitPerSecond` over all replicas: a generic cell rate algorithm without a burst. What is shared is the time from
 * which the next admission is free, stored under compare-and-set; whoever takes admissions moves it on by a period for
 * each. A replica takes a few at a time and waits for each one's moment, so that a fast pool costs few writes. Times are
 * the dispatchers' own: of two whose clocks differ by S, the one ahead may once admit what belongs to the next S.
 */
export const SubmitPace = Schema.Struct({
  v: Schema.optionalKey(Version),
  perSecond: Schema.Finite,
  /** Epoch milliseconds from which the next admission is free. */
  next: Schema.Finite
})
export type SubmitPace = typeof SubmitPace.Type

export const SubmitPaceCodec = codec(SubmitPace)

/** A replica takes no more at a time than belong to this long; what it does not use is lost. */
export const BATCH_MILLIS = 100

/** An admission that was taken so long ago, and not used, is not used any more. */
export const STALE_MILLIS = 1000

export interface Reserved {
  readonly pace: SubmitPace
  /** When each admission may happen, epoch milliseconds, in order; never empty. */
  readonly at: ReadonlyArray<number>
}

/** Takes up to `wanted` admissions. At another rate than before nobody waits longer than that rate asks for. */
export const reserve = (
  known: SubmitPace | undefined,
  perSecond: number,
  wanted: number,
  nowMillis: number
): Reserved => {
  const period = 1000 / perSecond
  const count = Math.max(1, Math.min(Math.trunc(wanted), Math.floor(BATCH_MILLIS / period)))
  const isSameRate = known?.perSecond === perSecond
  const free = known === undefined ? nowMillis : isSameRate ? known.next : Math.min(known.next, nowMillis + period)
  const first = Math.max(nowMillis, free)
  return {
    pace: { perSecond, next: first + count * period },
    at: Array.from({ length: count }, (_, index) => first + index * period)
  }
}
