import { readdirSync } from "node:fs"
import { join } from "node:path"
import { Effect, Schedule, type Scope } from "effect"
import type { NatsBinary } from "#bus/server/NatsBinary.ts"
import { type NatsServerFailed, type NatsServerHandle, runNatsServer } from "#bus/server/NatsServer.ts"
import { spawnTethered } from "#bus/server/Tethered.ts"
import { LocalAws } from "#services/local-aws/LocalAws.ts"
import { projectRoot } from "#test/chaos/Replicas.ts"
import { freePort } from "#test/support/ports.ts"

/** `count` servers with stores below `folder`; more than one are a cluster. */
export const startServers = (
  folder: string,
  binary: NatsBinary,
  count: number
): Effect.Effect<ReadonlyArray<NatsServerHandle>, NatsServerFailed, Scope.Scope> =>
  Effect.gen(function* () {
    if (count === 1) return [yield* runNatsServer({ binary, storeDir: join(folder, "nats") })]
    const ports = yield* Effect.promise(() => Promise.all(Array.from({ length: count }, freePort)))
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(", ")
    const cluster = (port: number) =>
      `cluster { name: fleet, listen: "127.0.0.1:${port}", routes: [${routes}], no_advertise: true }`
    return yield* Effect.forEach(
      ports,
      (port, at) =>
        runNatsServer({
          binary,
          storeDir: join(folder, `nats-${at + 1}`),
          serverName: serverName(at),
          extraConfig: cluster(port)
        }),
      { concurrency: "unbounded" }
    )
  })

/** The process of the only server: nats-server names its ports file after it. */
export const serverPid = (folder: string): number | undefined => {
  const [file = ""] = readdirSync(join(folder, "nats", "ports"))
  const pid = /_(\d+)\.ports$/.exec(file)?.[1]
  return pid === undefined ? undefined : Number(pid)
}

export const serverName = (at: number): string => `server-${at + 1}`

export interface LocalAwsProcess {
  readonly url: string
  readonly pid: number
}

/** local-aws as a process of its own, on a free port, with this environment's settings; gone when the scope closes. */
export const startLocalAws = (folder: string): Effect.Effect<LocalAwsProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const port = yield* Effect.promise(freePort)
    const main = join(projectRoot, "services", "local-aws", "main.ts")
    const start = spawnTethered(process.execPath, [main, "--port", String(port)], join(folder, "local-aws.log"))
    const { pid } = yield* Effect.acquireRelease(Effect.orDie(start), (child) =>
      Effect.andThen(child.signal("SIGTERM"), child.exited)
    )
    const url = `http://127.0.0.1:${port}`
    const isReady = Effect.promise(
      async () => (await fetch(`${url}/_fleet/health`).catch(() => undefined))?.ok === true
    )
    yield* Effect.repeat(isReady, { schedule: Schedule.spaced("50 millis"), until: (ready) => ready })
    return { url, pid }
  })

/** local-aws as the tests' support asks for it. */
export const localAwsService = (url: string): LocalAws["Service"] =>
  LocalAws.of({ host: "127.0.0.1", port: Number(new URL(url).port), url })
