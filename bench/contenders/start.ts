import { fork } from "node:child_process"
import { openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, type Scope } from "effect"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { compileCache } from "#test/support/Processes.ts"

/** What is measured besides services as processes: programs of this folder. */
export type Contender = "fleetInOne" | "skeleton" | "chain"

/** Starts one as a process of its own beside the nats-server, once it is at work; killed with the scope. */
export const startContender = (
  name: Contender,
  env: Readonly<Record<string, string>> = {}
): Effect.Effect<void, never, Scope.Scope | NatsServer> =>
  Effect.gen(function* () {
    const { url } = yield* NatsServer
    const log = join(yield* tempFolder("bench"), "log")
    const ready = yield* Deferred.make<void>()
    yield* Effect.acquireRelease(
      Effect.sync(() => forkContender(name, log, { ...env, NATS_URL: url }, ready)),
      (child) => Effect.promise(() => ended(child))
    )
    yield* Effect.timeoutOrElse(Deferred.await(ready), {
      duration: "60 seconds",
      orElse: () => Effect.die(`${name} does not start: ${readFileSync(log, "utf8").slice(-2000)}`)
    })
  })

const forkContender = (
  name: Contender,
  log: string,
  env: Readonly<Record<string, string>>,
  ready: Deferred.Deferred<void>
) => {
  const output = openSync(log, "a")
  const child = fork(join(import.meta.dirname, `${name}.ts`), {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...compileCache, ...env },
    stdio: ["ignore", output, output, "ipc"]
  })
  child.once("message", () => Deferred.doneUnsafe(ready, Effect.void))
  return child
}

const ended = (child: ReturnType<typeof forkContender>) =>
  new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    child.kill("SIGKILL")
  })
