import { Effect, Metric, Option } from "effect"
import { paceCallsLeft, pacePerSecond, paceShare } from "#aws/metrics.ts"
import { Pace, type Room } from "#aws/Pace.ts"
import { Topology } from "#bus/Topology.ts"
import type { TopologySettings } from "#ecs-core/FleetTopology.ts"
import type { ServiceName } from "#ecs-core/Subjects.ts"
import { topologyFor } from "#process/FleetSetup.ts"
import { consumerUnacknowledged, consumerWaiting } from "#process/metrics.ts"
import { readWhereTold } from "#process/Readings.ts"

/** Of every service: the backlog of its consumers, and what is left of AWS's quotas. */
export const readFleetMetrics = (settings: TopologySettings, service: ServiceName) =>
  Effect.gen(function* () {
    const [topology, pace] = [yield* Topology, yield* Pace]
    const { consumers } = topologyFor(settings, service)
    yield* readWhereTold(
      Effect.forEach(consumers, ({ name, stream }) => readBacklog(topology, stream, name), { discard: true })
    )
    yield* readWhereTold(Effect.flatMap(pace.rooms, (rooms) => Effect.forEach(rooms, tellRoom, { discard: true })))
  })

/** While the connection is away the last answer stands; `/ready` says that it is. */
const readBacklog = (topology: typeof Topology.Service, stream: string, consumer: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const found = yield* topology.backlog(stream, consumer)
    if (Option.isNone(found)) return
    const { unacked, waiting } = found.value
    yield* Metric.update(Metric.withAttributes(consumerWaiting, { consumer }), waiting)
    yield* Metric.update(Metric.withAttributes(consumerUnacknowledged, { consumer }), unacked)
  }).pipe(Effect.ignore)

const tellRoom = ({ callsLeft, credentials, limit, perSecond, quota, region }: Room): Effect.Effect<void> => {
  const of = { quota, region, credentials }
  return Effect.all(
    [
      Metric.update(Metric.withAttributes(paceCallsLeft, of), Math.floor(callsLeft)),
      Metric.update(Metric.withAttributes(pacePerSecond, of), perSecond),
      Metric.update(Metric.withAttributes(paceShare, of), perSecond / limit.perSecond)
    ],
    { discard: true }
  )
}
