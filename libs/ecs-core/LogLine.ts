import { Schema } from "effect"
import { codec, Version } from "./Codec.ts"
import { Problem } from "./errors.ts"
import { Attempt } from "./Ids.ts"
import { Instant } from "./Instant.ts"
import { Outcome } from "./RunState.ts"

/** A line above this many bytes of JSON is published in pieces. */
export const LINE_BYTES_MAX = 48 * 1024
/** One batch: whichever comes first. */
export const BATCH_LINES_MAX = 100
export const BATCH_BYTES_MAX = 64 * 1024

/** Container name of lines that come from the fleet itself: why there is no output, for instance. */
export const NOTICE_CONTAINER = "fleet"

/** One line of output. `id` is a short hash of CloudWatch's event id: a successor skips what is already published. */
export const LogLine = Schema.Struct({
  time: Instant,
  container: Schema.String,
  text: Schema.String,
  id: Schema.optionalKey(Schema.String),
  late: Schema.optionalKey(Schema.Boolean),
  /** Piece number of a long line, from 1; the last piece has `last: true`. */
  part: Schema.optionalKey(Schema.Int),
  last: Schema.optionalKey(Schema.Boolean)
})
export type LogLine = typeof LogLine.Type

/** How far one container of one attempt has been read; `drained` when nothing more will come. */
export const ReadPosition = Schema.Struct({
  attempt: Attempt,
  container: Schema.String,
  /** CloudWatch's timestamp of the newest published line, epoch milliseconds; 0 = none yet. */
  time: Schema.Int,
  lines: Schema.Int,
  /** Size of these lines as JSON. */
  bytes: Schema.optionalKey(Schema.Int),
  /** Lines read and not published: the run has more output than is kept of one. */
  leftOut: Schema.optionalKey(Schema.Int),
  drained: Schema.optionalKey(Schema.Literals(["complete", "cut"]))
})
export type ReadPosition = typeof ReadPosition.Type

/** A batch on `logs.<runId>`; `positions` cover all attempts and containers, so that the last batch says it all. */
export const LogBatch = Schema.Struct({
  v: Schema.optionalKey(Version),
  attempt: Attempt,
  lines: Schema.Array(LogLine),
  positions: Schema.Array(ReadPosition)
})
export type LogBatch = typeof LogBatch.Type

/** The one end marker on `logs.<runId>`. */
export const LogEnd = Schema.Struct({
  v: Schema.optionalKey(Version),
  end: Schema.Struct({
    lines: Schema.Int,
    containers: Schema.Array(ReadPosition),
    /** False where lines may be missing: draining was cut off, or there was more than is kept of one run. */
    complete: Schema.Boolean,
    /** How the run ended. */
    outcome: Schema.optionalKey(Outcome),
    exitCode: Schema.optionalKey(Schema.Int),
    error: Schema.optionalKey(Problem),
    /** Last lines of a run that did not succeed. */
    tail: Schema.optionalKey(Schema.Array(LogLine))
  })
})
export type LogEnd = typeof LogEnd.Type

export const LogMessage = Schema.Union([LogEnd, LogBatch])
export type LogMessage = typeof LogMessage.Type

export const LogCodecs = { batch: codec(LogBatch), end: codec(LogEnd), message: codec(LogMessage) } as const

export const isEnd = (message: LogMessage): message is LogEnd => "end" in message

/** A batch as JSON, of lines that are JSON already: thousands a second, where checking each again would cost most of it. */
export const batchJson = (
  attempt: Attempt,
  lines: ReadonlyArray<string>,
  positions: ReadonlyArray<ReadPosition>
): string => `{"v":1,"attempt":${attempt},"lines":[${lines.join(",")}],"positions":${JSON.stringify(positions)}}`

/**
 * A short hash of CloudWatch's event id (after cyrb53: 53 bits in base 36, two characters a step). Two lines count as the same only if their times are
 * the same as well, so that chance cannot lose one.
 */
export const lineId = (eventId: string): string => {
  let [high, low] = [0xdeadbeef, 0x41c6ce57]
  for (let at = 0; at < eventId.length; at += 2) {
    const code = eventId.charCodeAt(at) | (eventId.charCodeAt(at + 1) << 16)
    high = Math.imul(high ^ code, 2654435761)
    low = Math.imul(low ^ code, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36)
}
