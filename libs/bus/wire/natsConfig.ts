import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  DiscardPolicy,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig
} from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import type { WireBacklog, WireConsumer, WireStream } from "./Wire.ts"

const nanosPerSecond = 1_000_000_000
const nanosOf = (seconds: number) => nanos(Math.round(seconds * 1_000))
const isBucket = (name: string) => name.startsWith("KV_")

/**
 * A stream as nats-server wants it: limits retention (the others forget what was done across a restart), file storage,
 * nothing that 2.9 rejects. A bucket is a stream `KV_<name>` that allows roll-ups, as every client of NATS expects.
 */
export const streamConfigOf = (s: WireStream): Partial<StreamConfig> & { readonly name: string } => ({
  name: s.name,
  subjects: [...s.subjects],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  max_age: nanosOf(s.maxAgeSeconds),
  max_bytes: s.maxBytes,
  discard: s.discard === "new" ? DiscardPolicy.New : DiscardPolicy.Old,
  max_msg_size: s.maxMessageBytes,
  max_msgs_per_subject: s.maxMessagesPerSubject,
  duplicate_window: nanosOf(s.duplicateWindowSeconds),
  num_replicas: s.replicas,
  ...(isBucket(s.name) ? { allow_rollup_hdrs: true, deny_delete: false, allow_direct: true } : {})
})

export const streamOf = (c: StreamConfig): WireStream => ({
  name: c.name,
  subjects: [...c.subjects],
  maxAgeSeconds: c.max_age / nanosPerSecond,
  maxBytes: c.max_bytes,
  discard: c.discard === DiscardPolicy.New ? "new" : "old",
  maxMessageBytes: c.max_msg_size ?? -1,
  maxMessagesPerSubject: c.max_msgs_per_subject,
  duplicateWindowSeconds: c.duplicate_window / nanosPerSecond,
  replicas: c.num_replicas
})

/** A durable as nats-server wants it: no limit of deliveries, no back-off, no inactivity; one filter or none. */
export const consumerConfigOf = (c: WireConsumer): Partial<ConsumerConfig> => ({
  ...(c.durable ? { durable_name: c.name } : { name: c.name, mem_storage: true, num_replicas: 1 }),
  ...(c.filterSubject === undefined ? {} : { filter_subject: c.filterSubject }),
  ...startOf(c),
  ack_policy: c.ack === "explicit" ? AckPolicy.Explicit : AckPolicy.None,
  replay_policy: ReplayPolicy.Instant,
  max_deliver: c.durable ? -1 : 1,
  ...(c.ackWaitSeconds === undefined ? {} : { ack_wait: nanosOf(c.ackWaitSeconds) }),
  ...(c.maxAckPending === undefined ? {} : { max_ack_pending: c.maxAckPending }),
  ...(c.headersOnly === undefined ? {} : { headers_only: c.headersOnly }),
  ...(c.inactiveSeconds === undefined ? {} : { inactive_threshold: nanosOf(c.inactiveSeconds) })
})

const startOf = ({ fromSeq, fromTimeMillis }: WireConsumer): Partial<ConsumerConfig> => {
  if (fromSeq !== undefined) return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: fromSeq }
  if (fromTimeMillis === undefined) return { deliver_policy: DeliverPolicy.All }
  return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(fromTimeMillis).toISOString() }
}

/** How a filter is taken away: an update keeps what it does not name. */
const everything = ">"

export const consumerUpdateOf = (c: WireConsumer): Partial<ConsumerConfig> => ({
  ...consumerConfigOf(c),
  filter_subject: c.filterSubject ?? everything
})

export const consumerOf = ({ config: c, name }: ConsumerInfo): WireConsumer => ({
  name,
  durable: c.durable_name !== undefined,
  ...(c.filter_subject === undefined || c.filter_subject === everything ? {} : { filterSubject: c.filter_subject }),
  ...(c.opt_start_seq === undefined ? {} : { fromSeq: c.opt_start_seq }),
  ...(c.opt_start_time === undefined ? {} : { fromTimeMillis: Date.parse(c.opt_start_time) }),
  ack: c.ack_policy === AckPolicy.Explicit ? "explicit" : "none",
  ...(c.ack_wait === undefined ? {} : { ackWaitSeconds: c.ack_wait / nanosPerSecond }),
  ...(c.max_ack_pending === undefined ? {} : { maxAckPending: c.max_ack_pending }),
  ...(c.headers_only === undefined ? {} : { headersOnly: c.headers_only }),
  ...(c.inactive_threshold === undefined ? {} : { inactiveSeconds: c.inactive_threshold / nanosPerSecond })
})

export const backlogOf = ({ ack_floor, delivered, num_ack_pending, num_pending }: ConsumerInfo): WireBacklog => ({
  waiting: num_pending,
  unacked: num_ack_pending,
  handedOutSeq: delivered.stream_seq,
  ackedSeq: ack_floor.stream_seq
})
