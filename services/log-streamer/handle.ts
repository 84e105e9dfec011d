import { Clock, Effect, Layer, Option, Result, Stream } from "effect"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { Pace } from "#aws/Pace.ts"
import type { BusUnavailable, PublishError } from "#bus/BusError.ts"
import { Consumer, type Lease } from "#bus/Consumer.ts"
import { type Delivery, text } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import { isEnd, LogCodecs, type LogLine } from "#ecs-core/LogLine.ts"
import { Codecs, type RunFinished, type TaskStarted } from "#ecs-core/Messages.ts"
import { Durables, Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { watchCredentials } from "#process/CredentialsHealth.ts"
import { readFleetMetrics } from "#process/FleetReadings.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { about, deadSubject, handBack, lastFact } from "#process/Handling.ts"
import { registerWhereServed, roomOf } from "#process/Health.ts"
import { supervised } from "#process/Supervise.ts"
import { takeOver } from "./attempts.ts"
import type { LogStreamerSettings } from "./config.ts"
import { type Desk, makeDesk, markEnded } from "./Desk.ts"
import { endOf, endRetryMillis, positionsOf, withTail } from "./decide.ts"
import { type LastSeen, lastOf, makePorts, type Ports, tailOfRun } from "./RunLog.ts"
import { keepReading } from "./read.ts"

const TAKE_OVER_RETRY_MILLIS = 1000

const own = (desk: Desk, delivery: Delivery, lease: Lease): Effect.Effect<void> => {
  const decoded = Codecs.taskStarted.decode(text(delivery))
  if (Result.isFailure(decoded)) return lease.dead(decoded.failure.message)
  return takeOver(desk, decoded.success, lease).pipe(
    Effect.catch((error) =>
      Effect.andThen(
        Effect.logWarning("take-over is repeated", { subject: delivery.subject, why: error.message }),
        lease.nak(TAKE_OVER_RETRY_MILLIS)
      )
    ),
    about(decoded.success)
  )
}

/** The one end marker of a run, once all its attempts are drained. */
export const handleEnd = (ports: Ports, delivery: Delivery): Effect.Effect<Verdict, PublishError> =>
  Effect.gen(function* () {
    const decoded = Codecs.runFinished.decode(text(delivery))
    if (Result.isFailure(decoded)) return Verdict.dead(decoded.failure.message)
    const finished = decoded.success
    const { runId } = finished
    const last = yield* lastOf(ports, runId)
    if (last.message !== undefined && isEnd(last.message)) return Verdict.ack
    const started = yield* startedAttempts(ports, finished)
    const numbers = started.map(({ attempt }) => attempt)
    const end = endOf(positionsOf(last.message), numbers, finished)
    if (end === undefined) return Verdict.nak(endRetryMillis(delivery.deliveries))
    const marker = withTail(end, yield* tailFor(ports, finished, last, started))
    const message = { stream: Streams.logs, subject: Subjects.logs(runId), data: LogCodecs.end.encode(marker) }
    return yield* ports.publisher.append(message, last.sequence).pipe(
      Effect.as(Verdict.ack),
      Effect.catchTag("WrongLastSequence", () => Effect.succeed(Verdict.nak(0)))
    )
  })

/** Whoever reads of a failure reads the last lines with it (peers 112). */
const tailFor = (
  ports: Ports,
  { outcome, runId }: RunFinished,
  last: LastSeen,
  started: ReadonlyArray<TaskStarted>
): Effect.Effect<ReadonlyArray<LogLine>, BusUnavailable> =>
  outcome === "succeeded"
    ? Effect.succeed([])
    : tailOfRun(
        ports,
        runId,
        last,
        started.map(({ containerName }) => containerName)
      )

const startedAttempts = (
  ports: Ports,
  { attempts, runId }: RunFinished
): Effect.Effect<ReadonlyArray<TaskStarted>, BusUnavailable> =>
  Effect.forEach(
    Array.from({ length: attempts }, (_, at) => at + 1),
    (attempt) => lastFact(ports.messages, Subjects.taskStarted(runId, attempt), Codecs.taskStarted)
  ).pipe(Effect.map((all) => all.filter((started) => started !== undefined)))

/** Where the facts about ended tasks are followed from; read before the first lease is taken, so that none is missed. */
const nextEnd = (ports: Ports): Effect.Effect<{ seq: number }, BusUnavailable> =>
  Effect.map(ports.messages.last(Streams.fleet, Filters.taskStopped), (newest) => ({
    seq: Option.match(newest, { onNone: () => 1, onSome: ({ seq }) => seq })
  }))

/** Marks owned attempts whose task has ended, from now on; earlier ends are read at take-over. */
const followEnds = (desk: Desk, next: { seq: number }): Effect.Effect<void, BusUnavailable> =>
  Stream.suspend(() =>
    desk.ports.messages.replay({ stream: Streams.fleet, subject: Filters.taskStopped, fromSeq: next.seq, follow: true })
  ).pipe(
    Stream.runForEach((message) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const stopped = Result.getOrUndefined(Codecs.taskStopped.decode(text(message)))
        if (stopped !== undefined) markEnded(desk, stopped, now)
        next.seq = message.seq + 1
      })
    )
  )

const awaitsRoom = (desk: Desk): Effect.Effect<string> =>
  Effect.sync(() => roomOf(desk.attempts.size, desk.settings.capacity, "attempts"))

/** The log-streamer: leases on attempts, looks at their log streams, ends of tasks and ends of runs. */
export const layer = (settings: LogStreamerSettings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      yield* setUpFleet(settings, "log-streamer")
      yield* watchCredentials
      yield* readFleetMetrics(settings, "log-streamer")
      const ports = yield* makePorts
      const desk = makeDesk({ ports, logs: yield* ContainerLogs, pace: yield* Pace, gate: yield* Gate, settings })
      const consumer = yield* Consumer
      yield* registerWhereServed({ name: "log-streamer room", check: awaitsRoom(desk) })
      const dead = { stream: Streams.fleet, deadStream: Streams.dead, deadSubject: deadSubject("log-streamer") }
      const { ackWaitSeconds, capacity, endConcurrency: concurrency } = settings
      const leases = consumer.leases(
        { ...dead, durable: Durables.logStreamer, heartbeatSeconds: settings.leaseSeconds / 3, capacity },
        (delivery, lease) => own(desk, delivery, lease)
      )
      const ends = consumer.run(
        { ...dead, durable: Durables.logStreamerEnds, concurrency, ackWaitSeconds },
        (delivery) => handBack(delivery, handleEnd(ports, delivery))
      )
      const parts: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
        ["task ends", followEnds(desk, yield* nextEnd(ports))],
        ["leases", leases],
        ["run ends", ends],
        ["reading", keepReading(desk)]
      ]
      yield* Effect.forEach(parts, ([name, part]) => Effect.forkScoped(supervised(`log-streamer ${name}`, part)), {
        discard: true
      })
    })
  )
