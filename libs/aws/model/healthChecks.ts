import { Effect } from "effect"
import type { ContainerSpec, HealthCheck, Runtime, RuntimeRefused, Started } from "./Runtime.ts"
import type { TimeScale } from "./World.ts"

/** How long Docker's seconds between two checks are: outside Fargate's time scale a check each 30 s comes each second. */
export const checkPace: Readonly<Record<TimeScale, number>> = { instant: 1 / 30, dev: 1 / 30, fargate: 1 }

/** Failures in a row, and what they mean. */
export interface Health {
  readonly failures: number
  readonly status: "UNKNOWN" | "HEALTHY" | "UNHEALTHY"
}

export const newHealth: Health = { failures: 0, status: "UNKNOWN" }

/** A success is HEALTHY; `retries` failures in a row are UNHEALTHY, those in the start period aside. */
export const afterCheck = (health: Health, passed: boolean, sinceStartSeconds: number, check: HealthCheck): Health => {
  if (passed) return { failures: 0, status: "HEALTHY" }
  const isEarly = health.status !== "HEALTHY" && sinceStartSeconds < check.startPeriodSeconds
  const failures = isEarly ? health.failures : health.failures + 1
  return { failures, status: failures >= check.retries ? "UNHEALTHY" : health.status }
}

/** Runs a container's check again and again, and tells each time what it is now. */
export const checkHealth = (
  check: HealthCheck,
  run: Effect.Effect<number, RuntimeRefused>,
  pace: number,
  tell: (health: "HEALTHY" | "UNHEALTHY") => void
): Effect.Effect<never> =>
  Effect.gen(function* () {
    let health = newHealth
    for (let round = 1; ; round++) {
      yield* Effect.sleep(check.intervalSeconds * pace * 1000)
      const passed = yield* passes(run, check)
      health = afterCheck(health, passed, round * check.intervalSeconds, check)
      if (health.status !== "UNKNOWN") tell(health.status)
    }
  })

const passes = (run: Effect.Effect<number, RuntimeRefused>, check: HealthCheck): Effect.Effect<boolean> =>
  run.pipe(
    Effect.timeout(check.timeoutSeconds * 1000),
    Effect.map((exitCode) => exitCode === 0),
    Effect.orElseSucceed(() => false),
    Effect.catchDefect(() => Effect.succeed(false))
  )

/**
 * A check's exit code: run inside the container where the runtime can, else as a program beside it with the same
 * environment.
 */
export const checkOf = (
  runtime: Runtime["Service"],
  spec: ContainerSpec,
  container: Started,
  command: ReadonlyArray<string>
): Effect.Effect<number, RuntimeRefused> =>
  container.execute?.(command) ??
  runtime
    .start({ ...spec, command }, () => {})
    .pipe(
      Effect.flatMap(({ exit }) => exit),
      Effect.map(({ exitCode }) => exitCode),
      Effect.scoped
    )
