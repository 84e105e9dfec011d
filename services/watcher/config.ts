import type { Config } from "effect"
import { probeConfig } from "#process/AwsProbe.ts"
import { topologyConfig } from "#process/FleetSetup.ts"
import { numberSetting, wholeSetting } from "#process/NumberSetting.ts"

/** Settings of the watcher; each is a variable of the environment. */
export const watcherConfig = {
  ...topologyConfig,
  ...probeConfig,
  /** Tasks owned by one replica at most. */
  capacity: wholeSetting("FLEET_WATCHER_CAPACITY", 100_000),
  /** How often the replica looks which tasks are due; a look asks about up to 100 tasks per call. */
  sweepMillis: wholeSetting("FLEET_WATCHER_SWEEP_MILLIS", 250),
  /** A task is asked about at most this far apart during its first minute. */
  youngPollSeconds: numberSetting("FLEET_WATCHER_YOUNG_POLL_SECONDS", 1),
  /** A program that has run for five minutes is asked about at least this often, whatever its interval. */
  slowPollSeconds: numberSetting("FLEET_WATCHER_SLOW_POLL_SECONDS", 30),
  /** DescribeTasks calls in flight at a time, per account, region and cluster. */
  describeConcurrency: wholeSetting("FLEET_WATCHER_DESCRIBE_CONCURRENCY", 4),
  /** Stop orders in hand at a time. */
  stopConcurrency: wholeSetting("FLEET_WATCHER_STOP_CONCURRENCY", 16),
  /** How often ECS's tasks are compared with the live runs, by one replica. */
  reconcileSeconds: wholeSetting("FLEET_RECONCILE_SECONDS", 60),
  /** Live runs that are looked at in one sweep; with more, the next sweeps go on with the others. */
  reconcileRunsMax: wholeSetting("FLEET_RECONCILE_RUNS_MAX", 2000),
  /** Tasks of one cluster that are looked at in one sweep, whoever started them; with more, the next goes on. */
  reconcileTasksMax: wholeSetting("FLEET_RECONCILE_TASKS_MAX", 10_000),
  /** A task that nobody waits for is stopped when it has run on for so long. */
  orphanGraceSeconds: wholeSetting("FLEET_ORPHAN_GRACE_SECONDS", 300)
}

export type WatcherSettings = { readonly [K in keyof typeof watcherConfig]: Config.Success<(typeof watcherConfig)[K]> }
