import { instantOf, millisOf } from "#ecs-core/Instant.ts"
import {
  isEnd,
  type LogEnd,
  type LogLine,
  type LogMessage,
  NOTICE_CONTAINER,
  type ReadPosition
} from "#ecs-core/LogLine.ts"
import { logNotices } from "#ecs-core/LogPlan.ts"
import type { RunFinished, TaskStarted, TaskStopped } from "#ecs-core/Messages.ts"
import { type Piece, pieceOf } from "./batches.ts"

/**
 * What is published is the only memory: every batch on `logs.<runId>` carries how far all containers of all attempts
 * were read, and is refused by JetStream unless it follows the batch that its writer saw last. A successor starts from
 * the last batch; a reader that was frozen finds its attempt further on than it had read, and stops.
 */

/** Positions with mine put in their places; those of other attempts stay. */
export const mergePositions = (
  all: ReadonlyArray<ReadPosition>,
  mine: ReadonlyArray<ReadPosition>
): ReadonlyArray<ReadPosition> => {
  const isMine = (each: ReadPosition) => mine.some((own) => samePlace(own, each))
  return [...all.filter((each) => !isMine(each)), ...mine]
}

const samePlace = (a: ReadPosition, b: ReadPosition): boolean => a.attempt === b.attempt && a.container === b.container

/** Lines that were read, published or not. */
export const progressOf = ({ leftOut = 0, lines }: ReadPosition): number => lines + leftOut

/** A batch was refused: either another attempt wrote in between, or somebody else reads this attempt now. */
export const afterRefusal = (
  last: LogMessage | undefined,
  mine: ReadonlyArray<ReadPosition>
): { readonly _tag: "Zombie" } | { readonly _tag: "Rebase"; readonly positions: ReadonlyArray<ReadPosition> } => {
  const positions = positionsOf(last)
  if (last !== undefined && isEnd(last)) return { _tag: "Zombie" }
  const beyond = mine.some((own) =>
    positions.some((each) => samePlace(own, each) && (progressOf(each) > progressOf(own) || each.drained !== undefined))
  )
  return beyond ? { _tag: "Zombie" } : { _tag: "Rebase", positions }
}

export const positionsOf = (last: LogMessage | undefined): ReadonlyArray<ReadPosition> =>
  last === undefined ? [] : isEnd(last) ? last.end.containers : last.positions

/** Lines for a container of which `bytesLeft` may still be published; what does not fit is counted. */
export const withinLimit = (
  pieces: ReadonlyArray<Piece>,
  bytesLeft: number
): { readonly published: ReadonlyArray<Piece>; readonly leftOut: number } => {
  let bytes = 0
  const end = pieces.findIndex((piece) => (bytes += piece.bytes) > bytesLeft)
  if (end < 0) return { published: pieces, leftOut: 0 }
  const left = pieces.slice(end)
  return { published: pieces.slice(0, end), leftOut: left.filter(({ isFirst }) => isFirst).length }
}

/** How much of a run may still be published; once anything was left out, nothing more is. */
export const bytesLeftOf = (positions: ReadonlyArray<ReadPosition>, runBytesMax: number): number =>
  positions.some(({ leftOut = 0 }) => leftOut > 0)
    ? 0
    : runBytesMax - positions.reduce((sum, { bytes = 0 }) => sum + bytes, 0)

/** The position of a container behind these lines. */
export const positionAfter = (
  before: ReadPosition,
  published: ReadonlyArray<Piece>,
  read: { readonly time: number; readonly leftOut: number }
): ReadPosition => {
  const bytes = published.reduce((sum, piece) => sum + piece.bytes, before.bytes ?? 0)
  const leftOut = (before.leftOut ?? 0) + read.leftOut
  return {
    ...before,
    time: Math.max(before.time, read.time),
    lines: before.lines + published.length,
    ...(bytes === 0 ? {} : { bytes }),
    ...(leftOut === 0 ? {} : { leftOut })
  }
}

/** Whether a container of a task that is over cannot have written anything, as far as ECS tells. */
export const neverStarted = (
  { containers, reachedRunning }: Pick<TaskStopped, "containers" | "reachedRunning">,
  container: string
): boolean =>
  reachedRunning !== true && !containers.some(({ exitCode, name }) => name === container && exitCode !== undefined)

/** How long an ended attempt has been silent; each counted since the last thing that was heard of it. */
export interface Silence {
  /** The task was over, and what was there then was read; since then lines may still come late. */
  readonly drainingSince: number
  readonly quietSince: number
  /** Of the stream that was asked least often since. */
  readonly quietPolls: number
}

export interface DrainRule {
  readonly drainQuietSeconds: number
  readonly drainQuietPolls: number
  readonly drainMaxSeconds: number
}

/** Whether an ended attempt has been read to its end. */
export const drainState = (silence: Silence, rule: DrainRule, nowMillis: number): "complete" | "cut" | undefined => {
  const quiet = nowMillis - silence.quietSince >= rule.drainQuietSeconds * 1000
  if (quiet && silence.quietPolls >= rule.drainQuietPolls) return "complete"
  return nowMillis - silence.drainingSince >= rule.drainMaxSeconds * 1000 ? "cut" : undefined
}

/** A line of the fleet's own. */
export const noticePiece = (text: string, nowMillis: number): Piece =>
  pieceOf({ time: instantOf(nowMillis), container: NOTICE_CONTAINER, text })

/** Why an attempt, or some of its containers, will have no lines; told before its first line. */
export const noticesOf = ({ at, logs }: TaskStarted): ReadonlyArray<Piece> =>
  logNotices(logs).map((text) => noticePiece(text, millisOf(at)))

/** Where the notices of an attempt stand: it has this position even if there are none, where nothing else is read. */
export const noticePosition = (attempt: number): ReadPosition => ({
  attempt,
  container: NOTICE_CONTAINER,
  time: 0,
  lines: 0
})

/** Said at the end of an attempt whose lines are not all here. */
export const lastWords = (
  positions: ReadonlyArray<ReadPosition>,
  { runBytesMax, unreadable }: { readonly runBytesMax: number; readonly unreadable: string | undefined },
  nowMillis: number
): ReadonlyArray<Piece> => {
  const left = positions.flatMap(({ container, leftOut = 0 }) =>
    leftOut === 0
      ? []
      : [`${leftOut} lines of container "${container}" are not shown: a run keeps ${runBytesMax} bytes of output.`]
  )
  const unread = unreadable === undefined ? [] : [`The output could not be read to its end: ${unreadable}`]
  return [...left, ...unread].map((text) => noticePiece(text, nowMillis))
}

/** Positions are repeated when they have not been stored for so long: a share of the stream's age, which drops them. */
const REPEAT_SHARE = 0.5
/** Lines that are left out are counted in a batch of positions so often. */
export const COUNT_SECONDS = 10

/** Whether positions have to be stored though there is no line to publish. */
export const needsPositions = (
  sinceMillis: number,
  isCounting: boolean,
  { logsAgeSeconds }: { readonly logsAgeSeconds: number }
): boolean => sinceMillis >= 1000 * (isCounting ? COUNT_SECONDS : logsAgeSeconds * REPEAT_SHARE)

/** Wait before an end marker is tried again while an attempt is still being drained: 200 ms, growing to 2 s. */
export const endRetryMillis = (deliveries: number): number => Math.min(2000, Math.round(200 * 1.5 ** (deliveries - 1)))

/** The end marker, once every attempt that had a task is drained; undefined = not yet. */
export const endOf = (
  positions: ReadonlyArray<ReadPosition>,
  startedAttempts: ReadonlyArray<number>,
  { error, exitCode, outcome }: Pick<RunFinished, "outcome" | "exitCode" | "error">
): LogEnd | undefined => {
  const isDrained = (attempt: number) => {
    const own = positions.filter((each) => each.attempt === attempt)
    return own.length > 0 && own.every(({ drained }) => drained !== undefined)
  }
  if (!startedAttempts.every(isDrained)) return undefined
  return {
    end: {
      lines: positions.reduce((sum, { lines }) => sum + lines, 0),
      containers: positions,
      complete: positions.every(({ drained, leftOut }) => drained !== "cut" && leftOut === undefined),
      outcome,
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(error === undefined ? {} : { error })
    }
  }
}

/** The marker with the run's last lines. */
export const withTail = ({ end, ...rest }: LogEnd, tail: ReadonlyArray<LogLine>): LogEnd => ({
  ...rest,
  end: tail.length === 0 ? end : { ...end, tail }
})
