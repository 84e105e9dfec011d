import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { Pace } from "#aws/Pace.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs, type RunFinished, type TaskStarted } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { takeOver } from "#services/log-streamer/attempts.ts"
import { logStreamerConfig } from "#services/log-streamer/config.ts"
import { type Desk, makeDesk, type Place } from "#services/log-streamer/Desk.ts"
import { makePorts, type Ports } from "#services/log-streamer/RunLog.ts"
import { look, nextClaim } from "#services/log-streamer/read.ts"
import { aLease, aTaskStopped } from "#test/support/builders.ts"
import { defaultsOf, messagesOf, processPorts, published } from "#test/support/MemoryFleet.ts"
import { changed, finished, runId } from "#test/support/messages.ts"
import { startedWith } from "#test/support/output.ts"

export const settings = defaultsOf(logStreamerConfig)

/** Calls as often as a test wishes. */
const unpaced = Pace.layer({ filterLogEvents: { perSecond: 1_000_000, burst: 1_000_000 } })

/** A log-streamer with its ports and its desk; `round` looks once at everything that it reads. */
export const streamer = (requestsMax?: number, changes: Partial<typeof settings> = {}) =>
  Effect.gen(function* () {
    const ports: Ports = yield* Effect.provide(makePorts, processPorts(requestsMax))
    const pace = yield* Effect.provide(Pace, unpaced)
    const [logs, gate] = [yield* ContainerLogs, yield* Gate]
    const desk = makeDesk({ ports, logs, pace, gate, settings: { ...settings, ...changes } })
    const own = (started: TaskStarted) =>
      Effect.gen(function* () {
        const { ended, lease } = aLease()
        yield* runs(started)
        yield* takeOver(desk, started, lease)
        return ended
      })
    return { ports, desk, own, round: roundOf(desk) }
  })

export const roundOf = (desk: Desk): Effect.Effect<void> =>
  Effect.suspend(() => {
    for (const place of desk.places.values()) for (const stream of place.streams) stream.dueAt = 0
    return Effect.forEach(desk.places.values(), (place) => lookAtAll(desk, place), { discard: true })
  })

const lookAtAll = (desk: Desk, place: Place): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const claim = nextClaim(place, now)
    return claim === undefined ? Effect.void : Effect.andThen(look(desk, claim), lookAtAll(desk, place))
  })

/** ECS runs the attempt's containers. */
const runs = ({ attempt }: TaskStarted) =>
  published(
    Streams.fleet,
    Subjects.taskChanged(runId, attempt),
    Codecs.taskChanged.encode(changed(0, "RUNNING", 3, { attempt }).message)
  )

export const messages = messagesOf(Streams.logs, Subjects.logs(runId), LogCodecs.message)
export const lines = Effect.map(messages, (all) => all.flatMap((each) => (isEnd(each) ? [] : each.lines)))
export const texts = Effect.map(lines, (all) => all.map(({ text }) => text))
export const endMarkers = Effect.map(messages, (all) => all.filter(isEnd))

export const stops = (attempt: number) =>
  published(Streams.fleet, Subjects.taskStopped(runId, attempt), Codecs.taskStopped.encode(aTaskStopped({ attempt })))
export const starts = (started: TaskStarted) =>
  published(Streams.fleet, Subjects.taskStarted(runId, started.attempt), Codecs.taskStarted.encode(started))
export const finishes = (attempts: number, change: Partial<RunFinished> = {}) => {
  const { message } = finished(0, { attempts, ...change })
  return published(Streams.fleet, Subjects.runFinished(runId), Codecs.runFinished.encode(message))
}

export const rounds = (each: Effect.Effect<void>, count: number) =>
  Effect.repeat(Effect.andThen(each, TestClock.adjust("1 second")), { times: count - 1 })

export const main = startedWith(1, "main")
