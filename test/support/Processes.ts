import { spawn } from "node:child_process"
import { createWriteStream, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Schedule, type Scope } from "effect"
import type { ServiceName } from "#ecs-core/Subjects.ts"

/** A service as a process of its own. */
export interface ServiceProcess {
  readonly name: ServiceName
  readonly pid: number
  /** SIGKILL; waits until it is gone. */
  readonly kill: Effect.Effect<void>
  /** SIGTERM; the exit code. */
  readonly terminate: Effect.Effect<number | NodeJS.Signals>
  /** Its log so far, one JSON object a line. */
  readonly log: () => ReadonlyArray<Readonly<Record<string, unknown>>>
}

const projectRoot = join(import.meta.dirname, "..", "..")

/** Processes of tests load what others have compiled: half of their start is saved. */
export const compileCache = { NODE_COMPILE_CACHE: join(projectRoot, "node_modules", ".cache", "compiled") } as const

/** Starts a service from its `main.ts` with this environment; it is killed with the scope. */
export const startService = (
  name: ServiceName,
  folder: string,
  env: Readonly<Record<string, string>>
): Effect.Effect<ServiceProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => spawnService(name, folder, env)),
    ({ kill }) => kill
  )

let started = 0

const spawnService = (name: ServiceName, folder: string, env: Readonly<Record<string, string>>): ServiceProcess => {
  const logFile = join(folder, `${name}-${++started}.log`)
  const log = createWriteStream(logFile)
  const child = spawn(process.execPath, [join("services", name, "main.ts")], {
    cwd: projectRoot,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...compileCache, LOG_FORMAT: "json", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  const exited = Deferred.makeUnsafe<number | NodeJS.Signals>()
  child.once("close", (code, signal) => {
    log.end(() => Deferred.doneUnsafe(exited, Effect.succeed(signal ?? code ?? 0)))
  })
  const end = (signal: NodeJS.Signals) =>
    Effect.andThen(
      Effect.sync(() => child.kill(signal)),
      Deferred.await(exited)
    )
  return {
    name,
    pid: child.pid ?? 0,
    kill: Effect.asVoid(end("SIGKILL")),
    terminate: end("SIGTERM"),
    log: () => readLog(logFile)
  }
}

const readLog = (logFile: string): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  (existsSync(logFile) ? readFileSync(logFile, "utf8") : "").split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as Record<string, unknown>]
    } catch {
      return []
    }
  })

/** How often a process logged this message. */
export const countOf = (service: ServiceProcess, message: string): number =>
  service.log().filter((entry) => JSON.stringify(entry).includes(`"${message}"`)).length

/** Where a process that was started with `FLEET_HEALTH_PORT=0` answers, as its log says. */
export const healthUrlOf = (service: ServiceProcess): Effect.Effect<string> =>
  Effect.sync(() => /"url":"(http:[^"]+)"/.exec(JSON.stringify(service.log()))?.[1] ?? "").pipe(
    Effect.repeat({ until: (url) => url !== "", schedule: Schedule.spaced("100 millis") })
  )
