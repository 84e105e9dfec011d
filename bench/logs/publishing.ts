import { Effect, Stream } from "effect"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { Pace } from "#aws/Pace.ts"
import type { Lease } from "#bus/Consumer.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { carryOn } from "#services/log-streamer/attempts.ts"
import { logStreamerConfig } from "#services/log-streamer/config.ts"
import { type Attempt, attemptKey, type Desk, makeDesk, put } from "#services/log-streamer/Desk.ts"
import { makePorts } from "#services/log-streamer/RunLog.ts"
import { type LogEvent, resume, take } from "#services/log-streamer/reading.ts"
import { aTaskStarted } from "#test/support/builders.ts"
import { defaultsOf } from "#test/support/MemoryFleet.ts"

const RUNS = 40
const LINES_PER_LOOK = 1000
const CONCURRENCY = 16

export const publishingUnits = { linesPerSecond: "lines/s", bareLinesPerSecond: "lines/s", lost: "lines" } as const

const settings = defaultsOf(logStreamerConfig)

/**
 * From CloudWatch's events to acknowledged batches on a real nats-server, without the calls that bring the events; then
 * the same batches once more, by publishing alone.
 */
export const publishing = Effect.fnUntraced(function* (looks: number) {
  yield* setUpFleet(settings)
  const ports = yield* makePorts
  const desk = makeDesk({ ports, logs: neverAsked, pace: yield* Effect.provide(Pace, Pace.layer()), settings })
  const attempts = Array.from({ length: RUNS }, (_, at) => anAttempt(desk, at))
  const events = Array.from({ length: looks }, (_, at) => eventsOf(at))
  const begunMillis = performance.now()
  yield* Effect.forEach(
    attempts,
    (attempt) => Effect.forEach(events, (each) => carryOn(desk, attempt, broughtOf(attempt, each)), { discard: true }),
    { concurrency: CONCURRENCY, discard: true }
  )
  const perSecond = (millis: number) => (1000 * RUNS * looks * LINES_PER_LOOK) / millis
  const linesPerSecond = perSecond(performance.now() - begunMillis)
  const published = attempts.reduce((sum, { streams }) => sum + (streams[0]?.reading.position.lines ?? 0), 0)
  const bareLinesPerSecond = perSecond(yield* bareMillis)
  return { linesPerSecond, bareLinesPerSecond, lost: RUNS * looks * LINES_PER_LOOK - published }
})

/** How long it takes to publish everything that is in the stream a second time, as it is. */
const bareMillis = Effect.gen(function* () {
  const [publisher, messages] = [yield* Publisher, yield* Messages]
  const [subject] = Filters.logs
  const batches = yield* Stream.runCollect(messages.replay({ stream: Streams.logs, subject, follow: false }))
  const payloads = batches.map(text)
  const begunMillis = performance.now()
  yield* Effect.forEach(
    payloads,
    (data, at) => publisher.publish({ stream: Streams.logs, subject: Subjects.logs(`bare-${at % RUNS}`), data }),
    { concurrency: CONCURRENCY, discard: true }
  )
  return performance.now() - begunMillis
})

const neverAsked = ContainerLogs.of({ read: () => Effect.die("nothing is read here") })

const lease: Lease = {
  message: { stream: "FLEET", subject: "task.started", seq: 1, time: 0 },
  deliveries: () => 1,
  ack: Effect.void,
  nak: () => Effect.void,
  dead: () => Effect.void,
  isHeld: () => true
}

const startedAt = Date.UTC(2027, 0, 15)

const anAttempt = (desk: Desk, at: number): Attempt => {
  const started = aTaskStarted({ runId: RunId.make(`bench-${at}`), at: instantOf(startedAt) })
  const last = { sequence: 0, time: undefined, message: undefined }
  const attempt = put(
    desk,
    { started, lease, last, trace: undefined, readings: resume(started, [], [], 30_000) },
    startedAt
  )
  return desk.attempts.get(attemptKey(started.runId, started.attempt)) ?? attempt
}

/** As CloudWatch gives them: ids of 56 digits. */
const eventsOf = (look: number): ReadonlyArray<LogEvent> =>
  Array.from({ length: LINES_PER_LOOK }, (_, at) => {
    const line = look * LINES_PER_LOOK + at
    return {
      timestamp: startedAt + line,
      message: `line ${line} of a program that tells what it does, as programs do`,
      eventId: String(line).padStart(56, "3876125")
    }
  })

const broughtOf = ({ streams }: Attempt, events: ReadonlyArray<LogEvent>) =>
  streams.map((stream) => ({
    stream,
    isHeard: true,
    taken: take(stream.reading, events, { startedAt, isDeep: false, isCut: false, reached: undefined })
  }))
