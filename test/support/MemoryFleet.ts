import { Effect, Fiber, Layer, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Aws } from "#aws/Aws.ts"
import { EcsModel, type EcsModelOptions } from "#aws/model/EcsModel.ts"
import { Runtime } from "#aws/model/Runtime.ts"
import { Bus } from "#bus/Bus.ts"
import { MemoryServer } from "#bus/MemoryServer.ts"
import { type Delivery, text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { MemoryLink } from "#bus/memory/MemoryLink.ts"
import { Publisher } from "#bus/Publisher.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { setUpFleet } from "#process/FleetSetup.ts"

/**
 * A whole fleet's surroundings in memory, on the test's clock: a bus with the fleet's topology, and AWS. Any number of
 * simulated processes share them; each is a set of ports of its own, and can be made to die between any two requests.
 */
export const layerMemoryFleet = (options: Partial<EcsModelOptions> = {}) => {
  const model = EcsModel.layer({ timeScale: "instant", ...options }).pipe(Layer.provide(Runtime.layerSimulated))
  const topology = Layer.effectDiscard(Effect.orDie(setUpFleet(topologyDefaults)))
  return topology.pipe(
    Layer.provideMerge(Bus.layerAttached),
    Layer.provideMerge(Layer.fresh(MemoryServer.layer)),
    Layer.provideMerge(Aws.layerMemory),
    Layer.provideMerge(model)
  )
}

/** What `layerMemoryFleet` provides. */
export type MemoryFleet = Layer.Success<ReturnType<typeof layerMemoryFleet>>

/** The ports of one process. It dies after so many requests to the bus: nothing that it sends afterwards arrives. */
export const processPorts = (requestsMax = Number.POSITIVE_INFINITY) => {
  let requests = 0
  const link = {
    latencyMillis: () => 0,
    faultOf: () => "none" as const,
    isSevered: () => ++requests > requestsMax
  }
  return Layer.fresh(Bus.layerAttached).pipe(Layer.provide(Layer.succeed(MemoryLink, link)))
}

/** Runs an effect to its end while the test's clock runs on. */
export const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
    return yield* Fiber.join(fiber)
  })

/** Publishes a message and hands it out for the first time. */
export const published = (
  stream: string,
  subject: string,
  data: string,
  headers: Readonly<Record<string, string>> = {}
): Effect.Effect<Delivery, never, Publisher | Messages> =>
  Effect.gen(function* () {
    const { seq } = yield* (yield* Publisher).publish({ stream, subject, data, headers })
    const stored = yield* (yield* Messages).at(stream, seq)
    return { ...Option.getOrThrow(stored), deliveries: 1 }
  }).pipe(Effect.orDie)

/** The same message, handed out once more. */
export const again = (delivery: Delivery): Delivery => ({ ...delivery, deliveries: delivery.deliveries + 1 })

/** The texts of all messages on a subject or filter, in the order of the stream. */
export const textsOf = (stream: string, subject: string): Effect.Effect<ReadonlyArray<string>, never, Messages> =>
  Effect.gen(function* () {
    const all = (yield* Messages).replay({ stream, subject, follow: false })
    return (yield* Stream.runCollect(all)).map(text)
  }).pipe(Effect.orDie)
