import type { Effect, Option, Scope } from "effect"
import { Context, Data } from "effect"
import type { BusMessage, Delivery } from "#bus/Message.ts"

/*
 * What the bus needs of JetStream, and nothing more. The ports (Publisher, Messages, Consumer, Buckets, Topology) are
 * written once over this interface; it is spoken to a nats-server by NatsWire and to the in-memory server by
 * MemoryWire. So a simulation over the memory runs the same retries, fences, heart-beats and hand-overs as production.
 */

/** What went wrong, as far as a caller decides on it. */
export type WireFault =
  /** No answer, no leader, an election, a restart: whether it was done is unknown; the same again may succeed. */
  | "transient"
  /** The subject's last sequence is not the expected one. */
  | "wrongLastSequence"
  /** Larger than the server or the stream accepts. */
  | "tooLarge"
  /** The stream is at its limit and discards new messages. */
  | "full"
  /** The credentials do not allow it. */
  | "denied"
  /** No such stream or consumer. */
  | "missing"
  /** A stream or consumer of that name exists with another configuration. */
  | "exists"
  /** The connection is closed for good. */
  | "closed"
  /** Any other refusal. */
  | "refused"

export class WireError extends Data.TaggedError("WireError")<{
  readonly fault: WireFault
  readonly message: string
}> {}

export interface WirePublish {
  readonly subject: string
  readonly data: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  /** The sequence the subject's last message must have; 0 = there must be none. */
  readonly expectedLastSequence?: number
  readonly messageId?: string
}

export interface WireDelivery extends Delivery {
  /** Where acknowledgements of this delivery go. */
  readonly reply: string
  /** 1, 2, 3 … for each delivery of the consumer: a gap means that something was lost on the way. */
  readonly deliverySeq: number
  /** Messages that wait for the consumer behind this one, as far as the server knew. */
  readonly pending: number
}

export interface WireStream {
  readonly name: string
  readonly subjects: ReadonlyArray<string>
  /** 0 = for ever. */
  readonly maxAgeSeconds: number
  /** -1 = no limit. */
  readonly maxBytes: number
  readonly discard: "old" | "new"
  /** -1 = no limit. */
  readonly maxMessageBytes: number
  /** -1 = no limit; 1 for buckets. */
  readonly maxMessagesPerSubject: number
  readonly duplicateWindowSeconds: number
  readonly replicas: number
}

export interface WireConsumer {
  readonly name: string
  /** A durable stays until it is deleted; the others live in memory and go when nobody pulls for `inactiveSeconds`. */
  readonly durable: boolean
  readonly filterSubject?: string
  readonly fromSeq?: number
  /** Epoch milliseconds: starts with the first message that was stored then or later. Not together with `fromSeq`. */
  readonly fromTimeMillis?: number
  readonly ack: "explicit" | "none"
  readonly ackWaitSeconds?: number
  readonly maxAckPending?: number
  readonly headersOnly?: boolean
  readonly inactiveSeconds?: number
}

/** How a pull request ended. */
export type PullEnd =
  /** All that was asked for has come. */
  | "filled"
  /** Its time is over; nothing is wrong. */
  | "expired"
  /** The server stops, the connection was replaced, or nobody answers: deliveries may have been lost. */
  | "broken"

export interface Pull {
  /** Asks for up to `batch` messages, which arrive at `onDelivery`. One request at a time. */
  readonly request: (batch: number) => Effect.Effect<PullEnd, WireError>
  /** After it has returned nothing arrives any more; what is on the way arrives before. */
  readonly stop: Effect.Effect<void>
}

export interface PullOptions {
  readonly stream: string
  readonly consumer: string
  /** Called at once for each delivery; must not throw. */
  readonly onDelivery: (d: WireDelivery) => void
}

export type AckKind = "ack" | "working" | "term" | { readonly nakDelayMillis: number }

export interface WireShape {
  readonly serverVersion: string
  readonly publish: (p: WirePublish) => Effect.Effect<{ readonly seq: number; readonly duplicate: boolean }, WireError>
  /** The last message of a subject, from the stream's leader. */
  readonly last: (stream: string, subject: string) => Effect.Effect<Option.Option<BusMessage>, WireError>
  readonly at: (stream: string, seq: number) => Effect.Effect<Option.Option<BusMessage>, WireError>
  /** The first message of a subject from a sequence on, from the stream's leader. */
  readonly next: (
    stream: string,
    subject: string,
    fromSeq: number
  ) => Effect.Effect<Option.Option<BusMessage>, WireError>
  /** Removes one message without a trace. */
  readonly remove: (stream: string, seq: number) => Effect.Effect<void, WireError>
  /** Sends an acknowledgement to each reply subject. There is no answer; a lost one is a redelivery later. */
  readonly settle: (replies: ReadonlyArray<string>, kind: AckKind) => void
  /** Returns when the server has what was sent so far, or after a short time. */
  readonly flush: Effect.Effect<void>
  readonly openPull: (options: PullOptions) => Effect.Effect<Pull, WireError, Scope.Scope>
  readonly stream: (name: string) => Effect.Effect<Option.Option<WireStream>, WireError>
  readonly createStream: (config: WireStream) => Effect.Effect<void, WireError>
  readonly updateStream: (config: WireStream) => Effect.Effect<void, WireError>
  readonly consumer: (stream: string, name: string) => Effect.Effect<Option.Option<WireConsumer>, WireError>
  /** The sequence up to which a consumer has every message acknowledged. */
  readonly ackFloor: (stream: string, name: string) => Effect.Effect<number, WireError>
  readonly createConsumer: (stream: string, config: WireConsumer) => Effect.Effect<void, WireError>
  readonly updateConsumer: (stream: string, config: WireConsumer) => Effect.Effect<void, WireError>
  readonly deleteConsumer: (stream: string, name: string) => Effect.Effect<void, WireError>
}

export class Wire extends Context.Service<Wire, WireShape>()("bus/Wire") {}
