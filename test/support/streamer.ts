import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { type Attempts, takeOver } from "#services/log-streamer/attempts.ts"
import { logStreamerConfig } from "#services/log-streamer/config.ts"
import { makePorts, type Ports } from "#services/log-streamer/RunLog.ts"
import { round } from "#services/log-streamer/read.ts"
import { aLease, aTaskStopped } from "#test/support/builders.ts"
import { defaultsOf, messagesOf, processPorts, published } from "#test/support/MemoryFleet.ts"
import { finished, runId } from "#test/support/messages.ts"
import { startedWith } from "#test/support/output.ts"

export const settings = defaultsOf(logStreamerConfig)

/** A log-streamer with its ports, its attempts and one round at a time. */
export const streamer = (requestsMax?: number) =>
  Effect.gen(function* () {
    const ports: Ports = yield* Effect.provide(makePorts, processPorts(requestsMax))
    const logs = yield* ContainerLogs
    const attempts: Attempts = new Map()
    const own = (started: TaskStarted) => {
      const { ended, lease } = aLease()
      return Effect.as(takeOver(ports, settings, attempts, started, lease), ended)
    }
    return { ports, attempts, own, round: round(ports, logs, settings, attempts) }
  })

export const messages = messagesOf(Streams.logs, Subjects.logs(runId), LogCodecs.message)
export const lines = Effect.map(messages, (all) => all.flatMap((each) => (isEnd(each) ? [] : each.lines)))
export const texts = Effect.map(lines, (all) => all.map(({ text }) => text))
export const endMarkers = Effect.map(messages, (all) => all.filter(isEnd))

export const stops = (attempt: number) =>
  published(Streams.fleet, Subjects.taskStopped(runId, attempt), Codecs.taskStopped.encode(aTaskStopped({ attempt })))
export const starts = (started: TaskStarted) =>
  published(Streams.fleet, Subjects.taskStarted(runId, started.attempt), Codecs.taskStarted.encode(started))
export const finishes = (attempts: number) =>
  published(Streams.fleet, Subjects.runFinished(runId), Codecs.runFinished.encode(finished(0, { attempts }).message))

export const rounds = (each: Effect.Effect<void>, count: number) =>
  Effect.repeat(Effect.andThen(each, TestClock.adjust("1 second")), { times: count - 1 })

export const main = startedWith(1, "main")
