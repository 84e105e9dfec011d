/** Rate and burst of a quota. */
export interface Limit {
  readonly perSecond: number
  /** Calls at once after a quiet time. */
  readonly burst: number
}

/**
 * A token bucket whose rate adapts: halved when AWS throttles, then rising in a straight line back to the limit. A value;
 * `at` is when it was true, epoch milliseconds.
 */
export interface Bucket {
  readonly tokens: number
  readonly perSecond: number
  readonly at: number
  /** When it was last throttled; undefined = never. */
  readonly throttledAt: number | undefined
}

/** From half the rate back to the whole in this long. */
export const recoverySeconds = 10
/** The rate never falls below this part of the limit. */
export const lowestShare = 1 / 32
/** Calls that were under way together are throttled together: they count once. */
export const throttleWindowMillis = 1000

export const fullBucket = (limit: Limit, now: number): Bucket => ({
  tokens: limit.burst,
  perSecond: limit.perSecond,
  at: now,
  throttledAt: undefined
})

/** The bucket at a later time. An earlier time (a clock set back) changes nothing but `at`. */
export const refill = (bucket: Bucket, limit: Limit, now: number): Bucket => {
  const seconds = Math.max(0, now - bucket.at) / 1000
  const rise = limit.perSecond / 2 / recoverySeconds
  const rising = Math.min(seconds, Math.max(0, limit.perSecond - bucket.perSecond) / rise)
  const gained = bucket.perSecond * rising + (rise * rising * rising) / 2 + limit.perSecond * (seconds - rising)
  return {
    tokens: Math.min(limit.burst, bucket.tokens + gained),
    perSecond: rising < seconds ? limit.perSecond : Math.min(limit.perSecond, bucket.perSecond + rise * rising),
    at: now,
    throttledAt: bucket.throttledAt
  }
}

/** Milliseconds until a token can be taken that leaves `reserve` behind; 0 = now. The rate may rise meanwhile. */
export const waitMillis = (bucket: Bucket, reserve: number): number => {
  const lacking = reserve + 1 - bucket.tokens
  return lacking <= tolerance ? 0 : Math.ceil((lacking / bucket.perSecond) * 1000)
}

/** Takes one token. */
export const spend = (bucket: Bucket): Bucket => ({ ...bucket, tokens: Math.max(0, bucket.tokens - 1) })

/** AWS says that we are too fast: half the rate, and no burst. */
export const throttle = (bucket: Bucket, limit: Limit, now: number): Bucket =>
  bucket.throttledAt !== undefined && now - bucket.throttledAt < throttleWindowMillis
    ? { ...bucket, tokens: 0 }
    : {
        tokens: 0,
        perSecond: Math.max(limit.perSecond * lowestShare, bucket.perSecond / 2),
        at: now,
        throttledAt: now
      }

// Sums of many small gains miss a whole token by a rounding error.
const tolerance = 1e-9
