import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, References, Result, Stream } from "effect"
import { Aws } from "#aws/Aws.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Runtime } from "#aws/model/Runtime.ts"
import { Bus } from "#bus/Bus.ts"
import { MemoryServer } from "#bus/MemoryServer.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { dispatcherConfig } from "#services/dispatcher/config.ts"
import * as Dispatcher from "#services/dispatcher/handle.ts"
import { EcsCalls } from "#test/support/EcsCalls.ts"
import { defaultsOf } from "#test/support/MemoryFleet.ts"

const REPLICAS = 3
const REQUESTS = 1000
const DEFINITIONS = 10

/** One bus and one AWS for all, on the real clock. */
const surroundings = EcsCalls.layer.pipe(
  Layer.provideMerge(Layer.effectDiscard(Effect.orDie(setUpFleet(topologyDefaults)))),
  Layer.provideMerge(Layer.mergeAll(Bus.layerAttached, Aws.layerMemory)),
  Layer.provideMerge(
    Layer.merge(
      Layer.fresh(MemoryServer.layer),
      EcsModel.layer({ timeScale: "instant" }).pipe(Layer.provide(Runtime.layerSimulated))
    )
  )
)

/** A dispatcher as a process of its own: with its own connection and its own caches. */
const replica = () =>
  Layer.fresh(Dispatcher.layer(defaultsOf(dispatcherConfig))).pipe(
    Layer.provide(Layer.fresh(Bus.layerAttached)),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error"))
  )

const fleet = Layer.mergeAll(replica(), replica(), replica()).pipe(Layer.provideMerge(surroundings))

const requests = (round: number) =>
  Effect.gen(function* () {
    const publisher = yield* Publisher
    const bodies = Array.from({ length: REQUESTS }, (_, n) => ({
      image: `image-${n % DEFINITIONS}`,
      env: { NUMBER: String(n) },
      command: ["echo", String(n)],
      labels: { round: String(round) }
    }))
    yield* Effect.forEach(
      bodies,
      (body) =>
        publisher.publish({ stream: Streams.inbox, subject: Subjects.runRequested(), data: JSON.stringify(body) }),
      { concurrency: 50, discard: true }
    )
  })

/** The first so many launch orders, as soon as they are there. */
const orders = (count: number) =>
  Effect.gen(function* () {
    const all = (yield* Messages).replay({ stream: Streams.fleet, subject: Filters.taskdefReady, follow: true })
    const texts = yield* Stream.runCollect(Stream.take(all, count))
    return texts.map((message) => Result.getOrThrow(Codecs.taskdefReady.decode(text(message))))
  })

describe(`${REPLICAS} dispatchers, ${DEFINITIONS} definitions`, () => {
  it.live(
    `${REQUESTS} requests cause ${DEFINITIONS} registrations, ${REQUESTS} more cause none`,
    () =>
      Effect.gen(function* () {
        const calls = yield* EcsCalls
        yield* requests(1)
        const first = yield* orders(REQUESTS)
        assert.strictEqual(calls.count("registerTaskDefinition"), DEFINITIONS)
        assert.strictEqual(new Set(first.map(({ runTask }) => runTask.taskDefinition)).size, DEFINITIONS)
        assert.strictEqual(first.filter(({ definition }) => definition === "registered").length, DEFINITIONS)
        const described = calls.count("describeTaskDefinition")
        yield* requests(2)
        const all = yield* orders(2 * REQUESTS)
        assert.strictEqual(new Set(all.map(({ runId }) => runId)).size, 2 * REQUESTS)
        assert.strictEqual(calls.count("registerTaskDefinition"), DEFINITIONS)
        assert.isAtMost(calls.count("describeTaskDefinition") - described, REPLICAS * DEFINITIONS)
      }).pipe(Effect.provide(fleet)),
    60_000
  )
})
