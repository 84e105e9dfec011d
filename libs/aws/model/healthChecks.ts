import { Effect } from "effect"
import type { ContainerSpec, HealthCheck, Runtime } from "./Runtime.ts"
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
  runtime: Runtime["Service"],
  spec: ContainerSpec,
  check: HealthCheck,
  pace: number,
  tell: (health: "HEALTHY" | "UNHEALTHY") => void
): Effect.Effect<never> =>
  Effect.gen(function* () {
    let health = newHealth
    for (let round = 1; ; round++) {
      yield* Effect.sleep(check.intervalSeconds * pace * 1000)
      const passed = yield* passes(runtime, spec, check)
      health = afterCheck(health, passed, round * check.intervalSeconds, check)
      if (health.status !== "UNKNOWN") tell(health.status)
    }
  })

/** A check is a program beside the container's own, with the same environment. */
const passes = (runtime: Runtime["Service"], spec: ContainerSpec, check: HealthCheck): Effect.Effect<boolean> =>
  runtime
    .start({ ...spec, command: check.command }, () => {})
    .pipe(
      Effect.flatMap(({ exit }) => Effect.timeout(exit, check.timeoutSeconds * 1000)),
      Effect.map(({ exitCode }) => exitCode === 0),
      Effect.scoped,
      Effect.orElseSucceed(() => false),
      Effect.catchDefect(() => Effect.succeed(false))
    )
