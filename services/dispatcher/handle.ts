import { Effect, Layer, Result } from "effect"
import { Consumer } from "#bus/Consumer.ts"
import type { BusMessage, Delivery } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import { Durables, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { deadSubject, handBack } from "#process/Handling.ts"
import { supervised } from "#process/Supervise.ts"
import type { DispatcherSettings } from "./config.ts"
import { readFact, readRequest } from "./decide.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { performEffects } from "./perform.ts"
import { foldInto } from "./records.ts"
import { handleRequest, jobFromInbox, laterIfDelayed, type StepError, stored } from "./requests.ts"
import { sweepForEver } from "./sweep.ts"

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
    else yield* performEffects(fleet, run, jobFromInbox(fleet))
    return Verdict.ack
  }).pipe(laterIfDelayed)

/** A request may name its run in its body alone. */
const deadSubjectOf = (message: BusMessage): string =>
  message.stream === Streams.inbox
    ? Subjects.dead("dispatcher", readRequest(stored(message)).seen.runId)
    : deadSubject("dispatcher")(message)

/** The dispatcher: requests, wishes and facts, each by its own durable consumer. */
export const layer = (settings: DispatcherSettings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      yield* setUpFleet(settings, "dispatcher")
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
            deadSubject: deadSubjectOf
          },
          (delivery) => handBack(delivery, handler(delivery))
        )
      const parts: ReadonlyArray<readonly [string, Effect.Effect<never, unknown>]> = [
        ["requests", listen(Streams.inbox, Durables.requests, (d) => handleRequest(fleet, d))],
        ["cancels", listen(Streams.fleet, Durables.cancels, (d) => handleFact(fleet, d))],
        ["facts", listen(Streams.fleet, Durables.facts, (d) => handleFact(fleet, d))],
        ["idle definitions", sweepForEver(fleet, settings)]
      ]
      yield* Effect.forEach(parts, ([name, part]) => Effect.forkScoped(supervised(`dispatcher ${name}`, part)), {
        discard: true
      })
    })
  )
