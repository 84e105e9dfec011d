import { Clock, Effect, Schedule } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import { Codecs, type TaskDeferred, type TaskdefReady, type TaskRejected } from "#ecs-core/Messages.ts"
import { StopCodes, stopReason } from "#ecs-core/StopReason.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import type { DrainUnreadable } from "#process/Drain.ts"
import { lastFact } from "#process/Handling.ts"
import type { RecordUnreadable } from "#process/RunRecords.ts"
import { type Decision, NAK_SECONDS_MAX } from "./decide.ts"
import { type Evidence, tokenOf } from "./evidence.ts"
import type { Fleet } from "./Fleet.ts"
import { findTask, ours } from "./find.ts"
import { type LaunchedTask, type Settled, startedOf } from "./settle.ts"

export type StepError = PublishError | RecordUnreadable | DrainUnreadable | AwsFailure

/** Carries out what was decided, or what became of a launch: at most one fact, then the order is done or handed back. */
export const perform = (
  fleet: Fleet,
  order: TaskdefReady,
  todo: Exclude<Decision, { readonly _tag: "Launch" }> | Settled,
  evidence: Evidence
): Effect.Effect<Verdict, StepError> => {
  const startOr = (found: LaunchedTask | undefined, otherwise: Settled): Effect.Effect<Verdict, StepError> =>
    found === undefined ? perform(fleet, order, otherwise, evidence) : start(fleet, order, found, evidence)
  switch (todo._tag) {
    case "Drop":
      return Effect.succeed(Verdict.ack)
    case "Later":
      return Effect.succeed(Verdict.nak(todo.delayMillis))
    case "Started":
      return start(fleet, order, todo.task, evidence)
    case "Defer":
      return defer(fleet, todo.deferred)
    case "Reject":
      return reject(fleet, todo.rejected)
    case "Look":
      return Effect.flatMap(findTask(fleet, order), (found) => startOr(found, todo.otherwise))
    case "Adopt":
      return Effect.flatMap(ours(fleet, order, todo.taskArns), (found) => startOr(found, todo.otherwise))
  }
}

const start = (fleet: Fleet, order: TaskdefReady, task: LaunchedTask, evidence: Evidence) =>
  Effect.gen(function* () {
    const started = startedOf(order, task, tokenOf(evidence).try, yield* Clock.currentTimeMillis)
    const { runId, attempt, taskArn } = started
    const subject = Subjects.taskStarted(runId, attempt)
    const data = Codecs.taskStarted.encode(started)
    const made = yield* fleet.publisher.createOnce({ stream: Streams.fleet, subject, data })
    yield* Effect.logInfo("task launched", { runId, attempt, try: started.try, taskArn })
    if (made === "exists") yield* stopSurplus(fleet, order, task)
    return Verdict.ack
  })

/**
 * Another task of the attempt was told before: this one nobody waits for. It takes a launcher that was frozen between
 * its last look and RunTask for as long as another needed to launch with a newer token.
 */
const stopSurplus = (fleet: Fleet, order: TaskdefReady, { taskArn, clusterArn }: LaunchedTask) =>
  Effect.gen(function* () {
    const { runId, attempt, target } = order
    const told = yield* lastFact(fleet.messages, Subjects.taskStarted(runId, attempt), Codecs.taskStarted)
    if (told === undefined || told.taskArn === taskArn) return
    yield* Effect.logWarning("a surplus task is stopped", { runId, attempt, taskArn, kept: told.taskArn })
    const reason = stopReason(StopCodes.cancelled, "another task of this attempt was launched")
    const stopped = fleet.ecs.stopTask(target, clusterArn, taskArn, reason)
    yield* Effect.retry(fleet.pace.paced("stopTask", target)(stopped), stopRetries)
  })

/** ECS may not know a task in its first seconds: 1 s, 2 s, 4 s … for a minute. */
const stopRetries = Schedule.exponential("1 second").pipe(Schedule.upTo({ times: 6 }))

export const reject = (fleet: Fleet, rejected: TaskRejected) =>
  fleet.publisher
    .createOnce({
      stream: Streams.fleet,
      subject: Subjects.taskRejected(rejected.runId, rejected.attempt),
      data: Codecs.taskRejected.encode(rejected)
    })
    .pipe(Effect.as(Verdict.ack))

/** The deferral is stored before the order is handed back: the next try takes its number from it. */
const defer = (fleet: Fleet, deferred: TaskDeferred) =>
  Effect.gen(function* () {
    const subject = Subjects.taskDeferred(deferred.runId, deferred.attempt)
    yield* fleet.publisher.publish({ stream: Streams.fleet, subject, data: Codecs.taskDeferred.encode(deferred) })
    const waitMillis = millisOf(deferred.nextTryAt) - (yield* Clock.currentTimeMillis)
    return Verdict.nak(Math.max(0, Math.min(waitMillis, NAK_SECONDS_MAX * 1000)))
  })
