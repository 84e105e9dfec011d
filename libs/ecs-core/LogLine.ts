import { Schema } from "effect"
import { codec, Version } from "./Codec.ts"
import { digest } from "./Digest.ts"
import { Attempt } from "./Ids.ts"
import { Instant } from "./Instant.ts"

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
    /** False where draining was cut off: lines may be missing at the end. */
    complete: Schema.Boolean,
    /** Last lines of a run that did not succeed. */
    tail: Schema.optionalKey(Schema.Array(LogLine))
  })
})
export type LogEnd = typeof LogEnd.Type

export const LogMessage = Schema.Union([LogEnd, LogBatch])
export type LogMessage = typeof LogMessage.Type

export const LogCodecs = { batch: codec(LogBatch), end: codec(LogEnd), message: codec(LogMessage) } as const

export const isEnd = (message: LogMessage): message is LogEnd => "end" in message

/** Eight hex characters are enough among the lines of one re-read minute. */
export const lineId = (eventId: string): string => digest("line", eventId).slice(0, 8)
