import type { Config } from "effect"
import { probeConfig } from "#process/AwsProbe.ts"
import { topologyConfig } from "#process/FleetSetup.ts"
import { numberSetting, wholeSetting } from "#process/NumberSetting.ts"

/** Settings of the watcher; each is a variable of the environment. */
export const watcherConfig = {
  ...topologyConfig,
  ...probeConfig,
  /** Tasks owned by one replica at most; a full one says so at `/ready` (503). */
  capacity: wholeSetting("FLEET_WATCHER_CAPACITY", 100_000),
  /** How often the replica looks which tasks are due. */
  sweepMillis: wholeSetting("FLEET_WATCHER_SWEEP_MILLIS", 250),
  /**
   * A task is asked about at most this far apart in the first minute after its launch or its start, and while it
   * ends; else `taskWatchPollIntervalSeconds` of the request counts.
   */
  youngPollSeconds: numberSetting("FLEET_WATCHER_YOUNG_POLL_SECONDS", 1),
  /**
   * A program that has run for five minutes is asked about six times as rarely, but at least this often unless its
   * interval is longer.
   */
  slowPollSeconds: numberSetting("FLEET_WATCHER_SLOW_POLL_SECONDS", 30),
  /** DescribeTasks calls in flight at a time, per account, region and cluster. */
  describeConcurrency: wholeSetting("FLEET_WATCHER_DESCRIBE_CONCURRENCY", 4),
  /** Stop orders in hand at a time. */
  stopConcurrency: wholeSetting("FLEET_WATCHER_STOP_CONCURRENCY", 16),
  /** How often ECS's tasks are compared with the live runs, by one replica: [recovery](docs/recovery.md). */
  reconcileSeconds: wholeSetting("FLEET_RECONCILE_SECONDS", 60),
  /** Live runs that one sweep looks at; with more, the next goes on with the others. */
  reconcileRunsMax: wholeSetting("FLEET_RECONCILE_RUNS_MAX", 2000),
  /** Tasks of one cluster that one sweep looks at, whoever started them; with more, the next goes on. */
  reconcileTasksMax: wholeSetting("FLEET_RECONCILE_TASKS_MAX", 10_000),
  /** A task that nobody waits for is stopped after so long; an end that nobody tells is told after so long. */
  orphanGraceSeconds: wholeSetting("FLEET_ORPHAN_GRACE_SECONDS", 300)
}

export type WatcherSettings = { readonly [K in keyof typeof watcherConfig]: Config.Success<(typeof watcherConfig)[K]> }
