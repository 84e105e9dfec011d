import { Context, Effect, Layer } from "effect"
import { type PublishError, WrongLastSequence } from "./BusError.ts"
import { BusSettings } from "./BusSettings.ts"
import type { Connection } from "./Connection.ts"
import type { MemoryServer } from "./MemoryServer.ts"
import * as MemoryWire from "./memory/MemoryWire.ts"
import { type Outgoing, type Publishing, publishFenced, publishPlain } from "./publishing.ts"
import * as NatsWire from "./wire/NatsWire.ts"
import { Wire } from "./wire/Wire.ts"

export type { Outgoing } from "./publishing.ts"

/**
 * Publishes and waits for the acknowledgement. Passing failures are repeated for `publishTimeoutSeconds`; the current
 * span travels as `traceparent`.
 */
export class Publisher extends Context.Service<
  Publisher,
  {
    /** At least once: after a lost answer the message may be stored twice. */
    readonly publish: (m: Outgoing) => Effect.Effect<{ readonly seq: number }, PublishError>
    /** Stores the message unless its subject has one: exactly once per subject, whoever else tries. */
    readonly createOnce: (m: Outgoing) => Effect.Effect<"created" | "exists", PublishError>
    /**
     * Stores the message right behind sequence `lastSequence` of its subject (0 = as the first one) and returns the new
     * sequence. Refused when anybody else has appended since.
     */
    readonly append: (m: Outgoing, lastSequence: number) => Effect.Effect<number, WrongLastSequence | PublishError>
  }
>()("bus/Publisher") {
  static readonly layerWire: Layer.Layer<Publisher, never, Wire> = Layer.effect(
    Publisher,
    Effect.gen(function* () {
      const deps = { wire: yield* Wire, settings: yield* BusSettings }
      return Publisher.of({
        publish: (m) => publishPlain(deps, m),
        createOnce: (m) => createOnce(deps, m),
        append: (m, lastSequence) => append(deps, m, lastSequence)
      })
    })
  )
  static readonly layer: Layer.Layer<Publisher, never, Connection> = Publisher.layerWire.pipe(
    Layer.provide(NatsWire.layer)
  )
  static readonly layerMemory: Layer.Layer<Publisher, never, MemoryServer> = Publisher.layerWire.pipe(
    Layer.provide(MemoryWire.layer)
  )
}

const createOnce = (deps: Publishing, m: Outgoing) =>
  Effect.map(publishFenced(deps, m, 0), (result) => (result._tag === "Stored" ? "created" : "exists"))

const append = Effect.fnUntraced(function* (deps: Publishing, m: Outgoing, lastSequence: number) {
  const result = yield* publishFenced(deps, m, lastSequence)
  if (result._tag === "Stored") return result.seq
  return yield* new WrongLastSequence({ subject: m.subject, expected: lastSequence })
})
