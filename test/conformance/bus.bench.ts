import { jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { Context, Effect, Layer, References, Schedule, type Scope } from "effect"
import { Bus, type Ports } from "#bus/Bus.ts"
import type { BusUnavailable } from "#bus/BusError.ts"
import { MemoryServer } from "#bus/MemoryServer.ts"
import { type MemoryFault, MemoryLink } from "#bus/memory/MemoryLink.ts"
import type { NatsBinary } from "#bus/server/NatsBinary.ts"
import { NatsServer, type NatsServerFailed } from "#bus/server/NatsServer.ts"
import { layerTestWith } from "#test/support/NatsServer.ts"
import { type Loss, startLossyProxy } from "./bus.proxy.ts"

/** One client of the server under test, with a connection of its own. */
export interface Client {
  readonly ports: Context.Context<Ports>
  /** Loses the next publishes, or their answers. */
  readonly lose: (what: Loss, times: number) => void
  /** As a SIGKILL: not a word reaches the server any more. */
  readonly sever: () => void
}

/** A server under test and what the suite does to it. */
export class BusBench extends Context.Service<
  BusBench,
  {
    readonly startClient: Effect.Effect<Client, BusUnavailable, Scope.Scope>
    readonly restart: Effect.Effect<void, NatsServerFailed>
    /** Names of the consumers that exist on a stream. */
    readonly consumers: (stream: string) => Effect.Effect<ReadonlyArray<string>>
    /** Messages of a durable that are handed out and not acknowledged. */
    readonly unacked: (stream: string, durable: string) => Effect.Effect<number>
  }
>()("test/BusBench") {}

const benchMemory = Layer.effect(
  BusBench,
  Effect.gen(function* () {
    const server = yield* MemoryServer
    return BusBench.of({
      startClient: startMemoryClient.pipe(Effect.provideService(MemoryServer, server)),
      restart: server.restart,
      consumers: server.consumers,
      unacked: server.unacked
    })
  })
).pipe(Layer.provide(MemoryServer.layer))

const startMemoryClient = Effect.suspend(() => {
  const state = { what: "request" as Loss, times: 0, severed: false }
  const link = {
    latencyMillis: () => 0,
    isSevered: () => state.severed,
    faultOf: ({ operation }: { readonly operation: string }): MemoryFault => {
      if (operation !== "publish" || state.times === 0) return "none"
      state.times--
      return state.what === "request" ? "requestLost" : "answerLost"
    }
  }
  return Effect.map(
    buildQuietly(Layer.fresh(Bus.layerAttached).pipe(Layer.provide(Layer.succeed(MemoryLink, link)))),
    (ports): Client => ({
      ports,
      lose: (what, times) => {
        state.what = what
        state.times = times
      },
      sever: () => {
        state.severed = true
      }
    })
  )
})

const benchNats = Layer.effect(
  BusBench,
  Effect.gen(function* () {
    const server = yield* NatsServer
    const jsm = yield* administration(server.url)
    return BusBench.of({
      startClient: startNatsClient(server.port),
      restart: server.restart,
      consumers: (stream) =>
        look(async () => {
          const names: Array<string> = []
          for await (const { name } of jsm.consumers.list(stream)) names.push(name)
          return names
        }),
      unacked: (stream, durable) => look(async () => (await jsm.consumers.info(stream, durable)).num_ack_pending)
    })
  })
)

/** Asks until there is an answer: the server may be on its way up. */
const look = <A>(ask: () => Promise<A>): Effect.Effect<A> =>
  Effect.tryPromise(ask).pipe(Effect.retry(Schedule.spaced("10 millis")), Effect.orDie)

const administration = Effect.fnUntraced(function* (url: string) {
  const nc = yield* Effect.acquireRelease(
    Effect.promise(() => connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 100 })),
    (open) => Effect.promise(() => open.close())
  )
  return yield* Effect.promise(() => jetstreamManager(nc, { checkAPI: false, timeout: 500 }))
})

const startNatsClient = Effect.fnUntraced(function* (port: number) {
  const proxy = yield* startLossyProxy(port)
  const ports = yield* buildQuietly(Layer.fresh(Bus.layer({ servers: [proxy.url], name: "conformance" })))
  const client: Client = { ports, lose: proxy.lose, sever: proxy.sever }
  return client
})

/** Servers come and go here on purpose: what clients say about it is noise. */
const buildQuietly = <A, E, R>(ports: Layer.Layer<A, E, R>) =>
  Layer.build(ports).pipe(Effect.provideService(References.MinimumLogLevel, "Fatal"))

/** What a test has: the bench, and the ports of a client that every test of the block shares. */
export type BenchServices = BusBench | Ports

const withPorts = <E>(bench: Layer.Layer<BusBench, E>): Layer.Layer<BenchServices, E | BusUnavailable> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { ports } = yield* (yield* BusBench).startClient
      return ports
    })
  ).pipe(Layer.provideMerge(bench))

export const memoryBench = withPorts(benchMemory)

export const natsBench = (binary: NatsBinary) => withPorts(benchNats.pipe(Layer.provide(layerTestWith({ binary }))))
