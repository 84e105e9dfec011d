import { Schema } from "effect"
import { codec, Version } from "./Codec.ts"
import { Instant } from "./Instant.ts"

/** Key in the bucket `fleet-meta`: who wants records rebuilt, and how far a dispatcher is with it. */
export const REBUILD_KEY = "rebuild"

/** A rebuild whose dispatcher gave no sign for this long is begun anew by another. */
export const REBUILD_SILENT_SECONDS = 30

/** What a rebuild has done; each run is counted once. */
export const RebuildCounts = Schema.Struct({
  /** Records made. */
  created: Schema.Int,
  /** Runs whose record was there. */
  kept: Schema.Int,
  /** Of the records made: those of runs that go on. */
  live: Schema.Int,
  /** Of the records made: those whose first messages were gone. */
  incomplete: Schema.Int,
  /** Runs of which too little is left for a record, or whose request is still to be read. */
  left: Schema.Int
})
export type RebuildCounts = typeof RebuildCounts.Type

export const noCounts: RebuildCounts = { created: 0, kept: 0, live: 0, incomplete: 0, left: 0 }

/** One rebuild: asked for, at work, over. */
export const RebuildState = Schema.Struct({
  v: Schema.optionalKey(Version),
  id: Schema.String,
  state: Schema.Literals(["wanted", "running", "done", "failed"]),
  /** When it was asked for, and by whom: `fleet rebuild`, or a dispatcher that found no records. */
  at: Instant,
  by: Schema.String,
  /** The dispatcher at work. */
  owner: Schema.optionalKey(Schema.String),
  /** Messages read, of those that are stored. */
  read: Schema.Int,
  total: Schema.Int,
  ...RebuildCounts.fields,
  endedAt: Schema.optionalKey(Instant),
  /** Why it failed. */
  error: Schema.optionalKey(Schema.String)
})
export type RebuildState = typeof RebuildState.Type

export const RebuildCodec = codec(RebuildState)

export const isOver = ({ state }: RebuildState): boolean => state === "done" || state === "failed"

/** How far it is, in whole percent; below 100 until it is over. */
export const percentOf = (rebuild: RebuildState): number => {
  if (rebuild.state === "done") return 100
  return rebuild.total === 0 ? 0 : Math.min(99, Math.floor((100 * rebuild.read) / rebuild.total))
}
