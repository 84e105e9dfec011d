import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Ref, type Scope } from "effect"
import { spawnTethered, type Tethered } from "#bus/server/Tethered.ts"
import type { ServiceName } from "#ecs-core/Subjects.ts"

export const serviceNames: ReadonlyArray<ServiceName> = ["dispatcher", "launcher", "watcher", "log-streamer"]

export const projectRoot = join(import.meta.dirname, "..", "..")

/** A service that is started again whenever it ends, as a supervisor would. Its log goes on over all of its lives. */
export interface Replica {
  /** E.g. `watcher-2`. */
  readonly name: string
  readonly service: ServiceName
  readonly logFile: string
  /** SIGKILL; the next life begins at once. False: it was just between two lives. */
  readonly kill: Effect.Effect<boolean>
  readonly pid: Effect.Effect<number | undefined>
  /** How its lives ended that nobody had asked to end: exit codes or signals. */
  readonly ownEnds: Effect.Effect<ReadonlyArray<number | NodeJS.Signals>>
}

interface State {
  readonly running: Ref.Ref<Tethered | undefined>
  readonly killed: WeakSet<Tethered>
  readonly ownEnds: Ref.Ref<ReadonlyArray<number | NodeJS.Signals>>
}

/** Starts `replicas` of every service; their environment is this process's. All are gone when the scope closes. */
export const startReplicas = (
  folder: string,
  replicas: number
): Effect.Effect<ReadonlyArray<Replica>, never, Scope.Scope> =>
  Effect.forEach(
    serviceNames.flatMap((service) => Array.from({ length: replicas }, (_, at) => ({ service, number: at + 1 }))),
    ({ service, number }) => startReplica(folder, service, number)
  )

const startReplica = (folder: string, service: ServiceName, number: number) =>
  Effect.gen(function* () {
    const name = `${service}-${number}`
    const logFile = join(folder, `${name}.log`)
    const state: State = {
      running: yield* Ref.make<Tethered | undefined>(undefined),
      killed: new WeakSet(),
      ownEnds: yield* Ref.make<ReadonlyArray<number | NodeJS.Signals>>([])
    }
    const main = join(projectRoot, "services", service, "main.ts")
    yield* Effect.forkScoped(Effect.forever(Effect.scoped(oneLife(state, main, logFile))))
    return {
      name,
      service,
      logFile,
      kill: Effect.flatMap(Ref.get(state.running), (child) => kill(state, child)),
      pid: Effect.map(Ref.get(state.running), (child) => child?.pid),
      ownEnds: Ref.get(state.ownEnds)
    } satisfies Replica
  })

const oneLife = (state: State, main: string, logFile: string) =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.orDie(spawnTethered(process.execPath, [main], logFile)),
      (child) => Effect.andThen(child.signal("SIGKILL"), child.exited)
    )
    yield* Ref.set(state.running, child)
    const end = yield* child.exited
    yield* Ref.set(state.running, undefined)
    if (!state.killed.has(child)) yield* Ref.update(state.ownEnds, (ends) => [...ends, end])
  })

const kill = (state: State, child: Tethered | undefined): Effect.Effect<boolean> => {
  if (child === undefined) return Effect.succeed(false)
  state.killed.add(child)
  return Effect.as(Effect.andThen(child.signal("SIGKILL"), child.exited), true)
}

/** How many of a replica's lives got so far that it was at work. */
export const readyLives = ({ logFile }: Replica): number =>
  readFileSync(logFile, "utf8").split('"message":"started"').length - 1

/**
 * Loads every service once, so that Node's compile cache has them all: processes that are killed never write it. The
 * environment has to name the cache already.
 */
export const fillCompileCache = (): void => {
  const load = (service: ServiceName) => {
    const loadAll = `await import("./services/${service}/main.ts"); await (await import("#aws/Clients.ts")).ec2Sdk()`
    execFileSync(process.execPath, ["--input-type=module", "-e", loadAll], { cwd: projectRoot })
  }
  serviceNames.forEach(load)
}
