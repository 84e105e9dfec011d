import { Effect } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import { DeadHeaders, originalHeaders } from "#bus/DeadLetter.ts"
import type { BusMessage, Delivery } from "#bus/Message.ts"
import { type Outgoing, type Publishing, publishPlain } from "#bus/publishing.ts"

export interface DeadLetterOptions {
  readonly durable: string
  readonly deadSubject: (m: BusMessage) => string
  readonly deadStream: string
}

const maxReasonChars = 1_000

/** Reasons travel in a header: one line, bounded. */
export const reasonLine = (reason: string): string => reason.replace(/\s+/g, " ").trim().slice(0, maxReasonChars)

/** The copy of a dead message. */
export const deadCopy = (options: DeadLetterOptions, d: Delivery, reason: string): Outgoing => ({
  stream: options.deadStream,
  subject: options.deadSubject(d),
  data: d.data,
  headers: {
    ...originalHeaders(d.headers),
    [DeadHeaders.reason]: reasonLine(reason),
    [DeadHeaders.subject]: d.subject,
    [DeadHeaders.stream]: d.stream,
    [DeadHeaders.sequence]: String(d.seq),
    [DeadHeaders.deliveries]: String(d.deliveries)
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
  const bare: Outgoing = { ...copy, data: "", headers: { ...copy.headers, [DeadHeaders.data]: "left out, too large" } }
  return publishPlain(deps, copy, id).pipe(
    Effect.catchTag("PayloadTooLarge", () => publishPlain(deps, bare, id)),
    Effect.asVoid
  )
}
