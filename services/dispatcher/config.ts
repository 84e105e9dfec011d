import { Config } from "effect"
import { topologyConfig } from "#process/FleetSetup.ts"
import { numberSetting, wholeSetting } from "#process/NumberSetting.ts"

/** Settings of the dispatcher; each is a variable of the environment. */
export const dispatcherConfig = {
  ...topologyConfig,
  /** Region of what neither request nor pool names one for. */
  region: Config.String("AWS_REGION").pipe(Config.withDefault("us-east-1")),
  /**
   * Where [pools](docs/requests.md#pool-files) are written: a file, a folder, or `s3://bucket/key`; unset, they are
   * made with `fleet pool set`. What cannot be used there is a bad setting. `fleet up` reads it too. Where
   * `AWS_ENDPOINT_URL` is a stand-in without S3, `AWS_ENDPOINT_URL_S3` names another.
   */
  pools: Config.String("FLEET_POOLS").pipe(
    Config.map((from): string | undefined => (from === "" ? undefined : from)),
    Config.withDefault(undefined)
  ),
  /** How often it is looked whether they have changed. */
  poolsRefreshSeconds: numberSetting("FLEET_POOLS_REFRESH_SECONDS", 30),
  /** Messages in hand at a time, per consumer. */
  concurrency: wholeSetting("FLEET_DISPATCHER_CONCURRENCY", 64),
  /** A registration without a sign for this long is taken over by another replica. */
  registrationTakeOverSeconds: wholeSetting("FLEET_REGISTRATION_TAKE_OVER_SECONDS", 30),
  /** Calls of RegisterTaskDefinition for one request before it is handed back, to come again later. */
  registrationTries: wholeSetting("FLEET_REGISTRATION_TRIES", 3),
  /** How long a cached definition is trusted before ECS is asked again whether it is ACTIVE. */
  definitionCheckSeconds: wholeSetting("FLEET_DEFINITION_CHECK_SECONDS", 300),
  /** How long the latest revision of a linked family is believed to be the latest. */
  familyCheckSeconds: wholeSetting("FLEET_FAMILY_CHECK_SECONDS", 10),
  /** How long it is believed whether a cluster has a default capacity provider strategy. */
  clusterCheckSeconds: wholeSetting("FLEET_CLUSTER_CHECK_SECONDS", 300),
  /** Cached definitions per process; as many linked ones, and as many clusters. */
  definitionsMax: wholeSetting("FLEET_DEFINITIONS_MAX", 10_000),
  /** A definition with `autoDeregisterTaskDefinition` that no run has used for this long is deregistered. */
  definitionIdleSeconds: wholeSetting("FLEET_DEFINITION_IDLE_SECONDS", 3600),
  /** Limited or paused pools whose queues one process serves; more are left to others, and said in the log. */
  poolsMax: wholeSetting("FLEET_DISPATCHER_POOLS_MAX", 1000),
  /** How often the pools are looked at, beside each change. */
  poolLookSeconds: wholeSetting("FLEET_POOL_LOOK_SECONDS", 30),
  /** How often the record behind each slot is looked at, beside what facts tell. */
  slotLookSeconds: wholeSetting("FLEET_SLOT_LOOK_SECONDS", 120),
  /** How often idle definitions are looked for. */
  definitionSweepSeconds: wholeSetting("FLEET_DEFINITION_SWEEP_SECONDS", 600),
  /** How often it is looked whether records are to be rebuilt. */
  rebuildLookSeconds: wholeSetting("FLEET_REBUILD_LOOK_SECONDS", 2),
  /** Messages of runs without a record that a rebuild holds at a time. */
  rebuildBytesMax: wholeSetting("FLEET_REBUILD_BYTES_MAX", 64 * 1024 ** 2),
  /** How often records, live runs and messages are compared, by one replica: [recovery](docs/recovery.md). */
  reconcileSeconds: wholeSetting("FLEET_RECONCILE_SECONDS", 60),
  /** Live runs that one sweep looks at; with more, the next goes on with the others. */
  reconcileRunsMax: wholeSetting("FLEET_RECONCILE_RUNS_MAX", 2000)
}

export type DispatcherSettings = {
  readonly [K in keyof typeof dispatcherConfig]: Config.Success<(typeof dispatcherConfig)[K]>
}
