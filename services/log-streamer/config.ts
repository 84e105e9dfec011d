import { Config } from "effect"
import { topologyConfig } from "#process/FleetSetup.ts"

/** Settings of the log-streamer; each is a variable of the environment. */
export const logStreamerConfig = {
  ...topologyConfig,
  /** Attempts owned by one replica at most. */
  capacity: Config.Int("FLEET_LOGS_CAPACITY").pipe(Config.withDefault(10_000)),
  /** Pause between two rounds of reading. */
  pollMillis: Config.Int("FLEET_LOGS_POLL_MILLIS").pipe(Config.withDefault(1000)),
  /** CloudWatch may show a line so long after its own time; every round reads this far back. */
  lateSeconds: Config.Number("FLEET_LOGS_LATE_SECONDS").pipe(Config.withDefault(30)),
  /** After the task's end, reading goes on until nothing came for so long … */
  drainQuietSeconds: Config.Number("FLEET_LOGS_DRAIN_QUIET_SECONDS").pipe(Config.withDefault(5)),
  /** … and in so many rounds … */
  drainQuietPolls: Config.Int("FLEET_LOGS_DRAIN_QUIET_POLLS").pipe(Config.withDefault(3)),
  /** … but never longer than this. */
  drainMaxSeconds: Config.Number("FLEET_LOGS_DRAIN_MAX_SECONDS").pipe(Config.withDefault(60)),
  /** Pages of one call's answer that are read before other runs have their turn. */
  pagesMax: Config.Int("FLEET_LOGS_PAGES_MAX").pipe(Config.withDefault(20)),
  /** Calls to CloudWatch in flight at a time. */
  readConcurrency: Config.Int("FLEET_LOGS_READ_CONCURRENCY").pipe(Config.withDefault(4)),
  /** Ends of runs in hand at a time. */
  endConcurrency: Config.Int("FLEET_LOGS_END_CONCURRENCY").pipe(Config.withDefault(64))
}

export type LogStreamerSettings = {
  readonly [K in keyof typeof logStreamerConfig]: Config.Success<(typeof logStreamerConfig)[K]>
}
