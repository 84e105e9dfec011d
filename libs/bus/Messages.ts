import { Context, Effect, Layer, type Option, type Stream } from "effect"
import type { BusUnavailable } from "./BusError.ts"
import { BusSettings } from "./BusSettings.ts"
import type { Connection } from "./Connection.ts"
import { countFrom } from "./counting.ts"
import type { MemoryServer } from "./MemoryServer.ts"
import type { BusMessage } from "./Message.ts"
import * as MemoryWire from "./memory/MemoryWire.ts"
import { patiently, unavailable } from "./patience.ts"
import { type ReplayOptions, read } from "./replay.ts"
import * as NatsWire from "./wire/NatsWire.ts"
import { Wire } from "./wire/Wire.ts"

export type { ReplayOptions } from "./replay.ts"

/** Reads stored messages, and deletes single ones. */
export class Messages extends Context.Service<
  Messages,
  {
    /** The last message of a subject, from the stream's leader: what it says is decided. */
    readonly last: (stream: string, subject: string) => Effect.Effect<Option.Option<BusMessage>, BusUnavailable>
    /** The first message of a subject that is still stored, from the stream's leader. */
    readonly first: (stream: string, subject: string) => Effect.Effect<Option.Option<BusMessage>, BusUnavailable>
    /** The message of a sequence, from the stream's leader. */
    readonly at: (stream: string, seq: number) => Effect.Effect<Option.Option<BusMessage>, BusUnavailable>
    /** How many messages of a subject are stored from a sequence on. */
    readonly countFrom: (stream: string, subject: string, fromSeq: number) => Effect.Effect<number, BusUnavailable>
    /** Deletes the message of a sequence; nothing happens if it is gone already. */
    readonly remove: (stream: string, seq: number) => Effect.Effect<void, BusUnavailable>
    /** Messages of a subject in the order of the stream, each once. */
    readonly replay: (options: ReplayOptions) => Stream.Stream<BusMessage, BusUnavailable>
  }
>()("bus/Messages") {
  static readonly layerWire: Layer.Layer<Messages, never, Wire> = Layer.effect(
    Messages,
    Effect.gen(function* () {
      const wire = yield* Wire
      const settings = yield* BusSettings
      return Messages.of({
        last: (stream, subject) =>
          patiently(settings, wire.last(stream, subject)).pipe(
            Effect.mapError(unavailable(`read the last message of ${subject}`))
          ),
        first: (stream, subject) =>
          patiently(settings, wire.next(stream, subject, 1)).pipe(
            Effect.mapError(unavailable(`read the first message of ${subject}`))
          ),
        at: (stream, seq) =>
          patiently(settings, wire.at(stream, seq)).pipe(Effect.mapError(unavailable(`read ${stream}:${seq}`))),
        countFrom: (stream, subject, fromSeq) => countFrom({ wire, settings }, stream, subject, fromSeq),
        remove: (stream, seq) =>
          patiently(settings, wire.remove(stream, seq)).pipe(
            Effect.catchIf(
              ({ fault }) => fault === "missing",
              () => Effect.void
            ),
            Effect.mapError(unavailable(`delete ${stream}:${seq}`))
          ),
        replay: (options) => read({ wire, settings }, { ...options, moreRounds: 0, headersOnly: false })
      })
    })
  )
  static readonly layer: Layer.Layer<Messages, never, Connection> = Messages.layerWire.pipe(
    Layer.provide(NatsWire.layer)
  )
  static readonly layerMemory: Layer.Layer<Messages, never, MemoryServer> = Messages.layerWire.pipe(
    Layer.provide(MemoryWire.layer)
  )
}
