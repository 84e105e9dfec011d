import { Config } from "effect"
import { topologyConfig } from "#process/FleetSetup.ts"

/** Settings of the dispatcher; each is a variable of the environment. */
export const dispatcherConfig = {
  ...topologyConfig,
  /** Region of definitions and launches whose request and pool name none. */
  region: Config.String("AWS_REGION").pipe(Config.withDefault("us-east-1")),
  /** Messages in hand at a time, per consumer. */
  concurrency: Config.Int("FLEET_DISPATCHER_CONCURRENCY").pipe(Config.withDefault(64)),
  /** A registration that gave no sign for this long is taken over by another replica. */
  registrationTakeOverSeconds: Config.Int("FLEET_REGISTRATION_TAKE_OVER_SECONDS").pipe(Config.withDefault(30)),
  /** How long a cached definition is trusted before ECS is asked again whether it is ACTIVE. */
  definitionCheckSeconds: Config.Int("FLEET_DEFINITION_CHECK_SECONDS").pipe(Config.withDefault(300)),
  /** Cached definitions per process. */
  definitionsMax: Config.Int("FLEET_DEFINITIONS_MAX").pipe(Config.withDefault(10_000))
}

export type DispatcherSettings = {
  readonly [K in keyof typeof dispatcherConfig]: Config.Success<(typeof dispatcherConfig)[K]>
}
