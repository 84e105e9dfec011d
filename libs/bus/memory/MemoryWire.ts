import { Effect, Layer, Option } from "effect"
import { MemoryServer } from "#bus/MemoryServer.ts"
import type { BusMessage } from "#bus/Message.ts"
import {
  type AckKind,
  type Pull,
  type PullEnd,
  type PullOptions,
  Wire,
  type WireConsumer,
  WireError,
  type WirePublish,
  type WireStream
} from "#bus/wire/Wire.ts"
import type { Waiter } from "./MemoryConsumer.ts"
import { MemoryLink, type MemoryLinkShape, type MemoryRequest } from "./MemoryLink.ts"
import type { MemoryState } from "./MemoryState.ts"
import type { MemoryStream } from "./MemoryStream.ts"

/** The server whose behaviour the memory follows. */
const serverVersion = "2.15.1"

/** The wire to the in-memory server. Each request takes at least one turn of the scheduler, so that requests interleave. */
export const layer: Layer.Layer<Wire, never, MemoryServer> = Layer.effect(
  Wire,
  Effect.gen(function* () {
    const { state } = yield* MemoryServer
    const link = yield* MemoryLink
    return Wire.of({ serverVersion, ...messages(state, link), ...administration(state, link) })
  })
)

const messages = (state: MemoryState, link: MemoryLinkShape) => {
  const read = (operation: string, name: string, find: (stream: MemoryStream) => BusMessage | undefined) =>
    ask(link, { operation, about: name }, () => {
      const stream = state.stream(name)
      return stream instanceof WireError ? stream : Option.fromNullishOr(find(stream))
    })
  return {
    publish: (p: WirePublish) => ask(link, { operation: "publish", about: p.subject }, () => state.publish(p)),
    last: (stream: string, subject: string) => read("last", stream, (s) => s.last(subject)),
    at: (stream: string, seq: number) => read("at", stream, (s) => s.at(seq)),
    next: (stream: string, subject: string, fromSeq: number) => read("next", stream, (s) => s.next(subject, fromSeq)),
    remove: (stream: string, seq: number) =>
      Effect.asVoid(
        read("remove", stream, (s) => {
          s.remove(seq)
          return undefined
        })
      ),
    settle: (replies: ReadonlyArray<string>, kind: AckKind) => {
      if (link.isSevered()) return
      for (const reply of replies)
        if (link.faultOf({ operation: "settle", about: reply }) === "none") state.settle(reply, kind)
    },
    flush: Effect.void,
    openPull: (options: PullOptions) => openPull(state, link, options)
  }
}

const administration = (state: MemoryState, link: MemoryLinkShape) => ({
  stream: (name: string) =>
    ask(link, { operation: "stream", about: name }, () => {
      const stream = state.stream(name)
      return stream instanceof WireError ? Option.none() : Option.some(stream.config)
    }),
  createStream: (c: WireStream) => ask(link, { operation: "createStream", about: c.name }, () => state.createStream(c)),
  updateStream: (c: WireStream) => ask(link, { operation: "updateStream", about: c.name }, () => state.updateStream(c)),
  consumer: (stream: string, name: string) =>
    ask(link, { operation: "consumer", about: name }, () =>
      Option.map(Option.fromNullishOr(state.consumer(stream, name)), ({ config }) => config)
    ),
  ackFloor: (stream: string, name: string) =>
    ask(
      link,
      { operation: "consumer", about: name },
      () =>
        state.consumer(stream, name)?.ackFloor ?? new WireError({ fault: "missing", message: `no consumer ${name}` })
    ),
  createConsumer: (stream: string, c: WireConsumer) =>
    ask(link, { operation: "createConsumer", about: c.name }, () => state.createConsumer(stream, c)),
  updateConsumer: (stream: string, c: WireConsumer) =>
    ask(link, { operation: "updateConsumer", about: c.name }, () => state.updateConsumer(stream, c)),
  deleteConsumer: (stream: string, name: string) =>
    ask(link, { operation: "deleteConsumer", about: name }, () => state.deleteConsumer(stream, name))
})

const noAnswer = new WireError({ fault: "transient", message: "no answer" })
const cutOff = new WireError({ fault: "closed", message: "cut off" })

/** Carries a request to the server and its answer back, as well as the link lets it. */
const ask = <A>(
  link: MemoryLinkShape,
  about: MemoryRequest,
  answer: () => A | WireError
): Effect.Effect<A, WireError> =>
  Effect.gen(function* () {
    const latencyMillis = link.latencyMillis(about)
    yield* latencyMillis > 0 ? Effect.sleep(latencyMillis) : Effect.yieldNow
    if (link.isSevered()) return yield* cutOff
    const fault = link.faultOf(about)
    if (fault === "requestLost") return yield* noAnswer
    const result = answer()
    yield* Effect.yieldNow
    if (fault === "answerLost") return yield* noAnswer
    return result instanceof WireError ? yield* result : result
  })

const openPull = (state: MemoryState, link: MemoryLinkShape, options: PullOptions): Effect.Effect<Pull> =>
  Effect.succeed({
    request: (batch) => Effect.suspend(() => (link.isSevered() ? cutOff : pull(state, link, options, batch))),
    stop: Effect.void
  })

const pull = (state: MemoryState, link: MemoryLinkShape, options: PullOptions, batch: number): Effect.Effect<PullEnd> =>
  Effect.callback((resume) => {
    const waiter: Waiter = {
      left: batch,
      isAlive: () => !link.isSevered(),
      deliver: options.onDelivery,
      end: (end) => resume(Effect.succeed(end))
    }
    const consumer = state.wait(options.stream, options.consumer, waiter)
    if (consumer === undefined) resume(Effect.succeed("broken"))
    return Effect.sync(() => consumer?.leave(waiter))
  })
