import { Schema } from "effect"
import { codec, Version } from "./Codec.ts"
import { Instant, instantOf, millisOf } from "./Instant.ts"

/**
 * A drain: from `at` on the fleet launches nothing, until `endedAt`. What is ordered meanwhile waits, and the time that
 * it waits for the drain is none of its `launchTimeoutSeconds`. So the times of the last drains are kept as well.
 */

/** Earlier drains beyond this number are forgotten, the oldest first. */
export const DRAINS_MAX = 20

/** `drain` in `fleet-meta`: the last drain, in force while it has no `endedAt`. */
export const Drain = Schema.Struct({
  v: Schema.optionalKey(Version),
  at: Instant,
  reason: Schema.optionalKey(Schema.String),
  endedAt: Schema.optionalKey(Instant),
  /** Those before, the latest first. */
  earlier: Schema.optionalKey(Schema.Array(Schema.Struct({ at: Instant, endedAt: Instant })))
})
export type Drain = typeof Drain.Type

export const DrainCodec = codec(Drain)

export const isDraining = (drain: Drain | undefined): boolean => drain !== undefined && drain.endedAt === undefined

/** A drain from now on; one that is in force stays as it is. */
export const begun = (drain: Drain | undefined, at: Instant, reason: string | undefined): Drain => {
  if (drain !== undefined && drain.endedAt === undefined) return drain
  const earlier = endedDrains(drain).slice(0, DRAINS_MAX)
  return { at, ...(reason === undefined ? {} : { reason }), ...(earlier.length === 0 ? {} : { earlier }) }
}

/** No drain from now on; one that has ended stays as it is. */
export const ended = (drain: Drain | undefined, at: Instant): Drain | undefined =>
  drain === undefined || drain.endedAt !== undefined ? drain : { ...drain, endedAt: at }

const endedDrains = (drain: Drain | undefined) => {
  if (drain === undefined) return []
  const { at, earlier = [], endedAt } = drain
  return endedAt === undefined ? earlier : [{ at, endedAt }, ...earlier]
}

/** A deadline that counts from `from`, later by the time that the fleet drained since. */
export const afterDrains = (deadline: Instant, from: Instant, drain: Drain | undefined): Instant => {
  const drainedMillis = endedDrains(drain).map(({ at, endedAt }) =>
    Math.max(0, millisOf(endedAt) - Math.max(millisOf(at), millisOf(from)))
  )
  const sumMillis = drainedMillis.reduce((sum, each) => sum + each, 0)
  return sumMillis === 0 ? deadline : instantOf(millisOf(deadline) + sumMillis)
}
