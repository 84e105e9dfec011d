import { Config, Effect, Option, Random } from "effect"
import { type Bucket, Buckets } from "#bus/Bucket.ts"
import type { PublishError, TopologyMissing, TopologyUnsupported } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { Topology, type TopologyChange } from "#bus/Topology.ts"
import { fleetTopology, LOGS_BYTES_MIN, type TopologySettings, topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { FleetId } from "#ecs-core/Ids.ts"
import { BucketNames, DurablesOf, type ServiceName } from "#ecs-core/Subjects.ts"
import { numberSetting, wholeSetting } from "#process/NumberSetting.ts"

/** Key of the fleet's id in the bucket `fleet-meta`. */
export const FLEET_ID_KEY = "fleet-id"

export interface FleetSetup extends TopologyChange {
  readonly fleetId: FleetId
}

/**
 * Creates what is missing of streams, buckets, consumers and the fleet's id, and brings those that are there to these
 * settings; messages over a new limit go at once. Any number of services may call it at once: the first to create the
 * id decides it for all. A service looks after its own consumers only: it may know no others.
 */
export const setUpFleet = (
  settings: TopologySettings,
  service?: ServiceName
): Effect.Effect<FleetSetup, PublishError | TopologyMissing | TopologyUnsupported, Topology | Buckets> =>
  Effect.gen(function* () {
    const change = yield* (yield* Topology).ensure(topologyFor(settings, service))
    const meta = yield* (yield* Buckets).open(BucketNames.meta)
    return { ...change, fleetId: yield* fleetIdOf(meta) }
  })

/** What a service looks after, or all of it. */
export const topologyFor = (settings: TopologySettings, service?: ServiceName) => {
  const all = fleetTopology(settings)
  if (service === undefined) return all
  return { ...all, consumers: all.consumers.filter(({ name }) => DurablesOf[service].includes(name)) }
}

const fleetIdOf = (meta: Bucket): Effect.Effect<FleetId, PublishError> =>
  Effect.gen(function* () {
    const known = yield* meta.get(FLEET_ID_KEY)
    if (Option.isSome(known)) return FleetId.make(text({ data: known.value.value }))
    const number = yield* Random.nextIntBetween(0, 2 ** 32)
    const fresh = FleetId.make(number.toString(16).padStart(8, "0"))
    return yield* meta.create(FLEET_ID_KEY, fresh).pipe(
      Effect.as(fresh),
      Effect.catchTag("KeyExists", () => fleetIdOf(meta))
    )
  })

/** Settings of streams and consumers, the same for every service of a fleet. */
export const topologyConfig = {
  /** Copies of every stream: 1, or 3 on a NATS cluster. */
  replicas: Config.Literals(["1", "3"], "FLEET_REPLICAS").pipe(
    Config.map((copies) => (copies === "3" ? 3 : 1) as 1 | 3),
    Config.withDefault(topologyDefaults.replicas)
  ),
  /** Age of requests, orders and facts. A run and its launch may last this long less one day. */
  streamAgeSeconds: wholeSetting("FLEET_STREAM_AGE_SECONDS", topologyDefaults.streamAgeSeconds),
  /** Size of the inbox; when it is full, publishing a request is refused. */
  inboxBytesMax: wholeSetting("FLEET_INBOX_BYTES_MAX", topologyDefaults.inboxBytesMax),
  /** Age of the lines; older ones are dropped. */
  logsAgeSeconds: wholeSetting("FLEET_LOGS_AGE_SECONDS", topologyDefaults.logsAgeSeconds),
  /**
   * Size of the lines of all runs, 1048576 at least; when it is reached, new lines push out the oldest (`discard:
   * old`).
   */
  logsBytesMax: wholeSetting("FLEET_LOGS_BYTES_MAX", topologyDefaults.logsBytesMax, LOGS_BYTES_MIN),
  /** How long a message stays with a service that gives no sign of life. */
  ackWaitSeconds: numberSetting("FLEET_ACK_WAIT_SECONDS", topologyDefaults.ackWaitSeconds),
  /** How long a task stays unwatched when the service that owned it dies. */
  leaseSeconds: numberSetting("FLEET_LEASE_SECONDS", topologyDefaults.leaseSeconds)
}
