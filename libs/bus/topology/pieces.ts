import { bucketStream, bucketSubject } from "#bus/buckets.ts"
import type { WireConsumer, WireStream } from "#bus/wire/Wire.ts"
import type { BucketSpec, ConsumerSpec, StreamSpec, TopologySpec } from "./TopologySpec.ts"

/** One thing that has to exist on the server. */
export type Piece =
  | { readonly _tag: "Stream"; readonly what: string; readonly config: WireStream }
  | { readonly _tag: "Consumer"; readonly what: string; readonly stream: string; readonly config: WireConsumer }

const defaultDuplicateWindowSeconds = 120

/** Everything a topology consists of, in the order in which it can be created. */
export const piecesOf = (spec: TopologySpec): ReadonlyArray<Piece> => {
  const listed = spec.buckets.some(({ name }) => name === spec.metaBucket)
  const buckets = listed ? spec.buckets : [{ name: spec.metaBucket }, ...spec.buckets]
  return [
    ...buckets.map((bucket) => bucketPiece(bucket, spec.replicas)),
    ...spec.streams.map((stream) => streamPiece(stream, spec.replicas)),
    ...spec.consumers.map(consumerPiece)
  ]
}

const streamPiece = ({ duplicateWindowSeconds, ...stream }: StreamSpec, replicas: number): Piece => ({
  _tag: "Stream",
  what: `stream ${stream.name}`,
  config: {
    ...stream,
    maxMessagesPerSubject: -1,
    duplicateWindowSeconds: duplicateWindowSeconds ?? windowWithin(stream.maxAgeSeconds),
    replicas
  }
})

const bucketPiece = ({ name, maxAgeSeconds = 0 }: BucketSpec, replicas: number): Piece => ({
  _tag: "Stream",
  what: `bucket ${name}`,
  config: {
    name: bucketStream(name),
    subjects: [bucketSubject(name, ">")],
    maxAgeSeconds,
    maxBytes: -1,
    discard: "new",
    maxMessageBytes: -1,
    maxMessagesPerSubject: 1,
    duplicateWindowSeconds: windowWithin(maxAgeSeconds),
    replicas
  }
})

/** The server refuses a duplicate window longer than the age. */
const windowWithin = (maxAgeSeconds: number): number =>
  maxAgeSeconds > 0 ? Math.min(defaultDuplicateWindowSeconds, maxAgeSeconds) : defaultDuplicateWindowSeconds

const consumerPiece = (spec: ConsumerSpec): Piece => ({
  _tag: "Consumer",
  what: `consumer ${spec.stream}/${spec.name}`,
  stream: spec.stream,
  config: consumerConfig(spec)
})

export const consumerConfig = ({ name, filterSubject, ackWaitSeconds, maxAckPending }: ConsumerSpec): WireConsumer => ({
  name,
  durable: true,
  ack: "explicit",
  ackWaitSeconds,
  maxAckPending,
  ...(filterSubject === undefined ? {} : { filterSubject })
})

/** Compares what the specification names, and nothing else: the server fills in and later versions add. */
export const streamDiffers = (wanted: WireStream, actual: WireStream): boolean =>
  wanted.subjects.toSorted().join() !== actual.subjects.toSorted().join() ||
  wanted.maxAgeSeconds !== actual.maxAgeSeconds ||
  wanted.maxBytes !== actual.maxBytes ||
  wanted.discard !== actual.discard ||
  wanted.maxMessageBytes !== actual.maxMessageBytes ||
  wanted.maxMessagesPerSubject !== actual.maxMessagesPerSubject ||
  wanted.duplicateWindowSeconds !== actual.duplicateWindowSeconds ||
  wanted.replicas !== actual.replicas

export const consumerDiffers = (wanted: WireConsumer, actual: WireConsumer): boolean =>
  (wanted.filterSubject ?? "") !== (actual.filterSubject ?? "") ||
  wanted.ackWaitSeconds !== actual.ackWaitSeconds ||
  wanted.maxAckPending !== actual.maxAckPending

const oldestServer = "2.9.10"
const oldestReplicatedServer = "2.9.21"

/** Why the server cannot serve the topology; undefined if it can. */
export const unsupportedReason = (serverVersion: string, replicas: number): string | undefined => {
  if (isOlder(serverVersion, oldestServer))
    return `nats-server ${serverVersion} is too old: use ${oldestServer} or newer`
  if (replicas > 1 && isOlder(serverVersion, oldestReplicatedServer))
    return (
      `nats-server ${serverVersion} loses compare-and-set updates of replicated streams ` +
      `(nats-server pull request 4319): use ${oldestReplicatedServer} or newer, or replicas 1`
    )
  return undefined
}

/** Compares `major.minor.patch`; what follows (`-beta.1`) counts for nothing. */
export const isOlder = (version: string, than: string): boolean => {
  const [a, b] = [numbersOf(version), numbersOf(than)]
  const at = a.findIndex((n, i) => n !== b[i])
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0)
}

const numbersOf = (version: string): ReadonlyArray<number> =>
  [...version.matchAll(/\d+/g)].slice(0, 3).map(([digits]) => Number(digits))
