import type { Config } from "effect"
import { topologyConfig } from "#process/FleetSetup.ts"
import { numberSetting, wholeSetting } from "#process/NumberSetting.ts"

/** Settings of the log-streamer; each is a variable of the environment. */
export const logStreamerConfig = {
  ...topologyConfig,
  /** Attempts owned by one replica at most. */
  capacity: wholeSetting("FLEET_LOGS_CAPACITY", 10_000),
  /** How often a container that writes is asked for; a silent one three to ten times as rarely. */
  pollMillis: wholeSetting("FLEET_LOGS_POLL_MILLIS", 1000),
  /** CloudWatch may show a line so long after its own time; every ten seconds a look reads this far back. */
  lateSeconds: numberSetting("FLEET_LOGS_LATE_SECONDS", 30),
  /** After the task's end, reading goes on until nothing came for so long … */
  drainQuietSeconds: numberSetting("FLEET_LOGS_DRAIN_QUIET_SECONDS", 8),
  /** … and in so many looks … */
  drainQuietPolls: wholeSetting("FLEET_LOGS_DRAIN_QUIET_POLLS", 3),
  /** … but never longer than this behind what there was to read: the end marker then says `complete: false`. */
  drainMaxSeconds: numberSetting("FLEET_LOGS_DRAIN_MAX_SECONDS", 60),
  /** Pages that one look far back reads before other runs have their turn. */
  pagesMax: wholeSetting("FLEET_LOGS_PAGES_MAX", 20),
  /**
   * Output of one run that is published, bytes of JSON; further lines are counted, and one line at the end says how
   * many.
   */
  runBytesMax: wholeSetting("FLEET_LOGS_RUN_BYTES_MAX", 1024 * 1024 * 1024),
  /** Calls to CloudWatch in flight at a time, for each region and set of credentials. */
  readConcurrency: wholeSetting("FLEET_LOGS_READ_CONCURRENCY", 4),
  /** Ends of runs in hand at a time. */
  endConcurrency: wholeSetting("FLEET_LOGS_END_CONCURRENCY", 64)
}

export type LogStreamerSettings = {
  readonly [K in keyof typeof logStreamerConfig]: Config.Success<(typeof logStreamerConfig)[K]>
}
