import type { Msg } from "@nats-io/transport-node"
import { Effect, Layer, Option } from "effect"
import { BusSettings } from "#bus/BusSettings.ts"
import { Connection } from "#bus/Connection.ts"
import { type BusMessage, text } from "#bus/Message.ts"
import { openNatsPull } from "./NatsPull.ts"
import { type NatsRequests, openNatsRequests } from "./NatsRequests.ts"
import { backlogOf, consumerConfigOf, consumerOf, consumerUpdateOf, streamConfigOf, streamOf } from "./natsConfig.ts"
import { type ApiRefusal, wireErrorOf, wireErrorOfApi } from "./natsFault.ts"
import { type ApiMessage, ackPayload, fencedHeadersOf, storedOf } from "./natsMessage.ts"
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
    const requests = yield* openNatsRequests(bus, settings.answerTimeoutSeconds * 1000)
    return Wire.of({
      serverVersion: bus.serverVersion,
      publish: (p) => publish(requests, p),
      last: (stream, subject) => read(bus, requests, stream, { last_by_subj: subject }),
      at: (stream, seq) => read(bus, requests, stream, { seq }),
      next: (stream, subject, seq) => read(bus, requests, stream, { seq, next_by_subj: subject }),
      remove: (stream, seq) => remove(bus, requests, stream, seq),
      settle: (replies, kind) => settle(bus, requests, replies, kind),
      flush: Effect.promise(async () => {
        requests.flush()
        if (bus.isConnected()) await settledWithin(bus.nc.flush(), flushTimeoutMillis)
      }),
      openPull: (options) => openNatsPull(bus, settings, options),
      stream: (name) => orNone(ask(bus, async () => streamOf((await streams.info(name)).config))),
      createStream: (s) => ask(bus, async () => streams.add(streamConfigOf(s))).pipe(Effect.asVoid),
      updateStream: (s) => ask(bus, async () => streams.update(s.name, streamConfigOf(s))).pipe(Effect.asVoid),
      consumer: (stream, name) => orNone(ask(bus, async () => consumerOf(await consumers.info(stream, name)))),
      consumerNames: (stream) => ask(bus, () => consumerNames(bus, stream)),
      backlog: (stream, name) => orNone(ask(bus, async () => backlogOf(await consumers.info(stream, name)))),
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

interface Acknowledgement {
  readonly stream?: string
  readonly seq: number
  readonly duplicate?: boolean
}

const publish = (requests: NatsRequests, p: WirePublish) =>
  Effect.flatMap(requests.ask(p.subject, p.data, fencedHeadersOf(p)), (message) => {
    const { duplicate = false, error, seq, stream } = jsonOf<Partial<Acknowledgement>>(message)
    if (error !== undefined) return wireErrorOfApi(error)
    return stream === undefined || seq === undefined ? notJetStream : Effect.succeed({ seq, duplicate })
  })

const notJetStream = new WireError({ fault: "refused", message: "the answer is none of JetStream's" })

/** What JetStream answers, or its refusal. */
const jsonOf = <A extends object>({ data }: Msg): A & { readonly error?: ApiRefusal } => {
  try {
    return JSON.parse(text({ data }))
  } catch {
    return { error: { code: 0, description: notJetStream.message } } as A & { readonly error: ApiRefusal }
  }
}

type Query = { readonly last_by_subj: string } | { readonly seq: number; readonly next_by_subj?: string }

const noMessageFound = 10037

/** Asks the stream's leader; a direct get may be answered by a replica that lags behind. */
const read = (
  bus: Bus,
  requests: NatsRequests,
  stream: string,
  query: Query
): Effect.Effect<Option.Option<BusMessage>, WireError> =>
  Effect.flatMap(requests.ask(`${bus.apiPrefix}.STREAM.MSG.GET.${stream}`, JSON.stringify(query)), (message) => {
    const { error, message: found } = jsonOf<{ readonly message?: ApiMessage }>(message)
    if (error?.err_code === noMessageFound) return Effect.succeedNone
    if (error !== undefined) return wireErrorOfApi(error)
    return Effect.succeed(Option.map(Option.fromNullishOr(found), (each) => storedOf(stream, each)))
  })

const remove = (bus: Bus, requests: NatsRequests, stream: string, seq: number): Effect.Effect<void, WireError> =>
  Effect.flatMap(
    requests.ask(`${bus.apiPrefix}.STREAM.MSG.DELETE.${stream}`, JSON.stringify({ seq, no_erase: true })),
    (message) => {
      const { error } = jsonOf(message)
      return error === undefined ? Effect.void : wireErrorOfApi(error)
    }
  )

/** Page by page: nats-server lists so and so many at a time. */
const consumerNames = async (bus: Bus, stream: string): Promise<ReadonlyArray<string>> => {
  const names: Array<string> = []
  for await (const { name } of bus.jsm.consumers.list(stream)) names.push(name)
  return names
}

const orNone = <A>(answer: Effect.Effect<A, WireError>): Effect.Effect<Option.Option<A>, WireError> =>
  answer.pipe(
    Effect.map(Option.some),
    Effect.catchIf(
      (error) => error.fault === "missing",
      () => Effect.succeed(Option.none<A>())
    )
  )

const settle = (bus: Bus, requests: NatsRequests, replies: ReadonlyArray<string>, kind: AckKind): void => {
  if (bus.nc.isClosed() || bus.nc.isDraining()) return
  const payload = ackPayload(kind)
  for (const reply of replies) requests.send(reply, payload)
}
