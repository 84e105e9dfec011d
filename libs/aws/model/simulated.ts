import { Deferred, Effect, Fiber, type Scope } from "effect"
import type { ContainerExit, ContainerSpec, Started } from "./Runtime.ts"

/** What a simulated container does. */
export interface Simulation {
  readonly seconds: number
  readonly exitCode: number
  readonly linesPerSecond: number
}

/**
 * Reads `["simulate", "--seconds", "3", "--exit-code", "0", "--lines-per-second", "1"]`; what is absent or no number is 0.
 * Any other command ends at once with exit code 0.
 */
export const parseSimulation = (command: ReadonlyArray<string>): Simulation => {
  const isSimulation = command[0] === "simulate"
  const option = (name: string): number => {
    const index = isSimulation ? command.indexOf(name) : -1
    const value = index < 0 ? 0 : Number(command[index + 1])
    return Number.isFinite(value) && value > 0 ? value : 0
  }
  return {
    seconds: option("--seconds"),
    exitCode: Math.trunc(option("--exit-code")),
    linesPerSecond: option("--lines-per-second")
  }
}

/** SIGTERM's exit code, as a shell shows it. */
export const terminatedExitCode = 143

/** Starts a container that exists only as a fiber; its time is the Effect `Clock`'s. */
export const startSimulated = (
  spec: ContainerSpec,
  output: (line: string) => void
): Effect.Effect<Started, never, Scope.Scope> =>
  Effect.gen(function* () {
    const exit = yield* Deferred.make<ContainerExit>()
    const program = yield* Effect.forkScoped(
      Effect.andThen(simulate(parseSimulation(spec.command), output), (ended) => Deferred.succeed(exit, ended))
    )
    const stop = Effect.andThen(Deferred.succeed(exit, { exitCode: terminatedExitCode }), Fiber.interrupt(program))
    return { exit: Deferred.await(exit), stop }
  })

const simulate = (simulation: Simulation, output: (line: string) => void): Effect.Effect<ContainerExit> =>
  Effect.gen(function* () {
    const { seconds, exitCode, linesPerSecond } = simulation
    const lines = Math.floor(seconds * linesPerSecond)
    for (let line = 1; line <= lines; line++) {
      yield* Effect.sleep(1000 / linesPerSecond)
      output(`line ${line} of ${lines}`)
    }
    const restMillis = lines === 0 ? seconds * 1000 : seconds * 1000 - (lines * 1000) / linesPerSecond
    if (restMillis > 0) yield* Effect.sleep(restMillis)
    return { exitCode }
  })
