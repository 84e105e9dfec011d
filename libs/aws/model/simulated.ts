import { Clock, Deferred, Effect, Fiber, type Scope } from "effect"
import type { ContainerExit, ContainerSpec, Started } from "./Runtime.ts"

/** What a simulated container does. */
export interface Simulation {
  readonly seconds: number
  readonly exitCode: number
  /** Printed first, as fast as it can. */
  readonly lines: number
  /** Printed from then on, the first one after the first part of a second. */
  readonly linesPerSecond: number
}

/**
 * Reads `["simulate", "--seconds", "3", "--exit-code", "0", "--lines", "50000", "--lines-per-second", "1"]`; what is absent
 * or no number is 0. Any other command ends at once with exit code 0.
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
    lines: Math.trunc(option("--lines")),
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

/** Lines that are printed in one go; then others have their turn. */
const linesPerTurn = 1000

/** Every time is counted from the start, so that lines of containers that started apart stay apart. */
const simulate = (simulation: Simulation, output: (line: string) => void): Effect.Effect<ContainerExit> =>
  Effect.gen(function* () {
    const { seconds, exitCode, lines, linesPerSecond } = simulation
    const startedAt = yield* Clock.currentTimeMillis
    const until = (millis: number) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Math.max(0, startedAt + millis - now)))
    const paced = Math.floor(seconds * linesPerSecond)
    const total = lines + paced
    for (let line = 1; line <= lines; line++) {
      output(`line ${line} of ${total}`)
      if (line % linesPerTurn === 0) yield* Effect.yieldNow
    }
    for (let line = 1; line <= paced; line++) {
      yield* until((1000 * line) / linesPerSecond)
      output(`line ${lines + line} of ${total}`)
    }
    yield* until(1000 * seconds)
    return { exitCode }
  })
