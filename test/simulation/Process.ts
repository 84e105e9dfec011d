import { Clock, Duration, Effect, Fiber, Layer, type Scope } from "effect"
import type { ContainerLogs } from "#aws/ContainerLogs.ts"
import { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import type { Ec2Network } from "#aws/Ec2Network.ts"
import type { Ecs } from "#aws/Ecs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { gatedPorts } from "#aws/gate/gatedPorts.ts"
import { Pace } from "#aws/Pace.ts"
import { Bus, type Ports } from "#bus/Bus.ts"
import { BusSettings, defaultBusSettings } from "#bus/BusSettings.ts"
import type { MemoryServer } from "#bus/MemoryServer.ts"
import { MemoryLink, type MemoryLinkShape } from "#bus/memory/MemoryLink.ts"
import { type BaseAws, faultyAws } from "./FaultyAws.ts"
import type { World } from "./World.ts"

/** A service as its `main.ts` runs it, over the ports of a process. */
export type Service = Layer.Layer<
  never,
  unknown,
  Ports | Ecs | Ec2Network | ContainerLogs | Pace | Gate | CredentialSets
>

/** What may befall one simulated process. */
export interface Fate {
  /** Nothing that it does reaches the world any more. */
  dead: boolean
  /** Until then it stands still: what it sends waits, its sleeps last longer, its acknowledgements are lost. */
  frozenUntil: number
  readonly skewMillis: number
}

/** A replica of one service, with a connection, a clock and a view of AWS of its own. */
export interface Process {
  readonly name: string
  readonly service: Service
  fate: Fate
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

export const aProcess = (name: string, service: Service): Process => ({
  name,
  service,
  fate: { dead: true, frozenUntil: 0, skewMillis: 0 },
  fiber: undefined
})

/** SIGTERM gives this long to hand back what is in hand (`shutdownSeconds`). */
const SHUTDOWN_SECONDS = 8

/** Pull requests live longer and heart-beats come in fewer steps than in production, for fewer steps in an idle hour. */
const busSettings = {
  ...defaultBusSettings,
  pullExpiresMillis: 30_000,
  pullHeartbeatMillis: 15_000,
  heartbeatStepMillis: 5000
}

/** Starts the replica, as a new process: nothing is left of the one before but what it stored. */
export const start = (
  world: World,
  process: Process,
  base: BaseAws
): Effect.Effect<void, never, MemoryServer | Scope.Scope> =>
  Effect.gen(function* () {
    const skewMillis = Math.round(world.weather.clockSkewMillis * (2 * world.dice.random.nextDoubleUnsafe() - 1))
    const fate: Fate = { dead: false, frozenUntil: 0, skewMillis }
    process.fate = fate
    const bus = Layer.fresh(Bus.layerAttached).pipe(Layer.provide(Layer.succeed(MemoryLink, linkOf(world, fate))))
    const aws = Layer.fresh(gatedPorts).pipe(
      Layer.provideMerge(Layer.fresh(Gate.layer())),
      Layer.provide(faultyAws(world, fate, base)),
      Layer.provideMerge(Layer.fresh(Layer.merge(Pace.layer(), CredentialSets.layerMemory())))
    )
    const running = Layer.launch(process.service.pipe(Layer.provide([bus, aws]))).pipe(
      Effect.provideService(Clock.Clock, clockOf(world, fate)),
      Effect.provideService(BusSettings, busSettings)
    )
    process.fiber = yield* Effect.forkScoped(running)
  })

/** SIGKILL: from now on it reaches nothing; its fibers are only cleared away. */
export const kill = ({ fate, fiber }: Process): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    fate.dead = true
    return fiber === undefined ? Effect.void : Effect.asVoid(Effect.forkScoped(Fiber.interrupt(fiber)))
  })

/** SIGTERM: it may hand back what it holds. */
export const terminate = ({ fate, fiber }: Process): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    if (fiber === undefined) return
    const ended = yield* Effect.forkScoped(Fiber.interrupt(fiber))
    yield* Effect.timeoutOption(Fiber.await(ended), Duration.seconds(SHUTDOWN_SECONDS))
    fate.dead = true
  })

const linkOf = (world: World, fate: Fate): MemoryLinkShape => ({
  isSevered: () => fate.dead,
  latencyMillis: () => {
    const most = Math.ceil(world.weather.busLatencyMillis)
    return Math.max(0, fate.frozenUntil - world.now()) + (most === 0 ? 0 : world.dice.whole(0, most))
  },
  faultOf: ({ operation }) => {
    const { weather, dice } = world
    if (operation === "settle") {
      return fate.frozenUntil > world.now() || dice.chance(weather.ackLost) ? "requestLost" : "none"
    }
    if (dice.chance(weather.requestLost)) return "requestLost"
    return dice.chance(weather.answerLost) ? "answerLost" : "none"
  }
})

/** Time as the process sees it: a little ahead or behind, and while it is frozen none of its sleeps ends. */
const clockOf = ({ clock, now }: World, fate: Fate): Clock.Clock => {
  const millis = () => now() + fate.skewMillis
  const nanos = () => BigInt(millis()) * 1_000_000n
  const afterThaw: Effect.Effect<void> = Effect.suspend(() => {
    const left = fate.frozenUntil - now()
    return left <= 0 ? Effect.void : Effect.andThen(clock.sleep(Duration.millis(left)), afterThaw)
  })
  return {
    ...clock,
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) => Effect.andThen(clock.sleep(duration), afterThaw)
  }
}
