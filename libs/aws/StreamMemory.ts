/** Default time for which a stream that was missing is not asked for again. */
export const missingStreamSeconds = 2

/** What is known of streams, by region, credentials, group and name. */
export interface StreamMemory {
  /** A stream that was missing is not asked for again for this long. */
  readonly missingStreamSeconds: number
  readonly existing: Set<string>
  /** Missing until, epoch milliseconds. */
  readonly missingUntil: Map<string, number>
}

export const makeStreamMemory = (seconds: number = missingStreamSeconds): StreamMemory => ({
  missingStreamSeconds: seconds,
  existing: new Set(),
  missingUntil: new Map()
})
