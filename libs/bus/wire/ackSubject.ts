/** What the reply subject of a delivery says. */
export interface AckSubject {
  readonly stream: string
  readonly consumer: string
  readonly deliveries: number
  readonly seq: number
  readonly deliverySeq: number
  /** Epoch milliseconds. */
  readonly time: number
  readonly pending: number
}

/**
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<seq>.<delivery seq>.<nanos>.<pending>`, or with `<domain>.<account hash>`
 * before the stream and any number of tokens at the end. Undefined for any other subject.
 */
export const parseAckSubject = (reply: string): AckSubject | undefined => {
  const tokens = reply.split(".")
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9 || tokens.length === 10) return undefined
  const [stream, consumer, deliveries, seq, deliverySeq, nanos, pending] = tokens.slice(tokens.length === 9 ? 2 : 4)
  if (stream === undefined || consumer === undefined || nanos === undefined) return undefined
  const parsed: AckSubject = {
    stream,
    consumer,
    deliveries: Number(deliveries),
    seq: Number(seq),
    deliverySeq: Number(deliverySeq),
    time: millisOf(nanos),
    pending: Number(pending)
  }
  return Object.values(parsed).some(Number.isNaN) ? undefined : parsed
}

/** Cut as text: nanoseconds since 1970 do not fit into a double. */
const millisOf = (nanos: string): number => (/^\d+$/.test(nanos) ? Number(nanos.slice(0, -6)) : Number.NaN)

export const formatAckSubject = (a: AckSubject): string =>
  `$JS.ACK.${a.stream}.${a.consumer}.${a.deliveries}.${a.seq}.${a.deliverySeq}.${a.time}000000.${a.pending}`
