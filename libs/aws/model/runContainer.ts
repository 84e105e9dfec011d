import { Effect, type Result } from "effect"
import { checkHealth, checkOf } from "./healthChecks.ts"
import type { LogDriver } from "./LogDriver.ts"
import { type ContainerSpec, type LogLocation, type Runtime, RuntimeRefused, type Started } from "./Runtime.ts"
import type { TaskEvent } from "./taskChanges.ts"

/** What a container is run by. */
export interface ContainerHost {
  readonly runtime: Runtime["Service"]
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Of a health check's seconds. */
  readonly checkPace: number
  readonly openLog: (location: LogLocation | undefined) => Result.Result<LogDriver, string>
  readonly started: (container: Started) => void
  readonly ended: () => void
  readonly tell: (event: TaskEvent) => void
}

/** Runs one container from its start to its end, and tells both. Interrupted, it ends the container at once. */
export const runContainer = (host: ContainerHost, spec: ContainerSpec): Effect.Effect<void> =>
  Effect.gen(function* () {
    const log = yield* Effect.fromResult(host.openLog(spec.logs)).pipe(
      Effect.mapError((reason) => new RuntimeRefused({ reason }))
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => log.close(host.now())))
    const container = yield* startContainer(host, spec, log)
    host.started(container)
    host.tell({ _tag: "ContainerStarted", name: spec.containerName })
    if (spec.healthCheck !== undefined) {
      const tell = (health: "HEALTHY" | "UNHEALTHY") =>
        host.tell({ _tag: "ContainerChecked", name: spec.containerName, health })
      const check = checkOf(host.runtime, spec, container, spec.healthCheck.command)
      yield* Effect.forkScoped(checkHealth(spec.healthCheck, check, host.checkPace, tell))
    }
    const exit = yield* exitOf(container)
    log.close(host.now())
    host.ended()
    host.tell({ _tag: "ContainerExited", name: spec.containerName, ...exit })
  }).pipe(
    Effect.scoped,
    Effect.catchTag("RuntimeRefused", ({ reason, exitCode }) =>
      Effect.sync(() => {
        const code = exitCode === undefined ? {} : { exitCode }
        host.tell({ _tag: "ContainerRefused", name: spec.containerName, reason, ...code })
      })
    ),
    Effect.ensuring(Effect.sync(host.ended))
  )

const startContainer = (host: ContainerHost, spec: ContainerSpec, log: LogDriver) =>
  host.runtime
    .start(spec, (line) => log.write(line, host.now()))
    .pipe(
      Effect.catchDefect((defect) =>
        Effect.fail(new RuntimeRefused({ reason: `ContainerRuntimeError: ${String(defect)}` }))
      )
    )

const exitOf = ({ exit }: Started) =>
  Effect.catchDefect(exit, (defect) =>
    Effect.succeed({ exitCode: 255, reason: `ContainerRuntimeError: ${String(defect)}` })
  )
