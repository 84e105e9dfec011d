import { Effect, Layer, Option } from "effect"
import { BusSettings } from "#bus/BusSettings.ts"
import { Connection } from "#bus/Connection.ts"
import type { BusMessage } from "#bus/Message.ts"
import { openNatsPull } from "./NatsPull.ts"
import { consumerConfigOf, consumerOf, consumerUpdateOf, streamConfigOf, streamOf } from "./natsConfig.ts"
import { wireErrorOf } from "./natsFault.ts"
import { ackPayload, headersOf, storedOf } from "./natsMessage.ts"
import { settledWithin } from "./settled.ts"
import { type AckKind, Wire, WireError, type WirePublish } from "./Wire.ts"

type Bus = Connection["Service"]

const flushTimeoutMillis = 2_000

/** The wire to a nats-server, 2.9.10 or newer. */
export const layer: Layer.Layer<Wire, never, Connection> = Layer.effect(
  Wire,
  Effect.gen(function* () {
    const bus = yield* Connection
    const settings = yield* BusSettings
    const { streams, consumers } = bus.jsm
    return Wire.of({
      serverVersion: bus.serverVersion,
      publish: (p) => publish(bus, p),
      last: (stream, subject) => read(bus, stream, { last_by_subj: subject }),
      at: (stream, seq) => read(bus, stream, { seq }),
      next: (stream, subject, seq) => read(bus, stream, { seq, next_by_subj: subject }),
      remove: (stream, seq) => ask(bus, async () => streams.deleteMessage(stream, seq, false)).pipe(Effect.asVoid),
      settle: (replies, kind) => settle(bus, replies, kind),
      flush: Effect.promise(async () => {
        if (bus.isConnected()) await settledWithin(bus.nc.flush(), flushTimeoutMillis)
      }),
      openPull: (options) => openNatsPull(bus, settings, options),
      stream: (name) => orNone(ask(bus, async () => streamOf((await streams.info(name)).config))),
      createStream: (s) => ask(bus, async () => streams.add(streamConfigOf(s))).pipe(Effect.asVoid),
      updateStream: (s) => ask(bus, async () => streams.update(s.name, streamConfigOf(s))).pipe(Effect.asVoid),
      consumer: (stream, name) => orNone(ask(bus, async () => consumerOf(await consumers.info(stream, name)))),
      ackFloor: (stream, name) => ask(bus, async () => (await consumers.info(stream, name)).ack_floor.stream_seq),
      createConsumer: (stream, c) => Effect.asVoid(ask(bus, async () => consumers.add(stream, consumerConfigOf(c)))),
      updateConsumer: (stream, c) =>
        ask(bus, async () => consumers.update(stream, c.name, consumerUpdateOf(c))).pipe(Effect.asVoid),
      deleteConsumer: (stream, name) => ask(bus, async () => consumers.delete(stream, name)).pipe(Effect.asVoid)
    })
  })
)

/**
 * One request to the server. When the connection is replaced meanwhile the answer will not come: the request ends at
 * once, so that it is repeated without waiting for its time-out.
 */
const ask = <A>(bus: Bus, request: () => Promise<A>): Effect.Effect<A, WireError> =>
  Effect.callback((resume) => {
    const ignore = bus.listen((event) => {
      if (event._tag === "Reconnected") resume(Effect.fail(answerLost))
    })
    const settle = (result: Effect.Effect<A, WireError>) => {
      ignore()
      resume(result)
    }
    request().then(
      (answer) => settle(Effect.succeed(answer)),
      (error: unknown) => settle(Effect.fail(wireErrorOf(error)))
    )
    return Effect.sync(ignore)
  })

const answerLost = new WireError({ fault: "transient", message: "the connection was replaced before the answer came" })

const publish = (bus: Bus, p: WirePublish) =>
  ask(bus, async () => {
    const ack = await bus.js.publish(p.subject, p.data, {
      headers: headersOf(p.headers),
      ...(p.messageId === undefined ? {} : { msgID: p.messageId }),
      ...(p.expectedLastSequence === undefined ? {} : { expect: { lastSubjectSequence: p.expectedLastSequence } })
    })
    return { seq: ack.seq, duplicate: ack.duplicate }
  })

type Query = { readonly last_by_subj: string } | { readonly seq: number; readonly next_by_subj?: string }

/** Asks the stream's leader; a direct get may be answered by a replica that lags behind. */
const read = (bus: Bus, stream: string, query: Query): Effect.Effect<Option.Option<BusMessage>, WireError> =>
  ask(bus, async () => bus.jsm.streams.getMessage(stream, query)).pipe(
    Effect.map((message) => Option.map(Option.fromNullishOr(message), (found) => storedOf(stream, found)))
  )

const orNone = <A>(answer: Effect.Effect<A, WireError>): Effect.Effect<Option.Option<A>, WireError> =>
  answer.pipe(
    Effect.map(Option.some),
    Effect.catchIf(
      (error) => error.fault === "missing",
      () => Effect.succeed(Option.none<A>())
    )
  )

const settle = (bus: Bus, replies: ReadonlyArray<string>, kind: AckKind): void => {
  if (bus.nc.isClosed() || bus.nc.isDraining()) return
  const payload = ackPayload(kind)
  for (const reply of replies) bus.nc.publish(reply, payload)
}
