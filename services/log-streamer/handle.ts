import { Clock, Effect, Layer, Option, Result, Schedule, Stream } from "effect"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { Pace } from "#aws/Pace.ts"
import type { BusUnavailable, PublishError } from "#bus/BusError.ts"
import { Consumer, type Lease } from "#bus/Consumer.ts"
import { type Delivery, text } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs, type RunFinished } from "#ecs-core/Messages.ts"
import { Durables, Filters, parseSubject, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { deadSubject, handBack } from "#process/Handling.ts"
import { supervised } from "#process/Supervise.ts"
import { type Attempts, attemptKey, markEnded, takeOver } from "./attempts.ts"
import type { LogStreamerSettings } from "./config.ts"
import { endOf, positionsOf } from "./decide.ts"
import { lastOf, makePorts, type Ports } from "./RunLog.ts"
import { type Logs, round } from "./read.ts"

/** Wait before an end marker is tried again while an attempt is still being drained. */
const END_RETRY_MILLIS = 300
const TAKE_OVER_RETRY_MILLIS = 1000

const own = (
  ports: Ports,
  settings: LogStreamerSettings,
  attempts: Attempts,
  delivery: Delivery,
  lease: Lease
): Effect.Effect<void> => {
  const decoded = Codecs.taskStarted.decode(text(delivery))
  if (Result.isFailure(decoded)) return lease.dead(decoded.failure.message)
  return takeOver(ports, settings, attempts, decoded.success, lease).pipe(
    Effect.catch((error) =>
      Effect.andThen(
        Effect.logWarning("take-over is repeated", { subject: delivery.subject, why: error.message }),
        lease.nak(TAKE_OVER_RETRY_MILLIS)
      )
    )
  )
}

/** The one end marker of a run, once all its attempts are drained. */
export const handleEnd = (ports: Ports, delivery: Delivery): Effect.Effect<Verdict, PublishError> =>
  Effect.gen(function* () {
    const decoded = Codecs.runFinished.decode(text(delivery))
    if (Result.isFailure(decoded)) return Verdict.dead(decoded.failure.message)
    const { runId } = decoded.success
    const last = yield* lastOf(ports, runId)
    if (last.message !== undefined && isEnd(last.message)) return Verdict.ack
    const end = endOf(positionsOf(last.message), yield* startedAttempts(ports, decoded.success))
    if (end === undefined) return Verdict.nak(END_RETRY_MILLIS)
    const message = { stream: Streams.logs, subject: Subjects.logs(runId), data: LogCodecs.end.encode(end) }
    return yield* ports.publisher.append(message, last.sequence).pipe(
      Effect.as(Verdict.ack),
      Effect.catchTag("WrongLastSequence", () => Effect.succeed(Verdict.nak(0)))
    )
  })

const startedAttempts = (ports: Ports, { runId, attempts }: RunFinished) =>
  Effect.filter(
    Array.from({ length: attempts }, (_, at) => at + 1),
    (attempt) => Effect.map(ports.messages.last(Streams.fleet, Subjects.taskStarted(runId, attempt)), Option.isSome)
  )

/** Where the facts about ended tasks are followed from; read before the first lease is taken, so that none is missed. */
const nextEnd = (ports: Ports): Effect.Effect<{ seq: number }, BusUnavailable> =>
  Effect.map(ports.messages.last(Streams.fleet, Filters.taskStopped), (newest) => ({
    seq: Option.match(newest, { onNone: () => 1, onSome: ({ seq }) => seq })
  }))

/** Marks owned attempts whose task has ended, from now on; earlier ends are read at take-over. */
const followEnds = (ports: Ports, attempts: Attempts, next: { seq: number }): Effect.Effect<void, BusUnavailable> =>
  Stream.suspend(() =>
    ports.messages.replay({ stream: Streams.fleet, subject: Filters.taskStopped, fromSeq: next.seq, follow: true })
  ).pipe(
    Stream.runForEach((message) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const parsed = parseSubject(message.subject)
        if (parsed?.kind === "task.stopped") markEnded(attempts, attemptKey(parsed.runId, parsed.attempt), now)
        next.seq = message.seq + 1
      })
    )
  )

const pacedLogs = (logs: Logs, pace: typeof Pace.Service): Logs => ({
  ...logs,
  read: (target, options) => pace.paced("filterLogEvents", target)(logs.read(target, options))
})

/** The log-streamer: leases on attempts, rounds of reading, ends of tasks and ends of runs. */
export const layer = (settings: LogStreamerSettings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      yield* setUpFleet(settings)
      const ports = yield* makePorts
      const logs = pacedLogs(yield* ContainerLogs, yield* Pace)
      const consumer = yield* Consumer
      const attempts: Attempts = new Map()
      const dead = { stream: Streams.fleet, deadStream: Streams.dead, deadSubject: deadSubject("log-streamer") }
      const { capacity, endConcurrency: concurrency, ackWaitSeconds } = settings
      const leases = consumer.leases(
        { ...dead, durable: Durables.logStreamer, heartbeatSeconds: settings.leaseSeconds / 3, capacity },
        (delivery, lease) => own(ports, settings, attempts, delivery, lease)
      )
      const ends = consumer.run(
        { ...dead, durable: Durables.logStreamerEnds, concurrency, ackWaitSeconds },
        (delivery) => handBack(delivery, handleEnd(ports, delivery))
      )
      const rounds = Effect.repeat(
        round(ports, logs, settings, attempts),
        Schedule.spaced(`${settings.pollMillis} millis`)
      )
      const parts: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
        ["task ends", followEnds(ports, attempts, yield* nextEnd(ports))],
        ["leases", leases],
        ["run ends", ends],
        ["rounds", rounds]
      ]
      yield* Effect.forEach(parts, ([name, part]) => Effect.forkScoped(supervised(`log-streamer ${name}`, part)), {
        discard: true
      })
    })
  )
