/** A message as it is stored in a stream. */
export interface BusMessage {
  readonly stream: string
  readonly subject: string
  /** Sequence in the stream. */
  readonly seq: number
  /** When the stream stored it, in epoch milliseconds. */
  readonly time: number
  readonly data: Uint8Array
  /** The first value of each header, under the name as it was sent. */
  readonly headers: Readonly<Record<string, string>>
}

/** A message handed out by a durable consumer. */
export interface Delivery extends BusMessage {
  /** How often the message was handed out, this time included: 1 = the first time. */
  readonly deliveries: number
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The message's data as UTF-8 text; bytes that are none become U+FFFD. */
export const text = (m: { readonly data: Uint8Array }): string => decoder.decode(m.data)

/** Data as bytes. */
export const bytes = (data: string | Uint8Array): Uint8Array => (typeof data === "string" ? encoder.encode(data) : data)
