import { Context, Effect, Layer, type Option } from "effect"
import type { BusUnavailable, TopologyMissing, TopologyUnsupported } from "./BusError.ts"
import { BusSettings } from "./BusSettings.ts"
import type { Connection } from "./Connection.ts"
import type { MemoryServer } from "./MemoryServer.ts"
import * as MemoryWire from "./memory/MemoryWire.ts"
import { backlog, consumerNames, deleteConsumer, ensureConsumer } from "./topology/consumers.ts"
import { ensure, inspect, type TopologyChange, type TopologyFinding } from "./topology/ensure.ts"
import type { ConsumerSpec, TopologySpec } from "./topology/TopologySpec.ts"
import * as NatsWire from "./wire/NatsWire.ts"
import { Wire, type WireBacklog } from "./wire/Wire.ts"

/** How far a consumer has come. */
export type Backlog = WireBacklog

export type { TopologyChange, TopologyFinding } from "./topology/ensure.ts"
export type { BucketSpec, ConsumerSpec, StreamSpec, TopologySpec } from "./topology/TopologySpec.ts"

/** Sees to it that streams, buckets and consumers exist. */
export class Topology extends Context.Service<
  Topology,
  {
    /**
     * Creates what is missing and updates what differs from the specification. What a newer revision has arranged is
     * left alone. Any number of processes may do it at once. Without permission to create it waits
     * `topologyWaitSeconds` for somebody else to do it.
     */
    readonly ensure: (
      spec: TopologySpec
    ) => Effect.Effect<TopologyChange, BusUnavailable | TopologyMissing | TopologyUnsupported>
    /** The same for one durable consumer that comes and goes with what it is for. */
    readonly ensureConsumer: (spec: ConsumerSpec) => Effect.Effect<void, BusUnavailable>
    /** Takes a durable consumer away; nothing happens if it is gone already. */
    readonly deleteConsumer: (stream: string, name: string) => Effect.Effect<void, BusUnavailable>
    /** Names of all consumers of a stream, those of replays included. */
    readonly consumerNames: (stream: string) => Effect.Effect<ReadonlyArray<string>, BusUnavailable>
    /** How far a consumer has come; none if there is no such consumer. */
    readonly backlog: (stream: string, name: string) => Effect.Effect<Option.Option<Backlog>, BusUnavailable>
    /** Compares, changes nothing. */
    readonly inspect: (spec: TopologySpec) => Effect.Effect<ReadonlyArray<TopologyFinding>, BusUnavailable>
  }
>()("bus/Topology") {
  static readonly layerWire: Layer.Layer<Topology, never, Wire> = Layer.effect(
    Topology,
    Effect.gen(function* () {
      const deps = { wire: yield* Wire, settings: yield* BusSettings }
      return Topology.of({
        ensure: (spec) => ensure(deps, spec),
        ensureConsumer: (spec) => ensureConsumer(deps, spec),
        deleteConsumer: (stream, name) => deleteConsumer(deps, stream, name),
        consumerNames: (stream) => consumerNames(deps, stream),
        backlog: (stream, name) => backlog(deps, stream, name),
        inspect: (spec) => inspect(deps, spec)
      })
    })
  )
  static readonly layer: Layer.Layer<Topology, never, Connection> = Topology.layerWire.pipe(
    Layer.provide(NatsWire.layer)
  )
  static readonly layerMemory: Layer.Layer<Topology, never, MemoryServer> = Topology.layerWire.pipe(
    Layer.provide(MemoryWire.layer)
  )
}
