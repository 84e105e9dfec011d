import { Clock, Context, Effect, Layer } from "effect"
import { MemoryState } from "./memory/MemoryState.ts"

/**
 * A JetStream server in memory, with nats-server's rules for limits, fences, redelivery and buckets. Its time is the
 * Effect `Clock` under which the layer is built, so that `TestClock` drives ack waits, delays and ages. Several
 * processes of a simulated system share one (`Bus.layerAttached`), each over a `MemoryLink` of its own that can lose
 * requests and answers.
 */
export class MemoryServer extends Context.Service<
  MemoryServer,
  {
    /** The server's state; changed by the wire only. */
    readonly state: MemoryState
    /** Ends every pull request and forgets what lives in memory only, as a restart of nats-server does. */
    readonly restart: Effect.Effect<void>
    /** Names of the consumers of a stream that exist now. */
    readonly consumers: (stream: string) => Effect.Effect<ReadonlyArray<string>>
    /** Messages of a durable that were handed out and are not acknowledged. */
    readonly unacked: (stream: string, consumer: string) => Effect.Effect<number>
  }
>()("bus/MemoryServer") {
  static readonly layer: Layer.Layer<MemoryServer> = Layer.effect(
    MemoryServer,
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const state = new MemoryState(clock)
      yield* Effect.forkScoped(
        Effect.tapCause(deliver(state), (cause) => Effect.logError("the in-memory server died", cause))
      )
      return MemoryServer.of({
        state,
        restart: Effect.sync(() => state.restart()),
        consumers: (stream) => Effect.sync(() => state.consumersOf(stream).map(({ config }) => config.name)),
        unacked: (stream, consumer) => Effect.sync(() => state.consumer(stream, consumer)?.unackedCount ?? 0)
      })
    })
  )
}

/** Delivers after every change and at every due time. One fiber for the whole server: no delivery inside a request. */
const deliver = Effect.fnUntraced(function* (state: MemoryState): Effect.fn.Return<never> {
  while (true) {
    state.changed.closeUnsafe()
    const dueAt = state.pump()
    const wakeUp = state.changed.await
    yield* dueAt === undefined ? wakeUp : Effect.raceFirst(wakeUp, Effect.sleep(Math.max(0, dueAt - state.now)))
  }
})
