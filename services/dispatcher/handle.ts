import { Effect, Layer, Result } from "effect"
import { Consumer } from "#bus/Consumer.ts"
import type { BusMessage, Delivery } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import { resolveRunId } from "#ecs-core/Ids.ts"
import { retryDelayMillis } from "#ecs-core/RetryDelay.ts"
import { Durables, parseSubject, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { supervised } from "#process/Supervise.ts"
import type { DispatcherSettings } from "./config.ts"
import { readFact, readRequest } from "./decide.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { performEffects } from "./perform.ts"
import { foldInto } from "./records.ts"
import { handleRequest, orderFromInbox, type StepError, stored } from "./requests.ts"

/** Longest wait of a message after repeated failures. */
const RETRY_MAX_SECONDS = 30

/** One fact or wish: fold it into the record, make exist what must exist, ack. */
export const handleFact = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const fact = readFact(stored(delivery))
    if (Result.isFailure(fact)) return Verdict.dead(fact.failure.message)
    const { runId, event } = fact.success
    if (event === undefined) return Verdict.ack
    const run = yield* foldInto(fleet.runs, runId, event)
    if (run === undefined)
      yield* Effect.logWarning("a fact about a run without a record", { subject: delivery.subject })
    else yield* performEffects(fleet, run, orderFromInbox(fleet))
    return Verdict.ack
  })

/** Passing failures hand the message back with a growing delay; a defect passes through, to be tried and then dead. */
const orLater = (delivery: Delivery, step: Effect.Effect<Verdict, StepError>): Effect.Effect<Verdict> =>
  step.pipe(
    Effect.catch((error) => {
      if (error._tag === "PayloadTooLarge" || error._tag === "RecordUnreadable") {
        return Effect.succeed(Verdict.dead(error.message))
      }
      const delayMillis = retryDelayMillis(delivery.deliveries, RETRY_MAX_SECONDS)
      return Effect.logWarning("handed back", { subject: delivery.subject, why: error.message, delayMillis }).pipe(
        Effect.as(Verdict.nak(delayMillis))
      )
    })
  )

const runIdOf = (message: BusMessage): string => {
  const parsed = parseSubject(message.subject)
  if (message.stream === Streams.inbox) return readRequest(stored(message)).seen.runId
  return parsed !== undefined && "runId" in parsed && parsed.runId !== undefined
    ? parsed.runId
    : resolveRunId({ sequence: message.seq }).runId
}

/** The dispatcher: requests, wishes and facts, each by its own durable consumer. */
export const layer = (settings: DispatcherSettings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      yield* setUpFleet(settings)
      const fleet = yield* makeFleet(settings)
      const consumer = yield* Consumer
      const listen = (stream: string, durable: string, handler: (d: Delivery) => Effect.Effect<Verdict, StepError>) =>
        consumer.run(
          {
            stream,
            durable,
            concurrency: settings.concurrency,
            ackWaitSeconds: settings.ackWaitSeconds,
            deadStream: Streams.dead,
            deadSubject: (message) => Subjects.dead("dispatcher", runIdOf(message))
          },
          (delivery) => orLater(delivery, handler(delivery))
        )
      const parts: ReadonlyArray<readonly [string, Effect.Effect<never, unknown>]> = [
        ["requests", listen(Streams.inbox, Durables.requests, (d) => handleRequest(fleet, d))],
        ["cancels", listen(Streams.fleet, Durables.cancels, (d) => handleFact(fleet, d))],
        ["facts", listen(Streams.fleet, Durables.facts, (d) => handleFact(fleet, d))]
      ]
      yield* Effect.forEach(parts, ([name, part]) => Effect.forkScoped(supervised(`dispatcher ${name}`, part)), {
        discard: true
      })
    })
  )
