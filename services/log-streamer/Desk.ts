import { Latch, Semaphore } from "effect"
import type { ContainerLogs } from "#aws/ContainerLogs.ts"
import type { Gate } from "#aws/gate/Gate.ts"
import type { Pace } from "#aws/Pace.ts"
import type { AwsTarget } from "#aws/Target.ts"
import type { Lease } from "#bus/Consumer.ts"
import type { Trace } from "#bus/Trace.ts"
import type { TaskStarted, TaskStopped } from "#ecs-core/Messages.ts"
import type { LogStreamerSettings } from "./config.ts"
import { neverStarted } from "./decide.ts"
import type { Candidate } from "./plan.ts"
import type { LastSeen, Ports } from "./RunLog.ts"
import type { Reading } from "./reading.ts"

/** What one log-streamer has on its desk: attempts, and the log streams that are read for them. */
export interface Desk {
  readonly ports: Ports
  readonly logs: typeof ContainerLogs.Service
  readonly pace: typeof Pace.Service
  readonly gate: typeof Gate.Service
  readonly settings: LogStreamerSettings
  readonly attempts: Map<string, Attempt>
  readonly places: Map<string, Place>
  /** Opened when something may be due earlier than was thought. */
  readonly news: Latch.Latch
}

/** A region and a set of credentials: each has its own quota. */
export interface Place {
  readonly target: AwsTarget
  readonly streams: Set<LogStream>
  /** Looks under way, and those of them that wait for their turn to call. */
  looks: number
  waiting: number
  isAloneNext: boolean
}

/** An attempt whose output this replica carries. */
export interface Attempt {
  readonly started: TaskStarted
  readonly lease: Lease
  /** The run's: what is published of it, and logged, continues it. */
  readonly trace: Trace | undefined
  readonly streams: ReadonlyArray<LogStream>
  /** One publishes at a time. */
  readonly turn: Semaphore.Semaphore
  last: LastSeen
  /** When the end of the task was noticed; written by whoever notices it, at any moment, also amid a look. */
  endedAt: number | undefined
  /** When a line came last, once the task is over. */
  quietSince: number
  /** Until then there was more to read, or nothing could be read: the time for draining counts from here. */
  behindUntil: number
  /** Why it cannot be read, as of the last look. */
  unreadable: string | undefined
  isGone: boolean
}

/** One log stream of an attempt. */
export interface LogStream extends Candidate {
  readonly attempt: Attempt
  readonly reading: Reading
  readonly place: Place
  exists: boolean
  isBusy: boolean
  isAlone: boolean
  lookedAt: number
  dueAt: number
  lineAt: number
  hasStarted: boolean
  /** When CloudWatch was asked last, or could have been first. */
  askedAt: number
  /** The last look did not come to its end: the next one is due at once. */
  hasMore: boolean
  /** So long it is read alone at least: it filled whole pages. */
  aloneUntil: number
  /** Where the next page of a lone stream begins; undefined = a new look begins. */
  pass: Pass | undefined
  /** Looks in a row that heard nothing, since the task is over. */
  quietPolls: number
}

/** Reading from one start to the end, over as many pages as it takes. */
export interface Pass {
  readonly startedAt: number
  readonly isDeep: boolean
  readonly startTime: number
  readonly nextToken: string | undefined
}

export const makeDesk = (deps: Pick<Desk, "ports" | "logs" | "pace" | "gate" | "settings">): Desk => ({
  ...deps,
  attempts: new Map(),
  places: new Map(),
  news: Latch.makeUnsafe()
})

export const attemptKey = (runId: string, attempt: number): string => `${runId}.${attempt}`

/** Puts an attempt on the desk; its streams are due at once. */
export const put = (
  desk: Desk,
  given: Pick<Attempt, "started" | "lease" | "last" | "trace"> & { readonly readings: ReadonlyArray<Reading> },
  nowMillis: number
): Attempt => {
  const { last, lease, readings, started, trace } = given
  const streams: Array<LogStream> = []
  const attempt: Attempt = {
    started,
    lease,
    trace,
    streams,
    turn: Semaphore.makeUnsafe(1),
    last,
    endedAt: undefined,
    quietSince: 0,
    behindUntil: 0,
    unreadable: undefined,
    isGone: false
  }
  for (const reading of readings) streams.push(streamOf(placeFor(desk, started, reading), attempt, reading, nowMillis))
  const key = attemptKey(started.runId, started.attempt)
  const replaced = desk.attempts.get(key)
  if (replaced !== undefined) remove(desk, replaced)
  desk.attempts.set(key, attempt)
  desk.news.openUnsafe()
  return attempt
}

const placeFor = ({ places }: Desk, { target }: TaskStarted, { source }: Reading): Place => {
  const { credentials } = target
  const key = JSON.stringify([credentials, source.region])
  const known = places.get(key)
  if (known !== undefined) return known
  const place: Place = {
    target: { region: source.region, ...(credentials === undefined ? {} : { credentials }) },
    streams: new Set(),
    looks: 0,
    waiting: 0,
    isAloneNext: false
  }
  places.set(key, place)
  return place
}

const streamOf = (place: Place, attempt: Attempt, reading: Reading, nowMillis: number): LogStream => {
  const isKnown = reading.position.time > 0
  const stream: LogStream = {
    attempt,
    reading,
    place,
    group: reading.source.logGroup,
    exists: isKnown,
    hasStarted: isKnown,
    askedAt: nowMillis,
    isBusy: false,
    isAlone: false,
    lookedAt: nowMillis,
    dueAt: nowMillis,
    lineAt: reading.position.time,
    hasMore: false,
    aloneUntil: 0,
    pass: undefined,
    quietPolls: 0
  }
  place.streams.add(stream)
  return stream
}

/** The attempt is no longer ours. */
export const remove = (desk: Desk, attempt: Attempt): void => {
  const key = attemptKey(attempt.started.runId, attempt.started.attempt)
  attempt.isGone = true
  if (desk.attempts.get(key) === attempt) desk.attempts.delete(key)
  for (const stream of attempt.streams) stream.place.streams.delete(stream)
}

/**
 * The task is over: from now on silence counts, and its streams are asked for at once. A container that never was started
 * has none: of that one look at the end of the quiet time makes sure.
 */
export const markEnded = (desk: Desk, stopped: Pick<TaskStopped, EndOfTask>, nowMillis: number): void => {
  const attempt = desk.attempts.get(attemptKey(stopped.runId, stopped.attempt))
  if (attempt === undefined || attempt.endedAt !== undefined) return
  attempt.endedAt = nowMillis
  attempt.quietSince = nowMillis
  attempt.behindUntil = nowMillis
  const { drainQuietPolls, drainQuietSeconds } = desk.settings
  for (const stream of attempt.streams) {
    const isUnlikely = !stream.exists && neverStarted(stopped, stream.reading.source.container)
    stream.hasStarted = true
    stream.dueAt = nowMillis + (isUnlikely ? drainQuietSeconds * 1000 : 0)
    if (isUnlikely) stream.quietPolls = drainQuietPolls - 1
  }
  desk.news.openUnsafe()
}

type EndOfTask = "runId" | "attempt" | "reachedRunning" | "containers"

/** Attempts whose lease has gone to another replica. */
export const dropLost = (desk: Desk): void => {
  for (const attempt of desk.attempts.values()) if (!attempt.lease.isHeld()) remove(desk, attempt)
}
