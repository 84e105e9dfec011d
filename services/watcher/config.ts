import { Config } from "effect"
import { topologyConfig } from "#process/FleetSetup.ts"

/** Settings of the watcher; each is a variable of the environment. */
export const watcherConfig = {
  ...topologyConfig,
  /** Tasks owned by one replica at most. */
  capacity: Config.Int("FLEET_WATCHER_CAPACITY").pipe(Config.withDefault(100_000)),
  /** How often the replica looks which tasks are due; a look asks about up to 100 tasks per call. */
  sweepMillis: Config.Int("FLEET_WATCHER_SWEEP_MILLIS").pipe(Config.withDefault(250)),
  /** A task is asked about at most this far apart during its first minute. */
  youngPollSeconds: Config.Number("FLEET_WATCHER_YOUNG_POLL_SECONDS").pipe(Config.withDefault(1)),
  /** DescribeTasks calls in flight at a time. */
  describeConcurrency: Config.Int("FLEET_WATCHER_DESCRIBE_CONCURRENCY").pipe(Config.withDefault(4)),
  /** Stop orders in hand at a time. */
  stopConcurrency: Config.Int("FLEET_WATCHER_STOP_CONCURRENCY").pipe(Config.withDefault(16))
}

export type WatcherSettings = { readonly [K in keyof typeof watcherConfig]: Config.Success<(typeof watcherConfig)[K]> }
