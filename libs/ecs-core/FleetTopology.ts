import { BucketNames, Durables, Filters, poolDurable, Streams } from "./Subjects.ts"

/** Raised with every change below; an older service accepts a newer topology, a newer one updates an older. */
export const TOPOLOGY_REVISION = 2

/** Largest message: a request with its environment, or a batch of logs. */
export const MESSAGE_BYTES_MAX = 256 * 1024

/** Least size of all logs: a message that does not fit would be accepted, and gone. */
export const LOGS_BYTES_MIN = 4 * MESSAGE_BYTES_MAX

/** Leases and orders in flight at once, all replicas together. */
export const ACK_PENDING_MAX = 200_000

export interface TopologySettings {
  readonly replicas: 1 | 3
  /** Age of requests, orders and facts. */
  readonly streamAgeSeconds: number
  readonly inboxBytesMax: number
  /** Age of lines and of how far runs were read; older ones are dropped. */
  readonly logsAgeSeconds: number
  /** Size of all lines; at the limit a new batch is accepted and pushes out the oldest, of whichever run. */
  readonly logsBytesMax: number
  /** Redelivery of orders and facts whose handler gave no sign of life. */
  readonly ackWaitSeconds: number
  /** Redelivery of leases: how long a task stays unwatched when its owner dies. */
  readonly leaseSeconds: number
}

export const topologyDefaults: TopologySettings = {
  replicas: 1,
  streamAgeSeconds: 7 * 86_400,
  inboxBytesMax: 1024 ** 3,
  logsAgeSeconds: 7 * 86_400,
  logsBytesMax: 10 * 1024 ** 3,
  ackWaitSeconds: 30,
  leaseSeconds: 60
}

/** Records outlive the streams; dead letters and records live this long. */
const RECORD_AGE_SECONDS = 30 * 86_400

/** A held message must not outlive its stream. */
export const runTimeoutSecondsMax = (streamAgeSeconds: number): number => Math.max(1, streamAgeSeconds - 86_400)

/** Streams, buckets and durable consumers of a fleet, in the shape that `libs/bus` creates them from. */
export const fleetTopology = (settings: TopologySettings) => ({
  revision: TOPOLOGY_REVISION,
  replicas: settings.replicas,
  metaBucket: BucketNames.meta,
  streams: [
    stream(Streams.inbox, Filters.requests, settings.streamAgeSeconds, settings.inboxBytesMax, "new"),
    stream(Streams.fleet, Filters.fleet, settings.streamAgeSeconds, -1, "old"),
    // Behind FLEET, which held its subject once. A stream of its own: nobody but the dispatcher may reach its consumers.
    stream(Streams.queues, Filters.queues, settings.streamAgeSeconds, -1, "old"),
    stream(Streams.logs, Filters.logs, settings.logsAgeSeconds, settings.logsBytesMax, "old"),
    stream(Streams.dead, Filters.dead, RECORD_AGE_SECONDS, -1, "old")
  ],
  buckets: [
    { name: BucketNames.taskDefinitions },
    { name: BucketNames.runs, maxAgeSeconds: RECORD_AGE_SECONDS },
    { name: BucketNames.live },
    { name: BucketNames.pools },
    { name: BucketNames.meta }
  ],
  consumers: consumers(settings)
})

const stream = (
  name: string,
  subjects: ReadonlyArray<string>,
  maxAgeSeconds: number,
  maxBytes: number,
  discard: "old" | "new"
) => ({ name, subjects, maxAgeSeconds, maxBytes, discard, maxMessageBytes: MESSAGE_BYTES_MAX })

const consumers = ({ ackWaitSeconds, leaseSeconds }: TopologySettings) => {
  const durable = (streamName: string, name: string, waitSeconds: number, filterSubject?: string) => ({
    stream: streamName,
    name,
    ...(filterSubject === undefined ? {} : { filterSubject }),
    ackWaitSeconds: waitSeconds,
    maxAckPending: ACK_PENDING_MAX
  })
  return [
    durable(Streams.inbox, Durables.requests, ackWaitSeconds),
    durable(Streams.fleet, Durables.cancels, ackWaitSeconds, Filters.cancels),
    durable(Streams.fleet, Durables.facts, ackWaitSeconds, Filters.taskFacts),
    durable(Streams.fleet, Durables.launcher, ackWaitSeconds, Filters.taskdefReady),
    durable(Streams.fleet, Durables.watcher, leaseSeconds, Filters.taskStarted),
    durable(Streams.fleet, Durables.watcherStops, ackWaitSeconds, Filters.taskStop),
    durable(Streams.fleet, Durables.logStreamer, leaseSeconds, Filters.taskStarted),
    durable(Streams.fleet, Durables.logStreamerEnds, ackWaitSeconds, Filters.runFinished)
  ]
}

/**
 * The queue of a limited pool, made when the pool becomes one. Who holds one of its messages has a turn: `handedOutMax`
 * of them at a time, over all dispatchers.
 */
export const poolQueue = (pool: string, handedOutMax: number, leaseSeconds: number) => ({
  stream: Streams.queues,
  name: poolDurable(pool),
  filterSubject: Filters.queueOf(pool),
  ackWaitSeconds: leaseSeconds,
  maxAckPending: handedOutMax
})
