import { Layer } from "effect"
import { Buckets } from "./Bucket.ts"
import type { BusUnavailable } from "./BusError.ts"
import { Connection, type ConnectionOptions } from "./Connection.ts"
import { Consumer } from "./Consumer.ts"
import { MemoryServer } from "./MemoryServer.ts"
import { Messages } from "./Messages.ts"
import * as MemoryWire from "./memory/MemoryWire.ts"
import { Publisher } from "./Publisher.ts"
import { Topology } from "./Topology.ts"
import * as NatsWire from "./wire/NatsWire.ts"

/** Every port of the bus. */
export type Ports = Publisher | Messages | Consumer | Buckets | Topology

const ports = Layer.mergeAll(
  Publisher.layerWire,
  Messages.layerWire,
  Consumer.layerWire,
  Buckets.layerWire,
  Topology.layerWire
)

/** All ports over a connection that is there already. */
const layerConnected: Layer.Layer<Ports, never, Connection> = ports.pipe(Layer.provide(NatsWire.layer))

/** All ports over one connection of their own. */
const layer = (options: ConnectionOptions): Layer.Layer<Ports | Connection, BusUnavailable> =>
  layerConnected.pipe(Layer.provideMerge(Connection.layer(options)))

/** All ports over an in-memory server that is there already: one process of a simulated system. */
const layerAttached: Layer.Layer<Ports, never, MemoryServer> = ports.pipe(Layer.provide(MemoryWire.layer))

/** All ports over an in-memory server of their own. */
const layerMemory: Layer.Layer<Ports | MemoryServer> = layerAttached.pipe(Layer.provideMerge(MemoryServer.layer))

export const Bus = { layer, layerConnected, layerMemory, layerAttached }
