import { Schema } from "effect"

/** Why a bus operation was given up. */
export const BusFailureReason = Schema.Literals([
  /** No answer (no connection, no leader, no JetStream) until the time allowed for retries was over. */
  "NoAnswer",
  /** The connection was closed for good: the process should end and be started again. */
  "Closed",
  /** The credentials do not allow it. */
  "Denied",
  /** The stream has reached its size and refuses new messages (`discard: new`). */
  "Full",
  /** The stream or consumer does not exist. */
  "Missing",
  /** The server refused it for another reason, given in the message. */
  "Refused"
])
export type BusFailureReason = typeof BusFailureReason.Type

/** The bus cannot do what was asked: retries were exhausted, or retrying cannot help. `message` says what to do next. */
export class BusUnavailable extends Schema.TaggedError<BusUnavailable>()("BusUnavailable", {
  /** What was attempted, e.g. `publish run.finished.r1`. */
  operation: Schema.String,
  reason: BusFailureReason,
  message: Schema.String
}) {}

/** The message is larger than the server or its stream accepts. Never retried. */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", {
  subject: Schema.String,
  /** Size of data and headers. */
  bytes: Schema.Int,
  message: Schema.String
}) {}

/** A fenced append was refused: somebody else has written to the subject since `expected`. */
export class WrongLastSequence extends Schema.TaggedError<WrongLastSequence>()("WrongLastSequence", {
  subject: Schema.String,
  /** The sequence that was to be the subject's last one; 0 = none. */
  expected: Schema.Int
}) {
  override get message() {
    return `${this.subject} has moved on from sequence ${this.expected}: read its last message and decide again`
  }
}

/** `create` found a value under the key. */
export class KeyExists extends Schema.TaggedError<KeyExists>()("KeyExists", {
  bucket: Schema.String,
  key: Schema.String
}) {
  override get message() {
    return `key ${this.key} exists in bucket ${this.bucket}: get it, then update it by its revision`
  }
}

/** `update` found another revision than the one it was decided on. */
export class RevisionConflict extends Schema.TaggedError<RevisionConflict>()("RevisionConflict", {
  bucket: Schema.String,
  key: Schema.String
}) {
  override get message() {
    return `key ${this.key} of bucket ${this.bucket} was changed by somebody else: get it again and decide again`
  }
}

/** Streams, buckets or consumers are missing and these credentials may not create them. */
export class TopologyMissing extends Schema.TaggedError<TopologyMissing>()("TopologyMissing", {
  /** Names such as `stream FLEET`, `bucket fleet-runs`, `consumer FLEET/watcher`. */
  missing: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/** The server is too old for what the topology asks. */
export class TopologyUnsupported extends Schema.TaggedError<TopologyUnsupported>()("TopologyUnsupported", {
  serverVersion: Schema.String,
  message: Schema.String
}) {}

/** What every publish may fail with. */
export type PublishError = BusUnavailable | PayloadTooLarge
