import { Context, Effect, Layer } from "effect"
import type { BusUnavailable } from "./BusError.ts"
import { BusSettings } from "./BusSettings.ts"
import type { Connection } from "./Connection.ts"
import { type Lease, type LeaseOptions, runLeases } from "./consumer/leases.ts"
import { type ConsumeOptions, runConsumer } from "./consumer/run.ts"
import type { MemoryServer } from "./MemoryServer.ts"
import type { Delivery } from "./Message.ts"
import * as MemoryWire from "./memory/MemoryWire.ts"
import { patiently, unavailable } from "./patience.ts"
import type { Verdict } from "./Verdict.ts"
import * as NatsWire from "./wire/NatsWire.ts"
import { Wire } from "./wire/Wire.ts"

export type { Lease, LeaseOptions } from "./consumer/leases.ts"
export type { ConsumeOptions } from "./consumer/run.ts"
export type { Delivery } from "./Message.ts"
export { Verdict } from "./Verdict.ts"

/**
 * Durable pull consumers. Any number of processes may run the same one; the server shares its messages out. Both
 * functions go on over restarts of the server and fail only when the connection is closed for good, the permission is
 * missing or the consumer does not exist for `missingSeconds`.
 */
export class Consumer extends Context.Service<
  Consumer,
  {
    /**
     * Handles messages for ever, `concurrency` at a time. A message in hand is heart-beaten, and handled once even if it
     * is delivered again meanwhile. When interrupted, hands back what was fetched ahead and gives handlers
     * `drainSeconds` to finish. A handler that dies with a defect is tried `defectTries` times, then its message is dead.
     */
    readonly run: <R>(
      options: ConsumeOptions,
      handler: (d: Delivery) => Effect.Effect<Verdict, never, R>
    ) => Effect.Effect<never, BusUnavailable, R>
    /**
     * Holds messages un-acked for as long as they take, never more than `capacity`. `onLease` is called once for each
     * newly held message. When interrupted, every held lease is handed back at once.
     */
    readonly leases: <R>(
      options: LeaseOptions,
      onLease: (d: Delivery, lease: Lease) => Effect.Effect<void, never, R>
    ) => Effect.Effect<never, BusUnavailable, R>
    /** The sequence up to which every message for a durable has been acknowledged, whoever did it. */
    readonly acknowledged: (stream: string, durable: string) => Effect.Effect<number, BusUnavailable>
  }
>()("bus/Consumer") {
  static readonly layerWire: Layer.Layer<Consumer, never, Wire> = Layer.effect(
    Consumer,
    Effect.gen(function* () {
      const deps = { wire: yield* Wire, settings: yield* BusSettings }
      return Consumer.of({
        run: (options, handler) => runConsumer(deps, options, handler),
        leases: (options, onLease) => runLeases(deps, options, onLease),
        acknowledged: (stream, durable) =>
          patiently(deps.settings, deps.wire.ackFloor(stream, durable)).pipe(
            Effect.mapError(unavailable(`ask for the acknowledgements of ${durable}`))
          )
      })
    })
  )
  static readonly layer: Layer.Layer<Consumer, never, Connection> = Consumer.layerWire.pipe(
    Layer.provide(NatsWire.layer)
  )
  static readonly layerMemory: Layer.Layer<Consumer, never, MemoryServer> = Consumer.layerWire.pipe(
    Layer.provide(MemoryWire.layer)
  )
}
