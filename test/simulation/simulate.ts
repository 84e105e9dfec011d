import { Clock, Duration, Effect, Exit, Fiber, Layer, Random, References, Scope } from "effect"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { MemoryServer } from "#bus/MemoryServer.ts"
import { Publisher } from "#bus/Publisher.ts"
import { WireError } from "#bus/wire/Wire.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { layerMemoryAws, layerMemoryBus } from "#test/support/MemoryFleet.ts"
import { diceOf } from "./Dice.ts"
import type { BaseAws } from "./FaultyAws.ts"
import { mostRunning, NARROW, operate, poolActsOf } from "./PoolStory.ts"
import { aProcess, type Process, start } from "./Process.ts"
import { Simulator } from "./Simulator.ts"
import { type RunStory, storiesOf } from "./Story.ts"
import { services } from "./services.ts"
import { trouble } from "./trouble.ts"
import { verify } from "./verify.ts"
import { calm, weatherOf } from "./Weather.ts"
import { Witness } from "./Witness.ts"
import { type Surroundings, type World, worldOf } from "./World.ts"

const START = Date.UTC(2027, 0, 15)
/** Once the weather is calm, every run must be over within this time. */
const CALM_SECONDS = 24 * 3600
/** Then what is left is tidied up: tasks stop, logs are drained, leases come back. */
const TIDY_SECONDS = 1800
const REPLICAS = 2

export interface SeedResult {
  readonly seed: number
  /** Empty = all went well. */
  readonly violations: ReadonlyArray<string>
  readonly story: ReadonlyArray<string>
  /** How long it took, in the simulation's time. */
  readonly seconds: number
  readonly outcomes: ReadonlyArray<string>
}

/** Lives through one seed: the same seed is the same story, to the last line. */
export const simulate = (seed: number): SeedResult => {
  const dice = diceOf(seed)
  const simulator = new Simulator(dice, START)
  const sinceStart = () => simulator.now - START
  const sky = { weather: weatherOf(dice) }
  const surroundings = { dice, clock: simulator.clock, now: () => simulator.now, startedAt: START, sky }
  const isPrompt = !Number.isFinite(sky.weather.freezeEverySeconds)
  const names = dice.chance(0.2) ? ["", "other "] : [""]
  const witnesses = names.map((name) => new Witness(surroundings.now, START, name, isPrompt))
  const calmAfterSeconds = dice.spread(600, 5000)
  const fiber = Effect.runFork(
    Effect.forEach(witnesses, (witness) => fleet(worldOf(surroundings, witness), calmAfterSeconds), {
      concurrency: "unbounded",
      discard: true
    }).pipe(
      Effect.provide(aws(surroundings)),
      Effect.provideService(Clock.Clock, simulator.clock),
      Effect.provideService(Random.Random, dice.random),
      Effect.provideService(References.MinimumLogLevel, "None")
    ),
    { scheduler: simulator.scheduler }
  )
  const exit = simulator.run(fiber, START + 10 * CALM_SECONDS * 1000)
  const outside = outsideOf(exit, witnesses)
  return {
    seed,
    violations: [...outside, ...witnesses.flatMap(({ violations }) => violations)],
    story: witnesses.flatMap(({ story }) => story).toSorted((a, b) => Number.parseFloat(a) - Number.parseFloat(b)),
    seconds: sinceStart() / 1000,
    outcomes: witnesses.flatMap(({ records }) => [...records.values()].map(({ state }) => state))
  }
}

/** What no single fleet can see. */
const outsideOf = (
  exit: Exit.Exit<void, unknown> | undefined,
  witnesses: ReadonlyArray<Witness>
): ReadonlyArray<string> => {
  if (exit === undefined) return ["the simulation stands still: nobody waits for anything"]
  if (Exit.isFailure(exit)) return [`the simulation itself failed: ${exit.cause}`]
  const [one, other] = witnesses.map(({ tasks }) => new Set([...tasks.values()].flatMap((arns) => [...arns])))
  const shared = other === undefined ? [] : [...(one ?? [])].filter((arn) => other.has(arn))
  return shared.map((arn) => `two fleets took the task ${arn.slice(-8)} for theirs`)
}

const aws = ({ dice, sky }: Surroundings) =>
  layerMemoryAws({
    timeScale: dice.pick(["instant", "dev", "fargate"]),
    missingAfterRunSeconds: sky.weather.missingAfterRunSeconds,
    logDelaySeconds: dice.chance(0.5) ? 0 : dice.spread(0.1, 10),
    newId: () => Array.from({ length: 4 }, () => dice.whole(0, 0xffff_ffff).toString(16).padStart(8, "0")).join("")
  })

/** A fleet with a nats-server of its own; AWS is the same for all. */
const fleet = (world: World, calmAfterSeconds: number) =>
  Effect.scoped(tell(world, calmAfterSeconds)).pipe(Effect.provide(Layer.fresh(layerMemoryBus)))

const tell = Effect.fnUntraced(function* (world: World, calmAfterSeconds: number) {
  const { witness, dice, sky } = world
  const server = yield* MemoryServer
  watch(server, witness)
  const base: BaseAws = {
    ecs: yield* Ecs,
    network: yield* Ec2Network,
    logs: yield* ContainerLogs,
    model: yield* EcsModel
  }
  const scope = yield* Effect.scope
  const begin = (process: Process) =>
    start(world, process, base).pipe(Scope.provide(scope), Effect.provideService(MemoryServer, server))
  const [first, ...rest] = services.flatMap(([name, service]) =>
    Array.from({ length: REPLICAS }, (_, index) => aProcess(`${name} ${index + 1}`, service))
  )
  if (first === undefined) return
  yield* Effect.forEach([first, ...rest], begin, { discard: true })
  const acts = dice.chance(0.4) ? poolActsOf(dice) : undefined
  const stories = storiesOf(dice, acts === undefined ? undefined : NARROW)
  if (acts !== undefined) {
    witness.mostRunning.set(NARROW, mostRunning(acts))
    yield* Effect.forkScoped(operate(world, acts))
  }
  const troubles = yield* Effect.forkScoped(trouble(world, [first, ...rest], begin))
  yield* Effect.forEach(stories, (story) => Effect.forkScoped(produce(story)), { discard: true })
  yield* Effect.sleep(Duration.seconds(calmAfterSeconds))
  yield* Fiber.interrupt(troubles)
  sky.weather = calm
  witness.note("calm")
  for (const process of [first, ...rest]) if (process.fate.dead) yield* begin(process)
  yield* untilOver(witness, stories)
  const thawed = Math.max(...[first, ...rest].map(({ fate }) => fate.frozenUntil - world.now()), 0)
  yield* Effect.sleep(Duration.millis(thawed + TIDY_SECONDS * 1000))
  yield* verify(witness, stories)
})

const watch = ({ state }: typeof MemoryServer.Service, witness: Witness): void => {
  const publish = state.publish.bind(state)
  state.publish = (message) => {
    const answer = publish(message)
    if (!(answer instanceof WireError) && !answer.duplicate) witness.stored(message)
    return answer
  }
}

/** The producer waits for each acknowledgement, as all must. */
const produce = Effect.fnUntraced(function* ({ runId, request, requestedAt, cancelledAt }: RunStory) {
  const publisher = yield* Publisher
  const cancel = Subjects.runCancel(RunId.make(runId))
  const acts = [
    ...requestedAt.map((at) => ({
      at,
      stream: Streams.inbox,
      subject: "run.requested",
      data: JSON.stringify(request)
    })),
    ...cancelledAt.map((at) => ({ at, stream: Streams.fleet, subject: cancel, data: "{}" }))
  ].toSorted((a, b) => a.at - b.at)
  let passed = 0
  for (const { at, ...message } of acts) {
    yield* Effect.sleep(Duration.seconds(at - passed))
    passed = at
    yield* Effect.orDie(publisher.publish(message))
  }
})

const untilOver = Effect.fnUntraced(function* (witness: Witness, stories: ReadonlyArray<RunStory>) {
  for (let passed = 0; passed < CALM_SECONDS; passed += 10) {
    if (stories.every(({ runId }) => witness.finished.has(runId))) return
    yield* Effect.sleep("10 seconds")
  }
})
