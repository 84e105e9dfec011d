import { Clock, Effect, Option } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import type { Lease } from "#bus/Consumer.ts"
import type { LogLine } from "#ecs-core/LogLine.ts"
import type { TaskStarted } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import type { LogStreamerSettings } from "./config.ts"
import { drainState, noticeBatch, positionsOf, type Reading, resume, type Silence } from "./decide.ts"
import { appendLines, type LastSeen, lastOf, type Ports, publishedLines } from "./RunLog.ts"

/** An attempt whose output this replica carries. */
export interface Attempt {
  readonly started: TaskStarted
  readonly lease: Lease
  readings: ReadonlyArray<Reading>
  last: LastSeen
  /** When the end of the task was noticed; written by whoever notices it, at any moment, also amid a round. */
  endedAt: number | undefined
  /** Counted by the rounds alone, once the task has ended. */
  silence: Silence | undefined
}

export type Attempts = Map<string, Attempt>

export const attemptKey = (runId: string, attempt: number): string => `${runId}.${attempt}`

/** Takes an attempt over: from its first line, or from where the last batch says. */
export const takeOver = (
  ports: Ports,
  settings: LogStreamerSettings,
  attempts: Attempts,
  started: TaskStarted,
  lease: Lease
): Effect.Effect<void, PublishError> =>
  Effect.gen(function* () {
    const { runId, attempt } = started
    const last = yield* lastOf(ports, runId)
    const own = positionsOf(last.message).filter((each) => each.attempt === attempt)
    if (own.length > 0 && own.every(({ drained }) => drained !== undefined)) return yield* lease.ack
    if (started.logs.sources.length === 0) return yield* publishNotice(ports, started, last, lease)
    const published = own.length === 0 ? [] : yield* publishedLines(ports, runId, attempt)
    const readings = resume(started, own, published, settings.lateSeconds * 1000)
    attempts.set(attemptKey(runId, attempt), { started, lease, readings, last, endedAt: undefined, silence: undefined })
    const stopped = yield* ports.messages.last(Streams.fleet, Subjects.taskStopped(runId, attempt))
    if (Option.isSome(stopped)) markEnded(attempts, attemptKey(runId, attempt), yield* Clock.currentTimeMillis)
  })

const publishNotice = (ports: Ports, started: TaskStarted, last: LastSeen, lease: Lease) =>
  Effect.gen(function* () {
    const { lines, position } = noticeBatch(started)
    const { drained: _drained, ...unread } = { ...position, lines: 0 }
    yield* appendLines(ports, started.runId, started.attempt, last, { lines, before: [unread], after: [position] })
    yield* lease.ack
  })

/** The task is over: from now on silence counts. */
export const markEnded = (attempts: Attempts, key: string, nowMillis: number): void => {
  const attempt = attempts.get(key)
  if (attempt !== undefined) attempt.endedAt ??= nowMillis
}

/** What one round brought for an attempt; `heard` = every stream was read to its end. */
export interface Round {
  readonly readings: ReadonlyArray<Reading>
  readonly lines: ReadonlyArray<LogLine>
  readonly heard: boolean
}

/** Publishes what a round brought; ends the attempt when it is drained or somebody else has gone on with it. */
export const carryOn = (
  ports: Ports,
  settings: LogStreamerSettings,
  attempts: Attempts,
  attempt: Attempt,
  round: Round
): Effect.Effect<void, PublishError> =>
  Effect.gen(function* () {
    const { runId, attempt: number } = attempt.started
    const now = yield* Clock.currentTimeMillis
    const silence = listen(attempt, round, now)
    const drained = silence === undefined ? undefined : drainState(silence, settings, now)
    const after = round.readings.map(({ position }) => (drained === undefined ? position : { ...position, drained }))
    if (round.lines.length > 0 || drained !== undefined) {
      const before = attempt.readings.map(({ position }) => position)
      const written = yield* appendLines(ports, runId, number, attempt.last, { lines: round.lines, before, after })
      if (written === undefined) return yield* leaveToOther(settings, attempts, attempt)
      attempt.last = written
    }
    attempt.readings = round.readings
    attempt.silence = silence
    if (drained !== undefined) {
      attempts.delete(attemptKey(runId, number))
      yield* attempt.lease.ack
      yield* Effect.logInfo("output drained", { runId, attempt: number, drained })
    }
  })

/** Only a round that heard everything and brought nothing is a quiet one; one that could not listen tells nothing. */
const listen = (attempt: Attempt, { lines, heard }: Round, now: number): Silence | undefined => {
  const { endedAt } = attempt
  if (endedAt === undefined) return undefined
  const silence = attempt.silence ?? { endedAt, quietSince: endedAt, quietPolls: 0 }
  if (lines.length > 0) return { ...silence, quietSince: now, quietPolls: 0 }
  if (!heard) return silence
  return { ...silence, quietPolls: silence.quietPolls + 1 }
}

/**
 * Our batches are refused because another replica has read further. The lease is handed back with a delay, so that our
 * heart-beats do not keep it alive for an owner that dies.
 */
const leaveToOther = (settings: LogStreamerSettings, attempts: Attempts, attempt: Attempt) =>
  Effect.gen(function* () {
    const { runId, attempt: number } = attempt.started
    attempts.delete(attemptKey(runId, number))
    yield* Effect.logWarning("another replica goes on with this attempt", { runId, attempt: number })
    yield* attempt.lease.nak(settings.leaseSeconds * 1000)
  })
