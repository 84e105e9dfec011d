import { Effect, Layer } from "effect"
import { passAll } from "#bench/bulk.ts"
import { startFleet } from "#bench/fleet.ts"
import { runAll, wanted } from "#bench/load.ts"
import { natsServerPid, takenBy } from "#bench/resources.ts"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import type { ServiceName } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { fleet } from "#test/support/fleetCommand.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import type { ServiceProcess } from "#test/support/Processes.ts"
import { copiedId, copyRuns, type Left, leftOf } from "./copies.ts"

/** Nothing but the work is measured, so nothing may wait for AWS's quotas, nor long for late lines. */
const settings = {
  FLEET_AWS_RUN_TASK_PER_SECOND: "1000",
  FLEET_AWS_RUN_TASK_BURST: "1000",
  FLEET_AWS_FILTER_LOG_EVENTS_PER_SECOND: "1000",
  FLEET_LOGS_DRAIN_QUIET_SECONDS: "1"
}

const job = {
  image: "local/shell",
  executionRoleArn: "arn:aws:iam::000000000000:role/bench",
  command: ["simulate", "--seconds", "1", "--lines", "1"]
}

const runsOf = (prefix: string, count: number) => wanted(prefix, count, () => job)

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "bench" })))
const surroundings = bus.pipe(Layer.provideMerge(natsServer))

/** What some runs have left that a fleet has really made, in a store of their own. */
export const originals = (count: number) =>
  Effect.gen(function* () {
    yield* startFleet(1, settings)
    const all = runsOf("original", count)
    yield* runAll(all)
    return yield* leftOf(all.map(({ runId }) => runId))
  }).pipe(Effect.provide(Layer.fresh(surroundings)), Effect.scoped)

/** CPU time per run, milliseconds. */
export type CpuPerRun = Readonly<Record<ServiceName | "all" | "server", number>>

/** How long a person waits, milliseconds. */
export type Commands = Readonly<Record<"ps" | "psAll" | "describe", number>>

/** A fleet with so many finished runs behind it. */
export interface Store {
  readonly finished: number
  /** Runs so many, and says what one cost. */
  readonly batch: (name: string, runs: number) => Effect.Effect<CpuPerRun, unknown>
  readonly commands: Effect.Effect<Commands, unknown>
}

/** With a nats-server and services of its own, warmed up by so many runs; until the scope closes. */
export const openStore = (left: ReadonlyArray<Left>, finished: number, warmUp: number) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Layer.fresh(surroundings))
    const running = yield* Effect.gen(function* () {
      yield* setUpFleet(topologyDefaults)
      yield* copyRuns(left, 0, finished)
      yield* passAll
      const { running } = yield* startFleet(1, settings)
      yield* runAll(runsOf("warm-up", warmUp))
      return running
    }).pipe(Effect.provide(context))
    return {
      finished,
      batch: (name, runs) => Effect.provide(batch(running, name, runs), context),
      commands: Effect.provide(commands(copiedId(finished - 1)), context)
    } satisfies Store
  })

const batch = (running: ReadonlyArray<ServiceProcess>, name: string, runs: number) =>
  Effect.gen(function* () {
    const before = yield* cpuOf(running)
    yield* runAll(runsOf(name, runs))
    const after = yield* cpuOf(running)
    const perRun = (of: keyof CpuPerRun) => (after[of] - before[of]) / runs
    return {
      all: perRun("all"),
      server: perRun("server"),
      dispatcher: perRun("dispatcher"),
      launcher: perRun("launcher"),
      watcher: perRun("watcher"),
      "log-streamer": perRun("log-streamer")
    } satisfies CpuPerRun
  })

/** CPU time so far: of each service, of all of them together, and of nats-server. */
const cpuOf = (running: ReadonlyArray<ServiceProcess>) =>
  Effect.gen(function* () {
    const server = (yield* takenBy(yield* natsServerPid)).cpuMillis
    const own = { dispatcher: 0, launcher: 0, watcher: 0, "log-streamer": 0 }
    for (const { name, pid } of running) own[name] = (yield* takenBy(pid)).cpuMillis
    return { ...own, all: Object.values(own).reduce((sum, millis) => sum + millis, 0), server }
  })

/** From the start of the command to its end; `known` is a run that has finished long ago. */
const commands = (known: string) =>
  Effect.gen(function* () {
    return {
      ps: yield* timed("ps"),
      psAll: yield* timed("ps", "--all"),
      describe: yield* timed("describe", known)
    } satisfies Commands
  })

const timed = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const env = { NATS_URL: (yield* NatsServer).url }
    const begun = performance.now()
    const { code, err } = yield* fleet({ folder: process.cwd(), env }, ...args)
    if (code !== 0) return yield* Effect.die(`fleet ${args.join(" ")}: ${err}`)
    return performance.now() - begun
  })
