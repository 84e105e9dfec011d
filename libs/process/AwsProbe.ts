import { Config, Effect, Metric, Option, type Scope } from "effect"
import type { Ecs } from "#aws/Ecs.ts"
import type { Pace } from "#aws/Pace.ts"
import { type ProbeAnswer, probe } from "#aws/probe.ts"
import type { Values } from "#process/ConfigReport.ts"
import { registerWhereServed } from "#process/Health.ts"
import { probeHealthy } from "#process/metrics.ts"
import { wholeSetting } from "#process/NumberSetting.ts"
import { supervised } from "#process/Supervise.ts"

/** Settings of the probe, the same in every process that has the right to stop tasks. */
export const probeConfig = {
  /**
   * Launcher and watcher ask ECS now and then to stop a task that cannot be in this cluster; unset, nothing is asked.
   * [What it says](docs/settings.md#health).
   */
  probeCluster: Config.option(Config.NonEmptyString("FLEET_AWS_PROBE_CLUSTER")),
  /** Between two such questions, at least 5. */
  probeSeconds: wholeSetting("FLEET_AWS_PROBE_SECONDS", 60, 5)
}

export interface Ports {
  readonly ecs: Pick<typeof Ecs.Service, "stopTask">
  readonly pace: Pick<typeof Pace.Service, "take">
}

/**
 * Asks AWS now and then whether this process could stop a task, as part `aws` of `/ready`: 503 until the first good
 * answer, and while the last one was bad. It asks in the process's own region with its own credentials.
 */
export const probeWhereAsked = (
  { probeCluster, probeSeconds }: Values<typeof probeConfig>,
  ports: Ports
): Effect.Effect<void, never, Scope.Scope> =>
  Option.match(probeCluster, {
    onNone: () => Effect.void,
    onSome: (cluster) =>
      Effect.gen(function* () {
        let status = "not answered yet"
        yield* registerWhereServed({ name: "aws", check: Effect.sync(() => status) })
        const ask = Effect.gen(function* () {
          const now = statusOf(yield* askOnce(ports, cluster))
          if (now !== status) yield* tell(now, cluster)
          status = now
          yield* Metric.update(probeHealthy, now === "ok" ? 1 : 0)
          yield* Effect.sleep(`${probeSeconds} seconds`)
        })
        yield* Effect.forkScoped(supervised("aws probe", Effect.forever(ask)))
      })
  })

const askOnce = ({ ecs, pace }: Ports, cluster: string): Effect.Effect<ProbeAnswer> =>
  Effect.andThen(pace.take("stopTask", {}), probe(ecs, {}, cluster))

const statusOf = (answer: ProbeAnswer): string => (answer.healthy ? "ok" : answer.why)

const tell = (status: string, cluster: string) =>
  status === "ok"
    ? Effect.logInfo("AWS answers the probe as it should", { cluster })
    : Effect.logWarning("AWS does not answer the probe as it should", { cluster, why: status })
