import { Config } from "effect"
import { topologyConfig } from "#process/FleetSetup.ts"
import { wholeSetting } from "#process/NumberSetting.ts"

/** Settings of the dispatcher; each is a variable of the environment. */
export const dispatcherConfig = {
  ...topologyConfig,
  /** Region of definitions and launches whose request and pool name none. */
  region: Config.String("AWS_REGION").pipe(Config.withDefault("us-east-1")),
  /** Messages in hand at a time, per consumer. */
  concurrency: wholeSetting("FLEET_DISPATCHER_CONCURRENCY", 64),
  /** A registration that gave no sign for this long is taken over by another replica. */
  registrationTakeOverSeconds: wholeSetting("FLEET_REGISTRATION_TAKE_OVER_SECONDS", 30),
  /** How long a cached definition is trusted before ECS is asked again whether it is ACTIVE. */
  definitionCheckSeconds: wholeSetting("FLEET_DEFINITION_CHECK_SECONDS", 300),
  /** Cached definitions per process. */
  definitionsMax: wholeSetting("FLEET_DEFINITIONS_MAX", 10_000)
}

export type DispatcherSettings = {
  readonly [K in keyof typeof dispatcherConfig]: Config.Success<(typeof dispatcherConfig)[K]>
}
