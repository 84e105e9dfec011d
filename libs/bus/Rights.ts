import { bucketStream, bucketSubject } from "#bus/buckets.ts"
import type { TopologySpec } from "#bus/Topology.ts"

/*
 * What a client of the bus may do, in the bus's own terms, and the subjects that nats-server allows or denies for it.
 * A server knows nothing of streams when it checks a permission: a request to JetStream is a publish like any other, and
 * what it is about stands in its subject or, where it does not, cannot be limited. So a consumer may be limited to
 * a filter (the subject of its creation carries it, and the server compares it with the body), but reading one stored
 * message may only be limited to a stream. A wildcard stands for a whole token: since replays have names that nobody can
 * foresee, whoever replays may pull from any consumer of that stream, but for those that are denied by name. The older
 * requests `CONSUMER.CREATE.<stream>` and `CONSUMER.DURABLE.CREATE` carry no filter and are never allowed.
 */

export interface OfStream {
  readonly stream: string
  /** Wildcards allowed; `>` = every message of the stream. */
  readonly subject: string
}

/** What a client does, in terms of `libs/bus`. What is absent is not done. */
export interface Rights {
  /** Subjects it publishes to; wildcards allowed. */
  readonly publish?: ReadonlyArray<string>
  /** Durables it takes messages from and acknowledges. */
  readonly consume?: ReadonlyArray<string>
  /** What it replays or follows. */
  readonly replay?: ReadonlyArray<OfStream>
  /** Durables that it makes, changes, consumes and deletes while it runs, of any name, in a stream that has no others. */
  readonly queues?: ReadonlyArray<OfStream>
  /** Streams of which it reads single messages; `createOnce` and `append` do that as well. */
  readonly read?: ReadonlyArray<string>
  /** Streams of which it deletes single messages. */
  readonly remove?: ReadonlyArray<string>
  /** Streams of which it sees configuration and state: with them the subjects of all messages, if it asks for those. */
  readonly inspect?: ReadonlyArray<string>
  readonly readBuckets?: ReadonlyArray<string>
  /** Includes reading. */
  readonly writeBuckets?: ReadonlyArray<string>
  /** Single keys that it writes, of buckets that it reads. */
  readonly writeKeys?: ReadonlyArray<{ readonly bucket: string; readonly key: string }>
  /** Looks whether streams and buckets, and the durables it consumes, are there; `all`: other durables too. */
  readonly look?: "own" | "all"
  /** Creates and updates streams, buckets and durables. */
  readonly create?: boolean
}

export interface Permissions {
  readonly publish: { readonly allow: ReadonlyArray<string>; readonly deny: ReadonlyArray<string> }
  readonly subscribe: { readonly allow: ReadonlyArray<string> }
}

export interface Client {
  readonly inboxPrefix: string
  /** Prefix of requests to JetStream: `$JS.API`, or that of a domain. */
  readonly apiPrefix: string
}

/** Where a client asks JetStream. */
export const apiPrefixOf = (domain: string | undefined): string =>
  domain === undefined ? "$JS.API" : `$JS.${domain}.API`

/** The permissions of a user with these rights; it answers at its inbox and listens to nothing else. */
export const permissionsOf = (rights: Rights, spec: TopologySpec, client: Client): Permissions => ({
  publish: {
    allow: distinct([
      ...(rights.publish ?? []),
      ...(rights.writeKeys ?? []).map(subjectOf),
      ...requestsOf(rights, spec).map(inApi(client))
    ]),
    deny: distinct(otherDurables(rights, spec).map(inApi(client)))
  },
  subscribe: { allow: [`${client.inboxPrefix}.>`] }
})

const subjectOf = ({ bucket, key }: { readonly bucket: string; readonly key: string }) => bucketSubject(bucket, key)

/** Acknowledgements are no requests: their subjects are the same in every domain. */
const inApi =
  ({ apiPrefix }: Client) =>
  (subject: string): string =>
    subject.startsWith("$") ? subject : `${apiPrefix}.${subject}`

const distinct = (subjects: ReadonlyArray<string>): ReadonlyArray<string> => [...new Set(subjects)]

const streamOfDurable = (spec: TopologySpec, durable: string): string =>
  spec.consumers.find(({ name }) => name === durable)?.stream ?? ""

const requestsOf = (rights: Rights, spec: TopologySpec): ReadonlyArray<string> => [
  ...looks(rights, spec),
  ...(rights.consume ?? []).flatMap((durable) => consumes(streamOfDurable(spec, durable), durable)),
  ...(rights.replay ?? []).flatMap(replays),
  ...(rights.queues ?? []).flatMap(keepsQueues),
  ...(rights.read ?? []).map(reads),
  ...(rights.remove ?? []).map(removes),
  ...(rights.inspect ?? []).map(inspects),
  ...(rights.readBuckets ?? []).flatMap(readsBucket),
  ...(rights.writeBuckets ?? []).flatMap(writesBucket),
  ...(rights.create === true ? creates(spec) : [])
]

const reads = (stream: string): string => `STREAM.MSG.GET.${stream}`
const inspects = (stream: string): string => `STREAM.INFO.${stream}`
const removes = (stream: string): string => `STREAM.MSG.DELETE.${stream}`

const streamsOf = (spec: TopologySpec): ReadonlyArray<string> => [
  ...spec.streams.map(({ name }) => name),
  ...distinct([spec.metaBucket, ...spec.buckets.map(({ name }) => name)]).map(bucketStream)
]

const looks = ({ look, consume = [] }: Rights, spec: TopologySpec): ReadonlyArray<string> => {
  if (look === undefined) return []
  const durables = spec.consumers.filter(({ name }) => look === "all" || consume.includes(name))
  return [...streamsOf(spec).map(inspects), ...durables.map(({ stream, name }) => `CONSUMER.INFO.${stream}.${name}`)]
}

const consumes = (stream: string, durable: string): ReadonlyArray<string> => [
  `CONSUMER.INFO.${stream}.${durable}`,
  `CONSUMER.MSG.NEXT.${stream}.${durable}`,
  `$JS.ACK.${stream}.${durable}.>`
]

/** A consumer of everything has no filter, and its creation no more tokens. */
const creations = ({ stream, subject }: OfStream): ReadonlyArray<string> => [
  ...(subject === ">" ? [`CONSUMER.CREATE.${stream}.*`] : []),
  `CONSUMER.CREATE.${stream}.*.${subject}`
]

const replays = (what: OfStream): ReadonlyArray<string> => [
  ...creations(what),
  `CONSUMER.MSG.NEXT.${what.stream}.*`,
  `CONSUMER.DELETE.${what.stream}.*`
]

const keepsQueues = (what: OfStream): ReadonlyArray<string> => [
  ...replays(what),
  `CONSUMER.LIST.${what.stream}`,
  `CONSUMER.INFO.${what.stream}.*`,
  `$JS.ACK.${what.stream}.*.>`
]

const readsBucket = (bucket: string): ReadonlyArray<string> => {
  const stream = bucketStream(bucket)
  return [inspects(stream), reads(stream), ...replays({ stream, subject: bucketSubject(bucket, ">") })]
}

/** Deleting a key also removes the mark that says so. */
const writesBucket = (bucket: string): ReadonlyArray<string> => [
  ...readsBucket(bucket),
  bucketSubject(bucket, ">"),
  removes(bucketStream(bucket))
]

const creates = (spec: TopologySpec): ReadonlyArray<string> => [
  ...streamsOf(spec).flatMap((stream) => [`STREAM.CREATE.${stream}`, `STREAM.UPDATE.${stream}`]),
  ...spec.consumers.flatMap(({ stream, name }) => [
    `CONSUMER.CREATE.${stream}.${name}`,
    `CONSUMER.CREATE.${stream}.${name}.>`
  ])
]

/**
 * Durables that a wildcard would take in. Nobody but their creator may change or delete one, not even whoever consumes
 * it; nobody but whoever consumes it may pull from it. Acknowledging is allowed by name only.
 */
const otherDurables = (rights: Rights, spec: TopologySpec): ReadonlyArray<string> => {
  const { consume = [], replay = [] } = rights
  const wild = new Set(replay.map(({ stream }) => stream))
  return spec.consumers
    .filter(({ stream }) => wild.has(stream))
    .flatMap(({ stream, name }) => [
      `CONSUMER.CREATE.${stream}.${name}`,
      `CONSUMER.CREATE.${stream}.${name}.>`,
      `CONSUMER.DELETE.${stream}.${name}`,
      ...(consume.includes(name) ? [] : [`CONSUMER.MSG.NEXT.${stream}.${name}`])
    ])
}
