import { Effect, Layer, Result } from "effect"
import { Consumer } from "#bus/Consumer.ts"
import type { BusMessage, Delivery } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { RunId } from "#ecs-core/Ids.ts"
import { Durables, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { watchCredentials } from "#process/CredentialsHealth.ts"
import { readFleetMetrics } from "#process/FleetReadings.ts"
import { setUpFleet, topologyFor } from "#process/FleetSetup.ts"
import { deadSubject, handBack } from "#process/Handling.ts"
import { newOwner } from "#process/Lease.ts"
import { supervised } from "#process/Supervise.ts"
import { cancelByTask } from "./cancelByTask.ts"
import type { DispatcherSettings } from "./config.ts"
import { readFact, readRequest } from "./decide.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { endOldQueued } from "./oldQueued.ts"
import { performEffects } from "./perform.ts"
import { followPools } from "./poolSync.ts"
import { findQueues, serveQueues } from "./queues.ts"
import { rebuildForEver } from "./rebuildTurns.ts"
import { reconcileForEver } from "./reconcile.ts"
import { foldInto } from "./records.ts"
import { handleRequest, jobFromInbox, laterIfDelayed, type StepError, stored } from "./requests.ts"
import { sweepForEver } from "./sweep.ts"
import { readTaskCancel } from "./taskCancel.ts"

/** One fact or wish: fold it into the record, make exist what must exist, ack. */
export const handleFact = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const fact = readFact(stored(delivery))
    if (Result.isFailure(fact)) return Verdict.dead(fact.failure.message)
    const { runId, event } = fact.success
    if (event === undefined) return Verdict.ack
    const run = yield* foldInto(fleet.runs, runId, event)
    if (run === undefined) yield* recordMissing(fleet, runId, delivery)
    else yield* performEffects(fleet, run, jobFromInbox(fleet))
    return Verdict.ack
  }).pipe(laterIfDelayed)

/** One wish to stop a run: named by its id, or by the task that it has. */
const handleCancel = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict, StepError> => {
  const wish = readTaskCancel(stored(delivery))
  return wish === undefined ? handleFact(fleet, delivery) : cancelByTask(fleet, wish)
}

/** The fact stays in the stream; the key among the live runs lets the sweep have a record made from what is there. */
const recordMissing = (fleet: Fleet, runId: RunId, { subject }: Delivery) =>
  Effect.andThen(Effect.logWarning("a fact about a run without a record", { subject }), fleet.live.put(runId, "{}"))

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
      yield* watchCredentials
      yield* readFleetMetrics(settings, "dispatcher")
      const fleet = yield* makeFleet(settings)
      const pools = yield* followPools(fleet.pools, settings, fleet.runTimeoutSecondsMax)
      yield* findQueues(fleet)
      const consumer = yield* Consumer
      const ensure = fleet.topology.ensure(topologyFor(settings, "dispatcher"))
      const owner = yield* newOwner
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
        ["cancels", listen(Streams.fleet, Durables.cancels, (d) => handleCancel(fleet, d))],
        ["facts", listen(Streams.fleet, Durables.facts, (d) => handleFact(fleet, d))],
        ["queues", Effect.provideService(serveQueues(fleet, settings), Consumer, consumer)],
        ["old queued runs", endOldQueued(fleet, settings)],
        ["idle definitions", sweepForEver(fleet, settings)],
        ["rebuild", rebuildForEver(fleet, settings, owner)],
        ["reconcile", reconcileForEver(fleet, settings, owner, ensure)],
        ...(pools === undefined ? [] : [["pools", pools] as const])
      ]
      yield* Effect.forEach(parts, ([name, part]) => Effect.forkScoped(supervised(`dispatcher ${name}`, part)), {
        discard: true
      })
    })
  )
