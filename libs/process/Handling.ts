import { Effect, Option, Result } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { type BusMessage, type Delivery, text } from "#bus/Message.ts"
import type { Messages } from "#bus/Messages.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { Codec } from "#ecs-core/Codec.ts"
import { retryDelayMillis } from "#ecs-core/RetryDelay.ts"
import { parseSubject, type ServiceName, Streams, Subjects } from "#ecs-core/Subjects.ts"

/** Longest wait of a message after repeated failures. */
export const HAND_BACK_SECONDS_MAX = 30

/** Failures that come again however often the step is repeated. */
const PERMANENT: ReadonlySet<string> = new Set(["PayloadTooLarge", "RecordUnreadable"])

/** A run, or one attempt of it. */
export interface Subject {
  readonly runId: string
  readonly attempt?: number
}

/** Everything that is logged of the step names its run and attempt, and so does the span that it is in. */
export const about =
  ({ attempt, runId }: Subject) =>
  <A, E, R>(step: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const isTraced = Effect.annotateCurrentSpan({
      "fleet.run.id": runId,
      ...(attempt === undefined ? {} : { "fleet.attempt": attempt })
    })
    return Effect.andThen(isTraced, Effect.annotateLogs(step, { runId, ...(attempt === undefined ? {} : { attempt }) }))
  }

/** The same of the handling of a message, as far as its subject names a run. */
export const aboutRunOf =
  ({ subject }: BusMessage) =>
  <A, E, R>(step: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const parsed = parseSubject(subject)
    return parsed !== undefined && "runId" in parsed && parsed.runId !== undefined
      ? about({ ...parsed, runId: parsed.runId })(step)
      : step
  }

/**
 * What becomes of a message whose step failed: handed back with a delay that grows with each delivery, or dead where
 * repeating cannot help. A defect passes through: the consumer tries it again, then it is dead.
 */
export const handBack = <E extends { readonly _tag: string; readonly message: string }>(
  delivery: Delivery,
  step: Effect.Effect<Verdict, E>
): Effect.Effect<Verdict> =>
  step.pipe(
    Effect.catch((error) => {
      if (PERMANENT.has(error._tag)) return Effect.succeed(Verdict.dead(error.message))
      const delayMillis = retryDelayMillis(delivery.deliveries, HAND_BACK_SECONDS_MAX)
      return Effect.logWarning("handed back", { subject: delivery.subject, why: error.message, delayMillis }).pipe(
        Effect.as(Verdict.nak(delayMillis))
      )
    }),
    aboutRunOf(delivery)
  )

/** Where the copy of a message goes that a service could not handle; `unknown` where its subject names no run. */
export const deadSubject = (service: ServiceName) => (message: BusMessage) => {
  const parsed = parseSubject(message.subject)
  const runId = parsed !== undefined && "runId" in parsed ? parsed.runId : undefined
  return Subjects.dead(service, runId ?? "unknown")
}

/** The last order or fact on a subject of `FLEET`; undefined where there is none, or none that can be read. */
export const lastFact = <A>(
  messages: typeof Messages.Service,
  subject: string,
  codec: Codec<A>
): Effect.Effect<A | undefined, BusUnavailable> =>
  Effect.map(messages.last(Streams.fleet, subject), (last) =>
    Option.getOrUndefined(Option.flatMap(last, (message) => Result.getSuccess(codec.decode(text(message)))))
  )
