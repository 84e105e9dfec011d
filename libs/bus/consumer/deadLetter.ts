import { Effect } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import type { BusMessage, Delivery } from "#bus/Message.ts"
import { type Outgoing, type Publishing, publishIdHeader, publishPlain } from "#bus/publishing.ts"

export interface DeadLetterOptions {
  readonly durable: string
  readonly deadSubject: (m: BusMessage) => string
  readonly deadStream: string
}

const maxReasonChars = 1_000

/** Reasons travel in a header: one line, bounded. */
export const reasonLine = (reason: string): string => reason.replace(/\s+/g, " ").trim().slice(0, maxReasonChars)

/**
 * The copy of a dead message. The server's own headers stay behind: a fence of the original must not be checked again
 * for the copy.
 */
export const deadCopy = (options: DeadLetterOptions, d: Delivery, reason: string): Outgoing => ({
  stream: options.deadStream,
  subject: options.deadSubject(d),
  data: d.data,
  headers: {
    ...Object.fromEntries(
      Object.entries(d.headers).filter(([name]) => !/^nats-/i.test(name) && name !== publishIdHeader)
    ),
    "Fleet-Dead-Reason": reasonLine(reason),
    "Fleet-Dead-Subject": d.subject,
    "Fleet-Dead-Stream": d.stream,
    "Fleet-Dead-Sequence": String(d.seq),
    "Fleet-Dead-Deliveries": String(d.deliveries)
  }
})

/**
 * Publishes the copy, once per message and consumer within the stream's duplicate window. A message so large that the
 * added headers do not fit is copied without its data, which is still in its stream under `Fleet-Dead-Sequence`.
 */
export const publishDead = (
  deps: Publishing,
  options: DeadLetterOptions,
  d: Delivery,
  reason: string
): Effect.Effect<void, PublishError> => {
  const copy = deadCopy(options, d, reason)
  const id = `dead:${d.stream}:${d.seq}:${options.durable}`
  const bare: Outgoing = { ...copy, data: "", headers: { ...copy.headers, "Fleet-Dead-Data": "left out, too large" } }
  return publishPlain(deps, copy, id).pipe(
    Effect.catchTag("PayloadTooLarge", () => publishPlain(deps, bare, id)),
    Effect.asVoid
  )
}
