import { Clock, Effect, Layer, Result } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import { Consumer } from "#bus/Consumer.ts"
import { type Delivery, text } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { isRunId } from "#ecs-core/Ids.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import { Codecs, type TaskDeferred, type TaskdefReady, type TaskRejected } from "#ecs-core/Messages.ts"
import { Durables, parseSubject, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { deadSubject, handBack, lastFact } from "#process/Handling.ts"
import { type RecordUnreadable, readRun } from "#process/RunRecords.ts"
import { supervised } from "#process/Supervise.ts"
import type { LauncherSettings } from "./config.ts"
import { decide, type LaunchedTask, NAK_SECONDS_MAX, nextTry, type Settled, startedOf, unreadable } from "./decide.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { findTask, launch, ours } from "./launch.ts"

type StepError = PublishError | RecordUnreadable | AwsFailure

/** One order: look at the record just before RunTask, launch with this try's token, publish one fact, ack. */
export const handleOrder = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const decoded = Codecs.taskdefReady.decode(text(delivery))
    if (Result.isFailure(decoded)) return yield* giveUp(fleet, delivery, decoded.failure.message)
    const order = decoded.success
    const { deliveries } = delivery
    const deferred =
      deliveries > 1
        ? yield* lastFact(fleet.messages, Subjects.taskDeferred(order.runId, order.attempt), Codecs.taskDeferred)
        : undefined
    yield* fleet.pace.take("runTask", order.target)
    const { run } = yield* readRun(fleet.runs, order.runId)
    const now = yield* Clock.currentTimeMillis
    const decision = decide(order, { run, deliveries, orderedAt: delivery.time, deferred }, now)
    switch (decision._tag) {
      case "Drop":
        return Verdict.ack
      case "Later":
        return Verdict.nak(decision.delayMillis)
      case "Look":
        return yield* lookThenReject(fleet, order, nextTry(deferred), decision.otherwise)
      case "Launch": {
        const settled = yield* launch(fleet, order, { try: decision.try, deliveries })
        return yield* settle(fleet, order, decision.try, settled)
      }
    }
  })

const giveUp = (fleet: Fleet, delivery: Delivery, why: string) =>
  Effect.gen(function* () {
    const parsed = parseSubject(delivery.subject)
    if (parsed?.kind === "taskdef.ready" && isRunId(parsed.runId)) {
      const now = yield* Clock.currentTimeMillis
      yield* reject(fleet, unreadable({ runId: parsed.runId, attempt: parsed.attempt }, why, now))
    }
    return Verdict.dead(why)
  })

const settle = (
  fleet: Fleet,
  order: TaskdefReady,
  tryNumber: number,
  settled: Settled
): Effect.Effect<Verdict, StepError> => {
  switch (settled._tag) {
    case "Started":
      return start(fleet, order, settled.task, tryNumber)
    case "Deferred":
      return defer(fleet, settled.deferred)
    case "Rejected":
      return reject(fleet, settled.rejected)
    case "Look":
      return lookThenReject(fleet, order, tryNumber, settled.otherwise)
    case "Again":
      return Effect.as(
        settled.throttled ? fleet.pace.throttled("runTask", order.target) : Effect.void,
        Verdict.nak(settled.delayMillis)
      )
    case "Adopt":
      return Effect.flatMap(ours(fleet, order, settled.taskArns), (found) =>
        found === undefined ? defer(fleet, settled.otherwise) : start(fleet, order, found, tryNumber)
      )
  }
}

const start = (fleet: Fleet, order: TaskdefReady, task: LaunchedTask, tryNumber: number) =>
  Effect.gen(function* () {
    const started = startedOf(order, task, tryNumber, yield* Clock.currentTimeMillis)
    const subject = Subjects.taskStarted(order.runId, order.attempt)
    yield* fleet.publisher.createOnce({ stream: Streams.fleet, subject, data: Codecs.taskStarted.encode(started) })
    const { runId, attempt, taskArn } = started
    yield* Effect.logInfo("task launched", { runId, attempt, try: tryNumber, taskArn })
    return Verdict.ack
  })

const reject = (fleet: Fleet, rejected: TaskRejected) =>
  fleet.publisher
    .createOnce({
      stream: Streams.fleet,
      subject: Subjects.taskRejected(rejected.runId, rejected.attempt),
      data: Codecs.taskRejected.encode(rejected)
    })
    .pipe(Effect.as(Verdict.ack))

const lookThenReject = (fleet: Fleet, order: TaskdefReady, tryNumber: number, otherwise: TaskRejected) =>
  Effect.flatMap(findTask(fleet, order), (task) =>
    task === undefined ? reject(fleet, otherwise) : start(fleet, order, task, tryNumber)
  )

/** The deferral is stored before the order is handed back: the next try takes its number from it. */
const defer = (fleet: Fleet, deferred: TaskDeferred) =>
  Effect.gen(function* () {
    const subject = Subjects.taskDeferred(deferred.runId, deferred.attempt)
    yield* fleet.publisher.publish({ stream: Streams.fleet, subject, data: Codecs.taskDeferred.encode(deferred) })
    const waitMillis = millisOf(deferred.nextTryAt) - (yield* Clock.currentTimeMillis)
    return Verdict.nak(Math.max(0, Math.min(waitMillis, NAK_SECONDS_MAX * 1000)))
  })

/** The launcher: one durable consumer of launch orders. */
export const layer = (settings: LauncherSettings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { fleetId } = yield* setUpFleet(settings)
      const fleet = yield* makeFleet(fleetId)
      const consumer = yield* Consumer
      const listen = consumer.run(
        {
          stream: Streams.fleet,
          durable: Durables.launcher,
          concurrency: settings.concurrency,
          ackWaitSeconds: settings.ackWaitSeconds,
          deadStream: Streams.dead,
          deadSubject: deadSubject("launcher")
        },
        (delivery) => handBack(delivery, handleOrder(fleet, delivery))
      )
      yield* Effect.forkScoped(supervised("launcher", listen))
    })
  )
