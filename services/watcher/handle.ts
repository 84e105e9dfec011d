import { Clock, Effect, Layer, Option, Result, Schedule } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { Consumer, type Lease } from "#bus/Consumer.ts"
import { type Delivery, text } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { Codecs, type TaskStarted, type TaskStop } from "#ecs-core/Messages.ts"
import { Durables, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { deadSubject, handBack, lastFact } from "#process/Handling.ts"
import { supervised } from "#process/Supervise.ts"
import type { WatcherSettings } from "./config.ts"
import { decideStop, stopAgainAfterNotFound, watch } from "./decide.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { leaseKey, type OwnedTasks, sweep } from "./sweep.ts"

/** A task is ours from now on: the next sweep asks about it. */
const own = (owned: OwnedTasks, delivery: Delivery, lease: Lease): Effect.Effect<void> => {
  const decoded = Codecs.taskStarted.decode(text(delivery))
  if (Result.isFailure(decoded)) return lease.dead(decoded.failure.message)
  const started = decoded.success
  return Effect.sync(() => {
    owned.set(leaseKey(started), { watched: watch(started), lease, nextLookAt: 0 })
  })
}

/** A stop needs no ownership: whoever gets the order calls StopTask, as soon as there is a task. */
export const handleStop = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict, BusUnavailable | AwsFailure> =>
  Effect.gen(function* () {
    const decoded = Codecs.taskStop.decode(text(delivery))
    if (Result.isFailure(decoded)) return Verdict.dead(decoded.failure.message)
    const order = decoded.success
    const decision = decideStop(yield* factsOf(fleet, order), delivery.deliveries)
    if (decision._tag === "Done") return Verdict.ack
    if (decision._tag === "Later") return Verdict.nak(decision.delayMillis)
    return yield* stop(fleet, order, decision.started)
  })

const factsOf = (fleet: Fleet, { runId, attempt }: TaskStop) =>
  Effect.gen(function* () {
    const ends = [Subjects.taskStopped(runId, attempt), Subjects.taskRejected(runId, attempt)]
    const ended = yield* Effect.forEach(ends, (subject) => fleet.messages.last(Streams.fleet, subject))
    const started = yield* lastFact(fleet.messages, Subjects.taskStarted(runId, attempt), Codecs.taskStarted)
    return { ended: ended.some(Option.isSome), started }
  })

const stop = (fleet: Fleet, order: TaskStop, started: TaskStarted): Effect.Effect<Verdict, AwsFailure> =>
  Effect.gen(function* () {
    const { target, clusterArn, taskArn } = started
    yield* fleet.pace.paced("stopTask", target)(fleet.ecs.stopTask(target, clusterArn, taskArn, order.reason))
    return Verdict.ack
  }).pipe(
    Effect.catchIf(
      (failure) => failure.code === "TaskNotFound",
      () =>
        Effect.map(Clock.currentTimeMillis, (now) =>
          stopAgainAfterNotFound(started, now) ? Verdict.nak(1000) : Verdict.ack
        )
    )
  )

/** The watcher: leases on tasks, one sweep over all of them, and stop orders. */
export const layer = (settings: WatcherSettings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      yield* setUpFleet(settings)
      const fleet = yield* makeFleet(settings)
      const consumer = yield* Consumer
      const owned: OwnedTasks = new Map()
      const dead = { stream: Streams.fleet, deadStream: Streams.dead, deadSubject: deadSubject("watcher") }
      const leases = consumer.leases(
        {
          ...dead,
          durable: Durables.watcher,
          heartbeatSeconds: settings.leaseSeconds / 3,
          capacity: settings.capacity
        },
        (delivery, lease) => own(owned, delivery, lease)
      )
      const stops = consumer.run(
        {
          ...dead,
          durable: Durables.watcherStops,
          concurrency: settings.stopConcurrency,
          ackWaitSeconds: settings.ackWaitSeconds
        },
        (delivery) => handBack(delivery, handleStop(fleet, delivery))
      )
      const sweeps = Effect.repeat(sweep(fleet, owned), Schedule.spaced(`${settings.sweepMillis} millis`))
      yield* Effect.forkScoped(supervised("watcher leases", leases))
      yield* Effect.forkScoped(supervised("watcher stops", stops))
      yield* Effect.forkScoped(supervised("watcher sweep", sweeps))
    })
  )
