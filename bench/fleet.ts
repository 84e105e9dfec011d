import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer, Schedule } from "effect"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import type { ServiceName } from "#ecs-core/Subjects.ts"
import type { Settings } from "#services/local-aws/config.ts"
import { LocalAws } from "#services/local-aws/LocalAws.ts"
import { layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { countOf, type ServiceProcess, startService } from "#test/support/Processes.ts"

/** A fleet as in production, to be measured: each service a process of its own, beside a real nats-server and local-aws. */

export const serviceNames: ReadonlyArray<ServiceName> = ["dispatcher", "launcher", "watcher", "log-streamer"]

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "bench" })))

/** What the services need; tasks are simulated. */
export const layerSurroundings = (settings: Partial<Settings> = {}) =>
  bus.pipe(Layer.provideMerge(Layer.mergeAll(natsServer, localAws({ runtime: "simulated", ...settings }))))

/** What a measurement finds there. */
export type Surroundings = Layer.Success<ReturnType<typeof layerSurroundings>>

/** So many replicas of each service, as soon as all of them work; `env` are settings. They end with the scope. */
export const startFleet = (replicas: number, env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const all = { ...env, ...sdkEnv((yield* LocalAws).url), NATS_URL: (yield* NatsServer).url }
    const folder = yield* tempFolder("bench")
    const start = (name: ServiceName) => startService(name, folder, all)
    const names = serviceNames.flatMap((name) => Array.from({ length: replicas }, () => name))
    const running = yield* Effect.forEach(names, start)
    yield* Effect.forEach(running, untilStarted, { concurrency: "unbounded" })
    /** SIGTERM, and another of its kind once it is gone, until that works; the exit code. */
    const replace = (service: ServiceProcess) =>
      Effect.gen(function* () {
        const code = yield* service.terminate
        yield* untilStarted(yield* start(service.name))
        return code
      })
    return { running, replace }
  })

/** A service that does not start ends the measurement. */
const untilStarted = (service: ServiceProcess) =>
  Effect.repeat(
    Effect.sync(() => countOf(service, "started")),
    { schedule: Schedule.spaced("50 millis"), until: (count) => count > 0 }
  ).pipe(
    Effect.timeoutOrElse({
      duration: "60 seconds",
      orElse: () => Effect.die(`${service.name} does not start: ${JSON.stringify(service.log().slice(-3))}`)
    })
  )

export const seconds = (millis: number): string => `${(millis / 1000).toFixed(2)} s`

/** A whole number above 0 from the command line, such as `--runs 1000`. */
export const countFlag = (name: string, fallback: number): number => {
  const { values } = parseArgs({ options: { [name]: { type: "string", default: String(fallback) } }, strict: false })
  const count = Number(values[name])
  if (Number.isInteger(count) && count > 0) return count
  process.stderr.write(`--${name} must be a whole number above 0\n`)
  return process.exit(2)
}

/** Runs a measurement; the exit code is 1 when it was not as it must be. */
export const runBench = <E>(bench: Effect.Effect<boolean, E>): void =>
  NodeRuntime.runMain(Effect.flatMap(bench, (isGood) => Effect.sync(() => void (process.exitCode = isGood ? 0 : 1))))
