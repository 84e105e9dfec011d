import { Clock, Effect, Layer, Metric, Option, Result, Stream } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { Consumer, type Lease } from "#bus/Consumer.ts"
import { type BusMessage, type Delivery, text } from "#bus/Message.ts"
import { currentTrace } from "#bus/Trace.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { Codecs, type TaskStarted, type TaskStop } from "#ecs-core/Messages.ts"
import { Durables, Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { probeWhereAsked } from "#process/AwsProbe.ts"
import { watchCredentials } from "#process/CredentialsHealth.ts"
import { readFleetMetrics } from "#process/FleetReadings.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { about, deadSubject, handBack, lastFact } from "#process/Handling.ts"
import { registerWhereServed, roomOf } from "#process/Health.ts"
import { newOwner } from "#process/Lease.ts"
import { supervised } from "#process/Supervise.ts"
import type { WatcherSettings } from "./config.ts"
import { decideStop, type StopFacts, stopAgainAfterNotFound, stopOrdered, watch } from "./decide.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import * as metrics from "./metrics.ts"
import { reconcileForEver } from "./reconcile.ts"
import { makeSurvey } from "./survey.ts"
import { keepSweeping, leaseKey, noTasks, type OwnedTasks } from "./sweep.ts"

/** A task about which nothing can be read now goes to a replica that can. */
const UNREAD_MILLIS = 1000

/** A stop whose set of credentials pauses comes again after this time; ECS is not asked before they work. */
const PAUSED_MILLIS = 5000

/**
 * A task is ours from now on: the next sweep asks about it. If a stop was ordered before, it is stopped at once: the
 * order may have been done with when there was no task yet. What an owner before told of it is not told again.
 */
export const own = (fleet: Fleet, owned: OwnedTasks, delivery: Delivery, lease: Lease): Effect.Effect<void> => {
  const decoded = Codecs.taskStarted.decode(text(delivery))
  if (Result.isFailure(decoded)) return lease.dead(decoded.failure.message)
  const started = decoded.success
  return Effect.all({ before: toldBefore(fleet, started, delivery.deliveries), trace: currentTrace }).pipe(
    Effect.map(({ before, trace }) => {
      owned.tasks.set(leaseKey(started), { watched: watch(started, before), lease, trace, nextLookAt: 0 })
    }),
    Effect.catch(() => lease.nak(UNREAD_MILLIS)),
    about(started)
  )
}

/** A first delivery has had no owner before; where a server calls a redelivery new, a change is told twice, to no harm. */
const toldBefore = ({ messages }: Fleet, { runId, attempt }: TaskStarted, deliveries: number) =>
  Effect.all({
    stop: Effect.map(lastFact(messages, Subjects.taskStop(runId, attempt), Codecs.taskStop), (order) => order?.reason),
    changed:
      deliveries > 1
        ? lastFact(messages, Subjects.taskChanged(runId, attempt), Codecs.taskChanged)
        : Effect.succeed(undefined)
  })

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

/** The start is read last: one that is published later finds the order, which was there before. */
const factsOf = (fleet: Fleet, { runId, attempt }: TaskStop): Effect.Effect<StopFacts, BusUnavailable> =>
  Effect.gen(function* () {
    const isThere = (subject: string) => Effect.map(fleet.messages.last(Streams.fleet, subject), Option.isSome)
    const isStopped = yield* isThere(Subjects.taskStopped(runId, attempt))
    const isRejected = yield* isThere(Subjects.taskRejected(runId, attempt))
    const started = yield* lastFact(fleet.messages, Subjects.taskStarted(runId, attempt), Codecs.taskStarted)
    return { isStopped, isRejected, started }
  })

const stop = (fleet: Fleet, order: TaskStop, started: TaskStarted): Effect.Effect<Verdict, AwsFailure> =>
  Effect.gen(function* () {
    const { target, clusterArn, taskArn } = started
    yield* fleet.pace.paced("stopTask", target)(fleet.ecs.stopTask(target, clusterArn, taskArn, order.reason))
    return Verdict.ack
  }).pipe(
    Effect.catchIf(
      (failure) => failure.retry === "credentials",
      () => Effect.succeed(Verdict.nak(PAUSED_MILLIS))
    ),
    Effect.catchIf(
      (failure) => failure.code === "TaskNotFound",
      () =>
        Effect.map(Clock.currentTimeMillis, (now) =>
          stopAgainAfterNotFound(started, now) ? Verdict.nak(1000) : Verdict.ack
        )
    )
  )

/** Where new stop orders are followed from; read before the first lease is taken, so that none is missed. */
const nextOrder = (fleet: Fleet): Effect.Effect<{ seq: number }, BusUnavailable> =>
  Effect.map(fleet.messages.last(Streams.fleet, Filters.taskStop), (newest) => ({
    seq: Option.match(newest, { onNone: () => 1, onSome: ({ seq }) => seq })
  }))

/**
 * Somebody carries an order out; if the task is ours, whether that shows is our business: it is asked about at once and
 * then often, and stopped again if it goes on.
 */
export const noteOrder = (owned: OwnedTasks, message: BusMessage): Effect.Effect<void> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const order = Result.getOrUndefined(Codecs.taskStop.decode(text(message)))
    const each = order === undefined ? undefined : owned.tasks.get(leaseKey(order))
    if (order === undefined || each === undefined) return
    each.watched = stopOrdered(each.watched, order.reason, now)
    each.nextLookAt = now
  })

const followOrders = (fleet: Fleet, owned: OwnedTasks, next: { seq: number }): Effect.Effect<void, BusUnavailable> =>
  Stream.suspend(() =>
    fleet.messages.replay({ stream: Streams.fleet, subject: Filters.taskStop, fromSeq: next.seq, follow: true })
  ).pipe(
    Stream.runForEach((message) =>
      Effect.map(noteOrder(owned, message), () => {
        next.seq = message.seq + 1
      })
    )
  )

/** The watcher: leases on tasks, sweeps over all of them, and stop orders. */
export const layer = (settings: WatcherSettings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { fleetId } = yield* setUpFleet(settings, "watcher")
      yield* watchCredentials
      yield* readFleetMetrics(settings, "watcher")
      const fleet = yield* makeFleet(settings)
      const survey = yield* makeSurvey(fleet, fleetId)
      const consumer = yield* Consumer
      const owned = noTasks()
      const room = Effect.sync(() => roomOf(owned.tasks.size, settings.capacity, "tasks"))
      yield* registerWhereServed({ name: "watcher room", check: room })
      yield* probeWhereAsked(settings, fleet)
      const dead = { stream: Streams.fleet, deadStream: Streams.dead, deadSubject: deadSubject("watcher") }
      const { ackWaitSeconds, capacity, stopConcurrency: concurrency } = settings
      const leases = consumer.leases(
        { ...dead, durable: Durables.watcher, heartbeatSeconds: settings.leaseSeconds / 3, capacity },
        (delivery, lease) => own(fleet, owned, delivery, lease)
      )
      const stops = consumer.run({ ...dead, durable: Durables.watcherStops, concurrency, ackWaitSeconds }, (delivery) =>
        handBack(delivery, handleStop(fleet, delivery))
      )
      const counted = Effect.suspend(() => Metric.update(metrics.tasks, owned.tasks.size))
      const parts: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
        ["stops", stops],
        ["orders", followOrders(fleet, owned, yield* nextOrder(fleet))],
        ["sweep", keepSweeping(fleet, owned, counted)],
        ["leases", leases],
        ["reconcile", reconcileForEver(survey, yield* newOwner)]
      ]
      yield* Effect.forEach(parts, ([name, part]) => Effect.forkScoped(supervised(`watcher ${name}`, part)), {
        discard: true
      })
    })
  )
