import { type Msg, type MsgHdrs, headers as makeHeaders } from "@nats-io/transport-node"
import type { BusMessage } from "#bus/Message.ts"
import { parseAckSubject } from "./ackSubject.ts"
import { type AckKind, type PullEnd, type WireDelivery, WireError, type WirePublish } from "./Wire.ts"

/** The server stores the fence of a publish with the message; nobody who reads it is meant by it. */
const fencePrefix = "Nats-Expected-"

const recordOf = (headers: MsgHdrs | undefined): Record<string, string> => {
  const record: Record<string, string> = {}
  if (headers === undefined) return record
  for (const name of headers.keys()) if (!name.startsWith(fencePrefix)) record[name] = headers.get(name)
  return record
}

/** The headers of a publish, with its id and its fence. */
export const fencedHeadersOf = ({ expectedLastSequence, headers, messageId }: WirePublish): MsgHdrs => {
  const all = headersOf(headers)
  if (messageId !== undefined) all.set("Nats-Msg-Id", messageId)
  if (expectedLastSequence !== undefined) all.set(`${fencePrefix}Last-Subject-Sequence`, `${expectedLastSequence}`)
  return all
}

export const headersOf = (record: Readonly<Record<string, string>>): MsgHdrs => {
  const headers = makeHeaders()
  for (const [name, value] of Object.entries(record)) headers.set(name, value)
  return headers
}

/** A message that a consumer handed out; undefined for anything else, a status for instance. */
export const deliveryOf = (message: Msg): WireDelivery | undefined => {
  const reply = message.reply
  const ack = reply === undefined || reply === "" ? undefined : parseAckSubject(reply)
  if (reply === undefined || ack === undefined) return undefined
  return {
    stream: ack.stream,
    subject: message.subject,
    seq: ack.seq,
    time: ack.time,
    data: message.data,
    headers: recordOf(message.headers),
    deliveries: ack.deliveries,
    reply,
    deliverySeq: ack.deliverySeq,
    pending: ack.pending
  }
}

/** A message as JetStream's `STREAM.MSG.GET` answers it; headers and data in base64. */
export interface ApiMessage {
  readonly subject: string
  readonly seq: number
  readonly time: string
  readonly hdrs?: string
  readonly data?: string
}

export const storedOf = (stream: string, { data, hdrs, seq, subject, time }: ApiMessage): BusMessage => ({
  stream,
  subject,
  seq,
  time: Date.parse(time),
  data: Buffer.from(data ?? "", "base64"),
  headers: hdrs === undefined ? {} : parsedHeaders(Buffer.from(hdrs, "base64").toString())
})

/** The lines behind the first one, which says `NATS/1.0`; of a name that stands there twice, the first value. */
const parsedHeaders = (block: string): Record<string, string> => {
  const record: Record<string, string> = {}
  for (const line of block.split("\r\n").slice(1)) {
    const colon = line.indexOf(":")
    const name = line.slice(0, Math.max(0, colon))
    if (name !== "" && !name.startsWith(fencePrefix)) record[name] ??= line.slice(colon + 1).trim()
  }
  return record
}

/** What a status message to a pull request's inbox means for the request. */
export const pullStatusOf = (code: number, description: string): PullEnd | "alive" | WireError => {
  if (code === 404 || code === 408) return "expired"
  if (code === 409) return description.toLowerCase() === "batch completed" ? "expired" : "broken"
  if (code === 503) return "broken"
  if (code === 400) return new WireError({ fault: "refused", message: `bad pull request: ${description}` })
  return "alive"
}

const nanosPerMilli = 1_000_000

/** The body of an acknowledgement. A plain `+TERM`: a reason behind it makes nats-server 2.9 ignore it. */
export const ackPayload = (kind: AckKind): string => {
  if (kind === "ack") return "+ACK"
  if (kind === "working") return "+WPI"
  if (kind === "term") return "+TERM"
  const delay = Math.round(kind.nakDelayMillis)
  return delay > 0 ? `-NAK {"delay":${delay * nanosPerMilli}}` : "-NAK"
}
