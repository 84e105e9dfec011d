import { Context, Effect, Layer, type Option, type Stream } from "effect"
import type { BusUnavailable, KeyExists, PublishError, RevisionConflict } from "./BusError.ts"
import { BusSettings } from "./BusSettings.ts"
import { openBucket } from "./buckets.ts"
import type { Connection } from "./Connection.ts"
import type { MemoryServer } from "./MemoryServer.ts"
import * as MemoryWire from "./memory/MemoryWire.ts"
import * as NatsWire from "./wire/NatsWire.ts"
import { Wire } from "./wire/Wire.ts"

export interface BucketEntry {
  readonly key: string
  readonly value: Uint8Array
  /** The value's sequence in the bucket; `update` is decided on it. */
  readonly revision: number
  /** When it was stored, in epoch milliseconds. */
  readonly time: number
}

type Value = string | Uint8Array
/** Keys are made of letters, digits and `- / _ = .`; a dot may neither begin nor end one. Reads ask the leader. */
export interface Bucket {
  readonly name: string
  readonly get: (key: string) => Effect.Effect<Option.Option<BucketEntry>, BusUnavailable>
  /** Stores the first value of a key and returns its revision. */
  readonly create: (key: string, value: Value) => Effect.Effect<number, KeyExists | PublishError>
  /** Replaces the value of `revision`, and no other, and returns the new revision. */
  readonly update: (
    key: string,
    value: Value,
    revision: number
  ) => Effect.Effect<number, RevisionConflict | PublishError>
  /** Stores whatever is there. */
  readonly put: (key: string, value: Value) => Effect.Effect<number, PublishError>
  /** Succeeds as well if there is nothing to delete. */
  readonly delete: (key: string) => Effect.Effect<void, PublishError>
  /** Deletes the value of `revision`, and no other. */
  readonly deleteRevision: (key: string, revision: number) => Effect.Effect<void, RevisionConflict | PublishError>
  readonly keys: () => Effect.Effect<ReadonlyArray<string>, BusUnavailable>
  /** All values, each as of some moment during the call. */
  readonly entries: () => Effect.Effect<ReadonlyArray<BucketEntry>, BusUnavailable>
  /** Keys as they change, deletions included, from now on, for ever: something to look again for, and no more. */
  readonly changes: () => Stream.Stream<string, BusUnavailable>
  /** The current value, then each change, for ever; deletions are passed over. A key may hold wildcards (`*`, `>`). */
  readonly watch: (key: string) => Stream.Stream<BucketEntry, BusUnavailable>
}

export class Buckets extends Context.Service<
  Buckets,
  {
    /** Fails if the bucket does not exist. */
    readonly open: (name: string) => Effect.Effect<Bucket, BusUnavailable>
  }
>()("bus/Buckets") {
  static readonly layerWire: Layer.Layer<Buckets, never, Wire> = Layer.effect(
    Buckets,
    Effect.gen(function* () {
      const deps = { wire: yield* Wire, settings: yield* BusSettings }
      return Buckets.of({ open: (name) => openBucket(deps, name) })
    })
  )
  static readonly layer: Layer.Layer<Buckets, never, Connection> = Buckets.layerWire.pipe(Layer.provide(NatsWire.layer))
  static readonly layerMemory: Layer.Layer<Buckets, never, MemoryServer> = Buckets.layerWire.pipe(
    Layer.provide(MemoryWire.layer)
  )
}
