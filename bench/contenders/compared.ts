import { Effect, Layer, type Scope } from "effect"
import { startFleet } from "#bench/fleet.ts"
import { type Producer, startProducer } from "#bench/Producer.ts"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { startContender } from "./start.ts"

/** Something that carries runs out, to be held against others. */
export interface Compared {
  /** As its figures begin. */
  readonly key: string
  readonly start: Effect.Effect<void, never, Scope.Scope | NatsServer | LocalAws>
  /** False where a run leaves no output. */
  readonly hasOutput: boolean
}

/** The pace of RunTask is lifted as far as it goes. */
const unpaced = { FLEET_AWS_RUN_TASK_PER_SECOND: "10000", FLEET_AWS_RUN_TASK_BURST: "10000" } as const

/** The four hops alone. */
export const chain: Compared = { key: "chain", start: startContender("chain"), hasOutput: false }

/** The fleet's messages, keys and acknowledgements alone. */
export const skeleton: Compared = { key: "skeleton", start: startContender("skeleton"), hasOutput: true }

/** All services in one process, with ECS in it. */
export const inMemory = (key: string, replicas = 1): Compared => ({
  key,
  start: startContender("fleetInOne", { ...unpaced, BENCH_AWS: "memory", BENCH_REPLICAS: String(replicas) }),
  hasOutput: true
})

/** All services in one process, and local-aws behind the SDK. */
export const inOne = (key: string, replicas = 1): Compared => ({
  key,
  start: Effect.flatMap(LocalAws, ({ url }) =>
    startContender("fleetInOne", { ...unpaced, ...sdkEnv(url), BENCH_REPLICAS: String(replicas) })
  ),
  hasOutput: true
})

/** A process for each service, as in production, and local-aws behind the SDK. */
export const perService = (key: string, replicas = 1): Compared => ({
  key,
  start: Effect.asVoid(startFleet(replicas, unpaced)),
  hasOutput: true
})

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "bench" })))

/** Each time on an empty nats-server and an empty local-aws, which nothing throttles; warm when the use begins. */
export const withCompared = <A, E>(
  { hasOutput, start }: Compared,
  use: (producer: Producer) => Effect.Effect<A, E, NatsServer>
): Effect.Effect<A, unknown> =>
  Effect.gen(function* () {
    yield* setUpFleet(topologyDefaults)
    yield* start
    const producer = yield* startProducer({ hasOutput })
    yield* producer.burst(WARM_UP_RUNS)
    return yield* use(producer)
  }).pipe(
    Effect.scoped,
    Effect.provide(bus.pipe(Layer.provideMerge(Layer.merge(natsServer, localAws({ runtime: "simulated" })))), {
      local: true
    })
  )

/** So many runs before anything counts: the definition is registered, and the engine has compiled what is hot. */
const WARM_UP_RUNS = 200
