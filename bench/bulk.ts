import { headers } from "@nats-io/transport-node"
import { Effect, Layer } from "effect"
import { Connection } from "#bus/Connection.ts"
import type { BusMessage } from "#bus/Message.ts"
import { consumerConfig } from "#bus/topology/pieces.ts"
import * as NatsWire from "#bus/wire/NatsWire.ts"
import { Wire } from "#bus/wire/Wire.ts"
import { fleetTopology, topologyDefaults } from "#ecs-core/FleetTopology.ts"

/** Puts a great many messages into streams, past the services: a store as it is after years, in a minute. */

export type Bulk = Pick<BusMessage, "subject" | "data" | "headers">

/** As many are on their way at a time; a server that is behind drops more than 10,000. */
const PORTION = 1000

/**
 * Stores all in order in one stream, which nobody else may write to meanwhile. The first message is acknowledged, and
 * then the last one of each portion: its sequence tells that all between are there.
 */
export const storeAll = ([first, ...others]: ReadonlyArray<Bulk>): Effect.Effect<void, never, Connection> =>
  Effect.flatMap(Connection, ({ js, nc }) =>
    Effect.promise(async () => {
      if (first === undefined) return
      const acknowledged = ({ data, headers, subject }: Bulk) =>
        js.publish(subject, data, { headers: natsHeaders(headers) }).then(({ seq }) => seq)
      let seq = await acknowledged(first)
      for (let from = 0; from < others.length; from += PORTION) {
        const portion = others.slice(from, from + PORTION)
        for (const { data, headers, subject } of portion.slice(0, -1)) {
          nc.publish(subject, data, { headers: natsHeaders(headers) })
        }
        seq += portion.length
        for (const last of portion.slice(-1)) {
          if ((await acknowledged(last)) !== seq) throw new Error(`messages before ${last.subject} were lost`)
        }
      }
    })
  )

const natsHeaders = (given: BusMessage["headers"]) => {
  const made = headers()
  for (const [name, value] of Object.entries(given)) made.set(name, value)
  return made
}

/**
 * The durable consumers of the fleet begin behind all that is stored now, as if they had been through it. To be called
 * while no service runs.
 */
export const passAll = Effect.gen(function* () {
  const wire = yield* Wire
  const { jsm } = yield* Connection
  for (const { stream, ...spec } of fleetTopology(topologyDefaults).consumers) {
    const { state } = yield* Effect.promise(() => jsm.streams.info(stream))
    yield* Effect.ignore(wire.deleteConsumer(stream, spec.name))
    yield* wire.createConsumer(stream, { ...consumerConfig({ stream, ...spec }), fromSeq: state.last_seq + 1 })
  }
}).pipe(Effect.provide(Layer.fresh(NatsWire.layer)))
