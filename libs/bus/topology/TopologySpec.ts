/** The streams, buckets and consumers of an application, and the revision of that list. */
export interface TopologySpec {
  /** Rises with each change of the list: an older process leaves alone what a newer one has arranged. */
  readonly revision: number
  readonly streams: ReadonlyArray<StreamSpec>
  readonly buckets: ReadonlyArray<BucketSpec>
  readonly consumers: ReadonlyArray<ConsumerSpec>
  /** Of every stream and bucket. 3 needs a cluster of nats-server 2.9.21 or newer. */
  readonly replicas: 1 | 3
  /** The bucket that keeps the revision, under the key `topology`. It need not be listed in `buckets`. */
  readonly metaBucket: string
}

/** Limits retention, file storage. */
export interface StreamSpec {
  readonly name: string
  readonly subjects: ReadonlyArray<string>
  /** 0 = kept for ever. */
  readonly maxAgeSeconds: number
  /** -1 = no limit. */
  readonly maxBytes: number
  /** At the byte limit: `old` drops the oldest messages, `new` refuses new ones. */
  readonly discard: "old" | "new"
  /** -1 = the server's limit. */
  readonly maxMessageBytes: number
  /** How long message ids are remembered. Default 120, or the age if that is shorter. */
  readonly duplicateWindowSeconds?: number
}

/** History 1, file storage. */
export interface BucketSpec {
  readonly name: string
  /** Default 0: kept for ever. */
  readonly maxAgeSeconds?: number
}

/** Durable, pull, explicit ack, from the first message on, any number of deliveries. */
export interface ConsumerSpec {
  readonly stream: string
  readonly name: string
  /** Default: every message of the stream. */
  readonly filterSubject?: string
  readonly ackWaitSeconds: number
  readonly maxAckPending: number
}
