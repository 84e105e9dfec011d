import { Config, ConfigProvider, Effect, Fiber, Layer, Option, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Aws } from "#aws/Aws.ts"
import { EcsModel, type EcsModelOptions } from "#aws/model/EcsModel.ts"
import { Runtime } from "#aws/model/Runtime.ts"
import { Buckets } from "#bus/Bucket.ts"
import { Bus } from "#bus/Bus.ts"
import { MemoryServer } from "#bus/MemoryServer.ts"
import { type Delivery, text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { MemoryLink } from "#bus/memory/MemoryLink.ts"
import { Publisher } from "#bus/Publisher.ts"
import type { Verdict } from "#bus/Verdict.ts"
import type { Codec } from "#ecs-core/Codec.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { type Run, RunCodec } from "#ecs-core/Run.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"

/**
 * A whole fleet's surroundings in memory, on the test's clock: a bus with the fleet's topology, and AWS. Any number of
 * simulated processes share them; each is a set of ports of its own, and can be made to die between any two requests.
 */
export const layerMemoryFleet = (options: Partial<EcsModelOptions> = {}) =>
  Layer.merge(Layer.fresh(layerMemoryBus), layerMemoryAws(options))

/** The bus alone, with the fleet's topology. */
export const layerMemoryBus = Layer.effectDiscard(
  Effect.orDie(Effect.suspend(() => setUpFleet(topologyDefaults)))
).pipe(Layer.provideMerge(Bus.layerAttached), Layer.provideMerge(MemoryServer.layer))

/** AWS alone: all ports over one model. */
export const layerMemoryAws = (options: Partial<EcsModelOptions> = {}) =>
  Aws.layerMemory.pipe(
    Layer.provideMerge(EcsModel.layer({ timeScale: "instant", ...options }).pipe(Layer.provide(Runtime.layerSimulated)))
  )

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

/** Delivers until the step is done, as the consumer does after failures and naks. */
export const untilDone = <E, R>(
  handle: (delivery: Delivery) => Effect.Effect<Verdict, E, R>,
  delivery: Delivery
): Effect.Effect<Verdict, never, R> =>
  Effect.matchEffect(inTime(handle(delivery)), {
    onFailure: () => untilDone(handle, again(delivery)),
    onSuccess: (verdict) => (verdict._tag === "Nak" ? untilDone(handle, again(delivery)) : Effect.succeed(verdict))
  })

/**
 * Runs a test for every place of a crash, each time on an empty fleet: it gets the number of requests after which its
 * first process dies, and answers whether that process survived. Returns how many places there are.
 */
export const crashEverywhere = <E>(test: (requestsMax: number) => Effect.Effect<boolean, E, MemoryFleet>) =>
  Effect.gen(function* () {
    let requests = 1
    while (!(yield* Effect.provide(test(requests), layerMemoryFleet(), { local: true }))) requests++
    return requests
  })

/** All messages on a subject or filter, in the order of the stream. */
export const messagesOf = <A>(
  stream: string,
  subject: string,
  codec: Codec<A>
): Effect.Effect<ReadonlyArray<A>, never, Messages> =>
  Effect.gen(function* () {
    const all = (yield* Messages).replay({ stream, subject, follow: false })
    return (yield* Stream.runCollect(all)).map((message) => Result.getOrThrow(codec.decode(text(message))))
  }).pipe(Effect.orDie)

/** The record of a run; undefined = there is none. */
export const recordOf = (runId: string): Effect.Effect<Run | undefined, never, Buckets> =>
  Effect.gen(function* () {
    const entry = yield* (yield* (yield* Buckets).open(BucketNames.runs)).get(runId)
    return Option.getOrUndefined(
      Option.map(entry, ({ value }) => Result.getOrThrow(RunCodec.decode(text({ data: value }))))
    )
  }).pipe(Effect.orDie)

/** Stores a record as a dispatcher would. */
export const keepRecord = (run: Run): Effect.Effect<void, never, Buckets> =>
  Effect.gen(function* () {
    yield* (yield* (yield* Buckets).open(BucketNames.runs)).put(run.runId, RunCodec.encode(run))
  }).pipe(Effect.orDie)

/** Ids of the runs that count as not final. */
export const liveRuns: Effect.Effect<ReadonlyArray<string>, never, Buckets> = Effect.gen(function* () {
  return yield* (yield* (yield* Buckets).open(BucketNames.live)).keys()
}).pipe(Effect.orDie)

/** A service's settings where the environment says nothing. */
export const defaultsOf = <T extends Record<string, Config.Config<unknown>>>(config: T) =>
  Effect.runSync(Config.all(config).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: {} })))))
