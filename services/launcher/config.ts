import type { Config } from "effect"
import { topologyConfig } from "#process/FleetSetup.ts"
import { wholeSetting } from "#process/NumberSetting.ts"

/** Settings of the launcher; each is a variable of the environment. */
export const launcherConfig = {
  ...topologyConfig,
  /** Launches in hand at a time; more wait in the stream. */
  concurrency: wholeSetting("FLEET_LAUNCHER_CONCURRENCY", 32)
}

export type LauncherSettings = {
  readonly [K in keyof typeof launcherConfig]: Config.Success<(typeof launcherConfig)[K]>
}
