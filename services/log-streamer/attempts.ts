import { Clock, Effect, Metric } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import type { Lease } from "#bus/Consumer.ts"
import { currentTrace, inTrace } from "#bus/Trace.ts"
import { NOTICE_CONTAINER, type ReadPosition } from "#ecs-core/LogLine.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { Subjects } from "#ecs-core/Subjects.ts"
import { lastFact } from "#process/Handling.ts"
import type { Piece } from "./batches.ts"
import { type Attempt, type Desk, type LogStream, markEnded, put, remove } from "./Desk.ts"
import {
  bytesLeftOf,
  drainState,
  lastWords,
  mergePositions,
  needsPositions,
  noticePosition,
  noticesOf,
  positionAfter,
  positionsOf,
  progressOf,
  withinLimit
} from "./decide.ts"
import * as metrics from "./metrics.ts"
import { appendLines, type LastSeen, lastOf, publishedSince } from "./RunLog.ts"
import { accept, bound, resume, resumeTime, settle, type Taken } from "./reading.ts"

/** Takes an attempt over: from its first line, or from where the last batch says. */
export const takeOver = (desk: Desk, started: TaskStarted, lease: Lease): Effect.Effect<void, PublishError> =>
  Effect.gen(function* () {
    const { attempt, runId } = started
    const { ports, settings } = desk
    const seen = yield* lastOf(ports, runId)
    const own = positionsOf(seen.message).filter((each) => each.attempt === attempt)
    if (own.length > 0 && own.every(({ drained }) => drained !== undefined)) return yield* lease.ack
    const last = own.length === 0 ? yield* publishNotices(desk, started, seen) : seen
    if (last === undefined) return yield* lease.nak(settings.leaseSeconds * 1000)
    if (started.logs.sources.length === 0) return yield* lease.ack
    const lateMillis = settings.lateSeconds * 1000
    const begun = own.filter((each) => each.container !== NOTICE_CONTAINER && progressOf(each) > 0)
    const since = Math.min(...begun.map((position) => resumeTime(position, started, lateMillis)))
    const published = begun.length === 0 ? [] : yield* publishedSince(ports, runId, attempt, since)
    const readings = resume(started, own, published, lateMillis)
    put(desk, { started, lease, last, readings, trace: yield* currentTrace }, yield* Clock.currentTimeMillis)
    const stopped = yield* lastFact(ports.messages, Subjects.taskStopped(runId, attempt), Codecs.taskStopped)
    if (stopped !== undefined) markEnded(desk, stopped, yield* Clock.currentTimeMillis)
  })

/** Why there will be no lines, before the first one; where nothing is to be read, the attempt is drained with it. */
const publishNotices = (
  { ports }: Desk,
  started: TaskStarted,
  last: LastSeen
): Effect.Effect<LastSeen | undefined, PublishError> => {
  const { attempt, logs, runId } = started
  const pieces = noticesOf(started)
  const isAll = logs.sources.length === 0
  if (pieces.length === 0 && !isAll) return Effect.succeed(last)
  const before = noticePosition(attempt)
  const after = positionAfter(before, pieces, { time: pieces[0]?.time ?? 0, leftOut: 0 })
  return appendLines(ports, runId, attempt, last, {
    pieces,
    before: [before],
    after: [isAll ? { ...after, drained: "complete" } : after]
  })
}

/** What a look brought of one of an attempt's streams; `isHeard`: it was read to its end. */
export interface Brought {
  readonly stream: LogStream
  readonly taken: Taken
  readonly isHeard: boolean
}

/** Publishes what a look brought; ends the attempt when it is drained or somebody else has gone on with it. */
export const carryOn = (
  desk: Desk,
  attempt: Attempt,
  brought: ReadonlyArray<Brought>
): Effect.Effect<void, PublishError> =>
  attempt.turn.withPermit(
    Effect.gen(function* () {
      if (attempt.isGone) return
      const now = yield* Clock.currentTimeMillis
      const plan = planOf(desk, attempt, brought, now)
      if (plan.isNeeded) {
        const { attempt: number, runId } = attempt.started
        const written = yield* appendLines(desk.ports, runId, number, attempt.last, plan)
        if (written === undefined) return yield* leaveToOther(desk, attempt)
        attempt.last = written
        yield* countLines(plan.pieces, now)
      }
      for (const each of brought) acceptBrought(desk, each, plan.positions.get(each.stream), now)
      if (plan.drained !== undefined) yield* finish(desk, attempt, plan.drained)
    }).pipe(inTrace(attempt.trace))
  )

const countLines = (pieces: ReadonlyArray<Piece>, now: number): Effect.Effect<void> =>
  pieces.length === 0
    ? Effect.void
    : Effect.andThen(
        Metric.update(metrics.lines, pieces.filter(({ isFirst }) => isFirst).length),
        Metric.update(metrics.lineDelaySeconds, Math.max(0, now - oldestOf(pieces)) / 1000)
      )

const oldestOf = (pieces: ReadonlyArray<Piece>): number =>
  pieces.reduce((oldest, { time }) => Math.min(oldest, time), Number.POSITIVE_INFINITY)

interface Plan {
  readonly pieces: ReadonlyArray<Piece>
  readonly before: ReadonlyArray<ReadPosition>
  readonly after: ReadonlyArray<ReadPosition>
  readonly positions: ReadonlyMap<LogStream, ReadPosition>
  readonly drained: "complete" | "cut" | undefined
  readonly isNeeded: boolean
}

const planOf = (desk: Desk, attempt: Attempt, brought: ReadonlyArray<Brought>, now: number): Plan => {
  const { settings } = desk
  const notices = noticesIn(attempt)
  const before = [...notices, ...attempt.streams.map(({ reading }) => reading.position)]
  const all = mergePositions(positionsOf(attempt.last.message), before)
  const { isCounting, pieces, positions } = limited(brought, bytesLeftOf(all, settings.runBytesMax))
  const drained = drainedNow(desk, attempt, brought, now)
  const read = attempt.streams.map((stream) => positions.get(stream) ?? stream.reading.position)
  const unreadable = drained === "cut" ? attempt.unreadable : undefined
  const words = drained === undefined ? [] : lastWords(read, { ...settings, unreadable }, now)
  const told = words.length === 0 ? notices : [noticesAfter(attempt, notices, words)]
  const after = [...told, ...read].map((position) => (drained === undefined ? position : { ...position, drained }))
  const isOld = needsPositions(now - (attempt.last.time ?? now), isCounting, settings)
  return {
    pieces: [...inOrder(pieces), ...words],
    before,
    after,
    positions,
    drained,
    isNeeded: pieces.length > 0 || drained !== undefined || isOld
  }
}

const noticesIn = ({ last, started }: Attempt): ReadonlyArray<ReadPosition> =>
  positionsOf(last.message).filter(
    ({ attempt, container }) => attempt === started.attempt && container === NOTICE_CONTAINER
  )

const noticesAfter = (
  { started }: Attempt,
  [known]: ReadonlyArray<ReadPosition>,
  words: ReadonlyArray<Piece>
): ReadPosition =>
  positionAfter(known ?? noticePosition(started.attempt), words, { time: words[0]?.time ?? 0, leftOut: 0 })

/** What may be published of what was brought, and the positions behind it. */
const limited = (brought: ReadonlyArray<Brought>, bytesLeft: number) => {
  const pieces: Array<Piece> = []
  const positions = new Map<LogStream, ReadPosition>()
  let left = bytesLeft
  for (const { stream, taken } of brought) {
    const { leftOut, published } = withinLimit(taken.pieces, left)
    left = leftOut > 0 ? 0 : published.reduce((bytes, piece) => bytes - piece.bytes, left)
    for (const piece of published) pieces.push(piece)
    positions.set(stream, positionAfter(stream.reading.position, published, { time: taken.time, leftOut }))
  }
  return { pieces, positions, isCounting: [...positions.values()].some(({ leftOut = 0 }) => leftOut > 0) }
}

/** Lines of several containers by their times; each container's own stay in their order. */
const inOrder = (pieces: ReadonlyArray<Piece>): ReadonlyArray<Piece> => {
  const [first] = pieces
  return pieces.every(({ container }) => container === first?.container)
    ? pieces
    : pieces.toSorted((one, other) => one.time - other.time)
}

/** Counts the silence of an attempt whose task is over, and says whether it was long enough. */
const drainedNow = (
  { settings }: Desk,
  attempt: Attempt,
  brought: ReadonlyArray<Brought>,
  now: number
): "complete" | "cut" | undefined => {
  const { endedAt } = attempt
  if (endedAt === undefined) return undefined
  for (const { isHeard, stream, taken } of brought) {
    if (taken.look.isCut) attempt.behindUntil = now
    if (taken.pieces.length > 0) {
      attempt.quietSince = now
      stream.quietPolls = 0
    } else if (isHeard && taken.look.startedAt >= endedAt) stream.quietPolls++
  }
  const quietPolls = Math.min(...attempt.streams.map((stream) => stream.quietPolls))
  return drainState({ drainingSince: attempt.behindUntil, quietSince: attempt.quietSince, quietPolls }, settings, now)
}

const acceptBrought = (
  { settings }: Desk,
  { isHeard, stream, taken }: Brought,
  position: ReadPosition | undefined,
  now: number
): void => {
  accept(stream.reading, taken, position ?? stream.reading.position)
  if (isHeard && taken.look.isDeep) settle(stream.reading, taken.look, settings.lateSeconds * 1000)
  bound(stream.reading)
  if (taken.pieces.length > 0) stream.lineAt = now
}

const finish = (desk: Desk, attempt: Attempt, drained: "complete" | "cut") =>
  Effect.gen(function* () {
    remove(desk, attempt)
    yield* attempt.lease.ack
    const { attempt: number, runId } = attempt.started
    yield* Effect.logInfo("output drained", { runId, attempt: number, drained })
  })

/**
 * Our batches are refused because another replica has read further. The lease is handed back with a delay, so that our
 * heart-beats do not keep it alive for an owner that dies.
 */
const leaveToOther = (desk: Desk, attempt: Attempt) =>
  Effect.gen(function* () {
    const { attempt: number, runId } = attempt.started
    remove(desk, attempt)
    yield* Effect.logWarning("another replica goes on with this attempt", { runId, attempt: number })
    yield* attempt.lease.nak(desk.settings.leaseSeconds * 1000)
  })
