import { Effect, Option } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import type { BusUnavailable } from "#bus/BusError.ts"
import { Connection } from "#bus/Connection.ts"
import { text } from "#bus/Message.ts"
import { Topology } from "#bus/Topology.ts"
import { fleetTopology, type TopologySettings } from "#ecs-core/FleetTopology.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { FLEET_ID_KEY } from "#process/FleetSetup.ts"
import type { BusFacts } from "./busFindings.ts"

/** Looks at everything of the fleet in NATS, and changes nothing. */
export const askBus = Effect.fnUntraced(function* (url: string, settings: TopologySettings) {
  const { nc, serverVersion } = yield* Connection
  const pieces = yield* (yield* Topology).inspect(fleetTopology(settings))
  const read = yield* Effect.forEach(Object.values(BucketNames), (name) =>
    Effect.map(valueIn(name), (value) => ({ name, ...value }))
  )
  const id = read.find(({ name }) => name === BucketNames.meta)?.value
  const facts: BusFacts = {
    url,
    serverVersion,
    replicas: settings.replicas,
    hasAccounts: nc.info?.auth_required === true,
    pieces,
    unreadable: read.filter(({ isDenied }) => isDenied).map(({ name }) => name),
    fleetId: id
  }
  return facts
})

interface Read {
  readonly value: string | undefined
  readonly isDenied: boolean
}

/** The fleet's id, which is in one of the buckets; in the others it is the reading that tells. */
const valueIn = (bucket: string): Effect.Effect<Read, BusUnavailable, Buckets> =>
  Effect.gen(function* () {
    const entry = yield* (yield* (yield* Buckets).open(bucket)).get(FLEET_ID_KEY)
    return { value: Option.getOrUndefined(Option.map(entry, ({ value }) => text({ data: value }))), isDenied: false }
  }).pipe(
    Effect.catchIf(
      ({ reason }) => reason === "Denied" || reason === "Missing",
      ({ reason }) => Effect.succeed({ value: undefined, isDenied: reason === "Denied" })
    )
  )
