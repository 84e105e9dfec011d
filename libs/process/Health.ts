import { Context, Duration, Effect, Layer, Option, type Scope } from "effect"

/** A part of the process that can be unwell: a connection, a consumer, a lease. */
export interface HealthCheck {
  readonly name: string
  /** `ok`, or in a few words what is wrong. */
  readonly check: Effect.Effect<string>
}

export interface PartHealth {
  readonly name: string
  readonly status: string
}

/** `ready` when every part is `ok`. */
export interface HealthReport {
  readonly ready: boolean
  readonly parts: ReadonlyArray<PartHealth>
}

/** A check that does not answer within this is not well. */
export const checkSeconds = 2

/** Where the parts of a process say how they are, and where `/ready` asks. */
export class Health extends Context.Service<
  Health,
  {
    /** The check counts as long as the scope is open. Names may repeat (several replicas in one process). */
    readonly register: (check: HealthCheck) => Effect.Effect<void, never, Scope.Scope>
    /** Asks every part, all at once. */
    readonly report: Effect.Effect<HealthReport>
  }
>()("process/Health") {
  static readonly layer: Layer.Layer<Health> = Layer.sync(Health, () => {
    const checks = new Set<HealthCheck>()
    return {
      register: (check) => register(checks, check),
      report: Effect.suspend(() => report([...checks]))
    }
  })
}

/** Registers the check where the process answers health checks; one that embeds a service may have none. */
export const registerWhereServed = (check: HealthCheck): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(
    Effect.serviceOption(Health),
    Option.match({ onNone: () => Effect.void, onSome: (health) => health.register(check) })
  )

/** What `/ready` says of a replica's room for more of what it holds. */
export const roomOf = (held: number, capacity: number, what: string): string =>
  held < capacity ? "ok" : `at capacity: ${held} of ${capacity} ${what}; start another replica`

const register = (checks: Set<HealthCheck>, check: HealthCheck): Effect.Effect<void, never, Scope.Scope> => {
  const entry = { ...check }
  return Effect.acquireRelease(
    Effect.sync(() => void checks.add(entry)),
    () => Effect.sync(() => void checks.delete(entry))
  )
}

const report = (checks: ReadonlyArray<HealthCheck>): Effect.Effect<HealthReport> =>
  Effect.map(Effect.forEach(checks, ask, { concurrency: "unbounded" }), (parts) => ({
    ready: parts.every(({ status }) => status === "ok"),
    parts
  }))

const ask = ({ name, check }: HealthCheck): Effect.Effect<PartHealth> =>
  check.pipe(
    Effect.timeoutOption(Duration.seconds(checkSeconds)),
    Effect.map(Option.getOrElse(() => `no answer within ${checkSeconds} s`)),
    Effect.catchDefect((defect) => Effect.succeed(`the check itself failed: ${String(defect)}`)),
    Effect.map((status) => ({ name, status }))
  )
