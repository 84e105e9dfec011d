import { Effect, Option, Random } from "effect"
import { PayloadTooLarge, type PublishError } from "./BusError.ts"
import type { BusSettingsShape } from "./BusSettings.ts"
import { type BusMessage, bytes } from "./Message.ts"
import { patiently, unavailable } from "./patience.ts"
import { withCurrentTrace } from "./Trace.ts"
import { WireError, type WirePublish, type WireShape } from "./wire/Wire.ts"

/*
 * Publishing when answers can be lost. A publish whose answer did not come may or may not be stored, so it is sent
 * again; if it was stored, the fence (`expected last sequence of the subject`) refuses the repetition. A refusal alone
 * therefore says nothing about who won. Each fenced publish carries an id of its own; after a refusal the message that
 * stands in the way is read from the leader, and if it carries our id, we are the winner.
 */

/** Identifies one fenced publish over all its repetitions. */
export const publishIdHeader = "Bus-Publish-Id"

export interface Outgoing {
  /** The stream that takes the subject; where `createOnce` and `append` look for what is there. */
  readonly stream: string
  readonly subject: string
  readonly data: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

export interface Publishing {
  readonly wire: WireShape
  readonly settings: BusSettingsShape
}

export type FenceResult =
  | { readonly _tag: "Stored"; readonly seq: number }
  /** `other` stands in the way; none if the subject has fewer messages than was expected. */
  | { readonly _tag: "Refused"; readonly other: Option.Option<BusMessage> }

/** Publishes until it is acknowledged: at least once. */
export const publishPlain = (
  { wire, settings }: Publishing,
  m: Outgoing,
  messageId?: string
): Effect.Effect<{ readonly seq: number }, PublishError> =>
  Effect.flatMap(wirePublishOf(m), (publish) =>
    patiently(settings, wire.publish(messageId === undefined ? publish : { ...publish, messageId })).pipe(
      Effect.map(({ seq }) => ({ seq })),
      Effect.mapError(publishFailure(publish))
    )
  )

/** Stores the message exactly once, right behind sequence `expected` of its subject (0 = as its first), or not at all. */
export const publishFenced = Effect.fnUntraced(function* (
  { wire, settings }: Publishing,
  m: Outgoing,
  expected: number
): Effect.fn.Return<FenceResult, PublishError> {
  const id = yield* newPublishId
  const plain = yield* wirePublishOf(m)
  const publish: WirePublish = {
    ...plain,
    headers: { ...plain.headers, [publishIdHeader]: id },
    expectedLastSequence: expected
  }
  let repeated = false
  const attempt: Effect.Effect<FenceResult, WireError> = wire.publish(publish).pipe(
    Effect.map(({ seq }): FenceResult => ({ _tag: "Stored", seq })),
    Effect.catchIf(
      (error) => error.fault === "wrongLastSequence",
      () => judgeRefusal(wire, { m, expected, id, repeated })
    ),
    Effect.tapError(() =>
      Effect.sync(() => {
        repeated = true
      })
    )
  )
  return yield* patiently(settings, attempt).pipe(Effect.mapError(publishFailure(publish)))
})

interface Refusal {
  readonly m: Outgoing
  readonly expected: number
  readonly id: string
  /** True if an earlier attempt may have been stored. */
  readonly repeated: boolean
}

/**
 * Who stands in the way? The first message behind the expected one, which others may have followed since; as long as
 * nothing of ours can be there, the subject's last message tells as much and is found faster. Nobody at all means that
 * somebody's publish is still in process: the same again.
 */
const judgeRefusal = Effect.fnUntraced(function* (
  wire: WireShape,
  { m: { stream, subject }, expected, id, repeated }: Refusal
): Effect.fn.Return<FenceResult, WireError> {
  const other = yield* repeated || expected > 0 ? wire.next(stream, subject, expected + 1) : wire.last(stream, subject)
  if (Option.isSome(other))
    return other.value.headers[publishIdHeader] === id
      ? { _tag: "Stored", seq: other.value.seq }
      : { _tag: "Refused", other }
  const expectedIsThere =
    expected === 0 || Option.exists(yield* wire.at(stream, expected), (m) => m.subject === subject)
  if (!expectedIsThere) return { _tag: "Refused", other }
  return yield* new WireError({ fault: "transient", message: `another publish to ${subject} is in process` })
})

const newPublishId = Effect.map(
  Effect.all([Random.nextInt, Random.nextInt]),
  ([a, b]) => `${Math.abs(a).toString(36)}${Math.abs(b).toString(36)}`
)

const wirePublishOf = ({ subject, data, headers }: Outgoing): Effect.Effect<WirePublish> =>
  Effect.map(withCurrentTrace(headers), (traced) => ({ subject, data: bytes(data), headers: traced }))

const publishFailure =
  (publish: WirePublish) =>
  (error: WireError): PublishError =>
    error.fault === "tooLarge" ? tooLarge(publish, error) : unavailable(`publish ${publish.subject}`)(error)

const tooLarge = ({ subject, data, headers }: WirePublish, error: WireError) => {
  const size = data.length + bytes(Object.entries(headers).flat().join("")).length
  return new PayloadTooLarge({
    subject,
    bytes: size,
    message: `${subject}: ${size} bytes are more than the server or its stream takes (${error.message}); send less`
  })
}
