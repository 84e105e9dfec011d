import { Clock, Effect } from "effect"
import type { ContainerLogs } from "#aws/ContainerLogs.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { type Attempt, type Attempts, carryOn } from "./attempts.ts"
import type { LogStreamerSettings } from "./config.ts"
import { type LogEvent, type Reading, takeNew } from "./decide.ts"
import type { Ports } from "./RunLog.ts"

/** FilterLogEvents takes at most 100 log streams of one group. */
export const STREAMS_MAX = 100

/** The port that reads CloudWatch. */
export type Logs = typeof ContainerLogs.Service

interface Group {
  readonly region: string
  readonly credentials: string | undefined
  readonly logGroup: string
  readonly streams: ReadonlyMap<string, Reading>
}

interface Answer {
  readonly events: ReadonlyMap<string, ReadonlyArray<LogEvent>>
  readonly complete: boolean
}

/** One round: reads every owned attempt's streams, many per call, and publishes what is new. */
export const round = (
  ports: Ports,
  logs: Logs,
  settings: LogStreamerSettings,
  attempts: Attempts
): Effect.Effect<void> =>
  Effect.gen(function* () {
    dropLost(attempts)
    const startedAt = yield* Clock.currentTimeMillis
    const answers = new Map<string, Answer>()
    yield* Effect.forEach(groupsOf(attempts), (group) => readGroup(logs, settings, group, answers), {
      concurrency: settings.readConcurrency,
      discard: true
    })
    yield* Effect.forEach(
      [...attempts.values()],
      (attempt) => publishRound(ports, settings, attempts, attempt, { answers, startedAt }),
      {
        concurrency: 16,
        discard: true
      }
    )
  })

const dropLost = (attempts: Attempts): void => {
  for (const [key, { lease }] of attempts) if (!lease.isHeld()) attempts.delete(key)
}

const groupsOf = (attempts: Attempts): ReadonlyArray<Group> => {
  const groups = new Map<string, Array<Group & { readonly streams: Map<string, Reading> }>>()
  for (const { started, readings } of attempts.values()) {
    for (const reading of readings) {
      const { region, logGroup } = reading.source
      const { credentials } = started.target
      const key = JSON.stringify([credentials, region, logGroup])
      const list = groups.get(key) ?? []
      groups.set(key, list)
      let group = list.at(-1)
      if (group === undefined || group.streams.size >= STREAMS_MAX) {
        group = { region, credentials, logGroup, streams: new Map() }
        list.push(group)
      }
      group.streams.set(reading.logStream, reading)
    }
  }
  return [...groups.values()].flat()
}

const readGroup = (logs: Logs, settings: LogStreamerSettings, group: Group, answers: Map<string, Answer>) =>
  Effect.gen(function* () {
    const { region, credentials, logGroup, streams } = group
    const target = { region, ...(credentials === undefined ? {} : { credentials }) }
    const startTime = Math.min(...[...streams.values()].map(({ from }) => from))
    const events = new Map<string, Array<LogEvent>>()
    const unasked = new Set<string>()
    let nextToken: string | undefined
    for (let page = 0; page < settings.pagesMax; page++) {
      const token = nextToken === undefined ? {} : { nextToken }
      const answer = yield* logs.read(target, { logGroup, logStreams: [...streams.keys()], startTime, ...token })
      for (const { logStream, ...event } of answer.events) {
        const list = events.get(logStream)
        if (list === undefined) events.set(logStream, [event])
        else list.push(event)
      }
      for (const stream of answer.unasked) unasked.add(stream)
      nextToken = answer.nextToken
      if (nextToken === undefined) break
    }
    const complete = nextToken === undefined
    for (const stream of streams.keys()) answers.set(stream, { events, complete: complete && !unasked.has(stream) })
  }).pipe(Effect.catch((failure) => missed(group, failure, answers)))

/** No log stream yet is normal; anything else is told, and the next round reads on from the same place. */
const missed = (group: Group, failure: AwsFailure, answers: Map<string, Answer>) =>
  Effect.suspend(() => {
    if (failure.code !== "LogStreamNotFound") {
      return Effect.logWarning("logs could not be read", { logGroup: group.logGroup, why: failure.message })
    }
    for (const stream of group.streams.keys()) answers.set(stream, { events: new Map(), complete: true })
    return Effect.void
  })

interface Heard {
  readonly answers: ReadonlyMap<string, Answer>
  /** When the round began. */
  readonly startedAt: number
}

const publishRound = (
  ports: Ports,
  settings: LogStreamerSettings,
  attempts: Attempts,
  attempt: Attempt,
  { answers, startedAt }: Heard
) => {
  const lateMillis = settings.lateSeconds * 1000
  const taken = attempt.readings.map((reading) => {
    const answer = answers.get(reading.logStream)
    const events = answer?.events.get(reading.logStream) ?? []
    return takeNew(reading, events, { startedAt, complete: answer?.complete === true, lateMillis })
  })
  const lines = taken.flatMap((each) => each.lines)
  const ordered = taken.length === 1 ? lines : lines.toSorted((a, b) => a.time.localeCompare(b.time))
  const heard = attempt.readings.every(({ logStream }) => answers.get(logStream)?.complete === true)
  const readings = taken.map(({ reading }) => reading)
  return carryOn(ports, settings, attempts, attempt, { readings, lines: ordered, heard }).pipe(
    Effect.catch((error) =>
      Effect.logWarning("lines wait for the next round", { runId: attempt.started.runId, why: error.message })
    )
  )
}
