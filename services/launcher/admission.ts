/** Who may wait for a turn, and when the others come again. Pure; times are milliseconds. */

/** A longer wait than this is spent in the stream, not in hand. */
export const HOLD_MILLIS = 10_000

/** An order that is here for the first time does not pass those that were handed back, unless nearly nobody waits. */
export const SHORT_WAIT_MILLIS = 1_000

/** The shortest and the longest time that an order is handed back for. */
export const BACK_MILLIS_MIN = 500
export const BACK_MILLIS_MAX = 30_000

export interface Line {
  readonly nowMillis: number
  /** Until the one behind all that wait has a token. */
  readonly waitMillis: number
  /** Between two tokens. */
  readonly stepMillis: number
  /** When the turn of the last order comes that was handed back. */
  readonly promisedMillis: number
}

/**
 * How many orders a lane may hold of all that may be in hand: half of what is free. However many lanes are stuck, some
 * hands stay free for another (the dynamic threshold of shared-memory switches, Choudhury and Hahne 1998).
 */
export const shareOf = (ordersMax: number, held: number): number => (ordersMax - held) / 2

export const isAdmitted = (line: Line, isReturning: boolean): boolean => {
  if (line.waitMillis <= SHORT_WAIT_MILLIS) return true
  const isBacklog = line.promisedMillis > line.nowMillis + line.waitMillis
  return line.waitMillis <= HOLD_MILLIS && (isReturning || !isBacklog)
}

/**
 * Back to the stream until half of those that wait now have gone, counted from the end of the queue: early enough that
 * the pace is used up, and each order has a turn of its own. Who is too far behind for that comes to look again.
 */
export const promise = (
  { nowMillis, waitMillis, stepMillis, promisedMillis }: Line,
  jitter: number
): { readonly delayMillis: number; readonly promisedMillis: number } => {
  const turnMillis = Math.max(promisedMillis, nowMillis + waitMillis) + stepMillis
  const delayMillis = turnMillis - nowMillis - waitMillis / 2
  return delayMillis > BACK_MILLIS_MAX
    ? { delayMillis: Math.round(BACK_MILLIS_MAX * (1 - jitter / 5)), promisedMillis }
    : { delayMillis: Math.max(BACK_MILLIS_MIN, Math.ceil(delayMillis)), promisedMillis: turnMillis }
}

/** As many calls are under way as may be: AWS is slow there, and 5 s to 10 s later it may answer again. */
export const slowDelayMillis = (jitter: number): number => Math.round(5_000 * (1 + jitter))
