import type { Config } from "effect"
import { probeConfig } from "#process/AwsProbe.ts"
import { topologyConfig } from "#process/FleetSetup.ts"
import { wholeSetting } from "#process/NumberSetting.ts"
import { laneLimits } from "./Fleet.ts"

/** Settings of the launcher; each is a variable of the environment. */
export const launcherConfig = {
  ...topologyConfig,
  ...probeConfig,
  /** RunTask calls under way at a time, for each region and set of credentials. */
  concurrency: wholeSetting("FLEET_LAUNCHER_CONCURRENCY", laneLimits.calls),
  /** Orders in hand at a time, over all regions; one region holds a third of them at most, more wait in the stream. */
  orders: wholeSetting("FLEET_LAUNCHER_ORDERS", laneLimits.orders)
}

export type LauncherSettings = {
  readonly [K in keyof typeof launcherConfig]: Config.Success<(typeof launcherConfig)[K]>
}
