import { Effect } from "effect"
import { NatsServer } from "#bus/server/NatsServer.ts"
import type { ServiceName } from "#ecs-core/Subjects.ts"
import { fleet } from "#test/support/fleetCommand.ts"
import type { ServiceProcess } from "#test/support/Processes.ts"
import { startFleet } from "../fleet.ts"
import { runAll, wanted } from "../load.ts"
import { natsServerPid, takenBy } from "../resources.ts"

/** One size of the store: a fleet that has just been started, warmed up, and measured by some batches of runs. */
export interface Stage {
  /** CPU time per run, milliseconds, of one batch. */
  readonly batches: ReadonlyArray<Readonly<Record<ServiceName | "all" | "server", number>>>
  /** How long the commands took, milliseconds. */
  readonly commands: ReadonlyArray<Readonly<Record<CommandName, number>>>
}

export type CommandName = "ps" | "psAll" | "describe"

export interface Sizes {
  readonly warmUp: number
  readonly batches: number
  readonly batchRuns: number
  readonly commands: number
}

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

/** A process that has not ended by then is killed. */
const END_SECONDS = 15

/** With a fleet of its own, from its start to its orderly end. */
export const withFleet = <A, E, R>(use: (running: ReadonlyArray<ServiceProcess>) => Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { running } = yield* startFleet(1, settings)
      const result = yield* use(running)
      const ends = Effect.forEach(running, ({ terminate }) => terminate, { concurrency: "unbounded", discard: true })
      yield* Effect.timeoutOption(ends, `${END_SECONDS} seconds`)
      return result
    })
  )

export const runsOf = (prefix: string, count: number) => wanted(prefix, count, () => job)

/** `known`: a run that is in the store already. */
export const measureStage = (name: string, known: string, sizes: Sizes) =>
  withFleet((running) =>
    Effect.gen(function* () {
      const batches: Array<Stage["batches"][number]> = []
      yield* runAll(runsOf(`${name}-warm-up`, sizes.warmUp))
      for (let at = 0; at < sizes.batches; at++) {
        const before = yield* cpuOf(running)
        yield* runAll(runsOf(`${name}-${at}`, sizes.batchRuns))
        const after = yield* cpuOf(running)
        const perRun = (of: keyof typeof after) => (after[of] - before[of]) / sizes.batchRuns
        batches.push({
          all: perRun("all"),
          server: perRun("server"),
          dispatcher: perRun("dispatcher"),
          launcher: perRun("launcher"),
          watcher: perRun("watcher"),
          "log-streamer": perRun("log-streamer")
        })
      }
      const commands = yield* Effect.forEach(Array.from({ length: sizes.commands }), () => timeCommands(known))
      return { batches, commands } satisfies Stage
    })
  )

/** CPU time so far, of each service, of all together, and of nats-server. */
const cpuOf = (running: ReadonlyArray<ServiceProcess>) =>
  Effect.gen(function* () {
    const server = (yield* takenBy(yield* natsServerPid)).cpuMillis
    const own = { dispatcher: 0, launcher: 0, watcher: 0, "log-streamer": 0 }
    for (const { name, pid } of running) own[name] = (yield* takenBy(pid)).cpuMillis
    return { ...own, all: Object.values(own).reduce((sum, millis) => sum + millis, 0), server }
  })

/** From the start of the command to its end, as a person waits for it. */
const timeCommands = (known: string) =>
  Effect.gen(function* () {
    return {
      ps: yield* timed("ps"),
      psAll: yield* timed("ps", "--all"),
      describe: yield* timed("describe", known)
    } satisfies Readonly<Record<CommandName, number>>
  })

const timed = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const env = { NATS_URL: (yield* NatsServer).url }
    const begun = performance.now()
    const { code, err } = yield* fleet({ folder: process.cwd(), env }, ...args)
    if (code !== 0) return yield* Effect.die(`fleet ${args.join(" ")}: ${err}`)
    return performance.now() - begun
  })
