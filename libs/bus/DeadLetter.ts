import type { BusMessage } from "./Message.ts"
import { type Outgoing, publishIdHeader } from "./publishing.ts"

/** Headers of a dead letter: why it is one, and where the original came from. */
export const DeadHeaders = {
  reason: "Fleet-Dead-Reason",
  subject: "Fleet-Dead-Subject",
  stream: "Fleet-Dead-Stream",
  sequence: "Fleet-Dead-Sequence",
  deliveries: "Fleet-Dead-Deliveries",
  /** There only if the original was too large to be copied: its data is in its stream alone. */
  data: "Fleet-Dead-Data"
} as const

const ofLetter: ReadonlySet<string> = new Set(Object.values(DeadHeaders))

/** A copy of a message that could not be handled. */
export interface DeadLetter {
  /** Of the copy, in the stream of dead letters. */
  readonly seq: number
  /** When it was copied, epoch milliseconds. */
  readonly time: number
  readonly reason: string
  readonly subject: string
  readonly stream: string
  readonly sequence: number
  readonly deliveries: number
  readonly data: Uint8Array
  /** The data is not in the copy. */
  readonly isBare: boolean
  /** Those of the original. */
  readonly headers: Readonly<Record<string, string>>
}

/** The letter in a message of the stream of dead letters; undefined = it is none. */
export const deadLetterIn = ({ data, headers, seq, time }: BusMessage): DeadLetter | undefined => {
  const { [DeadHeaders.subject]: subject, [DeadHeaders.stream]: stream, [DeadHeaders.sequence]: sequence } = headers
  if (subject === undefined || stream === undefined || sequence === undefined) return undefined
  return {
    seq,
    time,
    reason: headers[DeadHeaders.reason] ?? "",
    subject,
    stream,
    sequence: Number(sequence),
    deliveries: Number(headers[DeadHeaders.deliveries] ?? 1),
    data,
    isBare: headers[DeadHeaders.data] !== undefined,
    headers: originalHeaders(headers)
  }
}

/**
 * Headers that travel on with a message. The server's own stay behind: a fence of the original must not be checked again
 * for a copy.
 */
export const originalHeaders = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^nats-/i.test(name) && name !== publishIdHeader && !ofLetter.has(name))
  )

/** The original, to be published once more. */
export const originalOf = ({ data, headers, stream, subject }: DeadLetter): Outgoing => ({
  stream,
  subject,
  data,
  headers
})
