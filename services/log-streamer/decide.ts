import { instantOf, millisOf } from "#ecs-core/Instant.ts"
import {
  BATCH_BYTES_MAX,
  BATCH_LINES_MAX,
  isEnd,
  LINE_BYTES_MAX,
  type LogBatch,
  type LogEnd,
  type LogLine,
  type LogMessage,
  lineId,
  NOTICE_CONTAINER,
  type ReadPosition
} from "#ecs-core/LogLine.ts"
import type { LogSource, TaskStarted } from "#ecs-core/Messages.ts"

/**
 * Every line once, in order, whoever reads. CloudWatch shows lines late and a reader may die at any moment, so each
 * round reads some seconds back and drops what is known by its id. What is published is the only memory: every batch
 * on `logs.<runId>` carries how far all containers of all attempts were read, and is refused by JetStream unless it
 * follows the batch that its writer saw last. A successor starts from the last batch; a reader that was frozen finds
 * its attempt further on than it had read, and stops.
 */

/** A line may be dated before RunTask answered: clocks differ. */
const CLOCK_SKEW_SECONDS = 60

/** One log stream of an attempt and how far it was read. */
export interface Reading {
  readonly source: LogSource
  /** `<prefix>/<container>/<task id>` (peers 105). */
  readonly logStream: string
  readonly position: ReadPosition
  /** Epoch milliseconds from which the next round reads. */
  readonly from: number
  /** Ids of published lines that the next round will see again, with their times. */
  readonly known: ReadonlyMap<string, number>
  /** Ids of long lines whose last piece a predecessor did not publish, with the number of pieces that it did. */
  readonly begun: ReadonlyMap<string, number>
}

/** An event as CloudWatch gives it; `timestamp` in epoch milliseconds. */
export interface LogEvent {
  readonly timestamp: number
  readonly message: string
  readonly eventId: string
}

export const logStreamOf = (source: LogSource, taskArn: string): string =>
  `${source.logStreamPrefix}/${source.container}/${taskArn.split("/").at(-1)}`

/** Where reading an attempt starts: after the last batch, or before its first line. */
export const resume = (
  started: TaskStarted,
  positions: ReadonlyArray<ReadPosition>,
  published: ReadonlyArray<LogLine>,
  lateMillis: number
): ReadonlyArray<Reading> =>
  started.logs.sources.map((source) => {
    const { container } = source
    const found = positions.find((each) => each.attempt === started.attempt && each.container === container)
    const position = found ?? { attempt: started.attempt, container, time: 0, lines: 0 }
    const from =
      position.time === 0
        ? millisOf(started.createdAt ?? started.at) - CLOCK_SKEW_SECONDS * 1000
        : Math.max(0, position.time - lateMillis)
    const known = new Map<string, number>()
    const begun = new Map<string, number>()
    for (const { id, time, part, last, ...line } of published) {
      if (line.container === container && id !== undefined && millisOf(time) >= from) {
        if (part === undefined || last === true) known.set(id, millisOf(time))
        else begun.set(id, part)
      }
    }
    return { source, logStream: logStreamOf(source, started.taskArn), position, from, known, begun }
  })

export interface Taken {
  readonly reading: Reading
  readonly lines: ReadonlyArray<LogLine>
}

/**
 * The new lines among a round's events, in CloudWatch's order. One call reads many streams from the earliest of their
 * starts, so that events before this reading's own start come again and are passed over. `round` tells when the round
 * began and whether it read to the end; only then does the next one start later.
 */
export const takeNew = (
  reading: Reading,
  events: ReadonlyArray<LogEvent>,
  round: { readonly startedAt: number; readonly complete: boolean; readonly lateMillis: number }
): Taken => {
  const known = new Map(reading.known)
  const lines: Array<LogLine> = []
  let { time } = reading.position
  for (const event of events) {
    const id = lineId(event.eventId)
    if (event.timestamp >= reading.from && !known.has(id)) {
      known.set(id, event.timestamp)
      const pieces = linesOf(event, id, reading.source.container, event.timestamp < time)
      lines.push(...pieces.slice(reading.begun.get(id) ?? 0))
      time = Math.max(time, event.timestamp)
    }
  }
  const readTo = round.complete ? round.startedAt - round.lateMillis : time - round.lateMillis
  const from = Math.max(reading.from, readTo)
  const position = { ...reading.position, time, lines: reading.position.lines + lines.length }
  for (const [id, at] of known) if (at < from) known.delete(id)
  return { reading: { ...reading, position, from, known }, lines }
}

const linesOf = (event: LogEvent, id: string, container: string, late: boolean): ReadonlyArray<LogLine> => {
  const line = { time: instantOf(event.timestamp), container, id, ...(late ? { late: true } : {}) }
  const pieces = piecesOf(event.message, LINE_BYTES_MAX)
  if (pieces.length === 1) return [{ ...line, text: event.message }]
  return pieces.map((text, at) => ({
    ...line,
    text,
    part: at + 1,
    ...(at === pieces.length - 1 ? { last: true } : {})
  }))
}

/** Cuts a text so that no piece is longer than `bytesMax` as JSON; characters stay whole. */
export const piecesOf = (text: string, bytesMax: number): ReadonlyArray<string> => {
  if (jsonBytes(text) <= bytesMax) return [text]
  const characters = [...text]
  const middle = Math.ceil(characters.length / 2)
  return [characters.slice(0, middle), characters.slice(middle)].flatMap((half) => piecesOf(half.join(""), bytesMax))
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** Lines in batches of at most 100 lines and 64 KiB. */
export const inBatches = (lines: ReadonlyArray<LogLine>): ReadonlyArray<ReadonlyArray<LogLine>> => {
  const batches: Array<Array<LogLine>> = []
  let bytes = 0
  for (const line of lines) {
    const size = jsonBytes(line) + 1
    const last = batches.at(-1)
    if (last === undefined || last.length >= BATCH_LINES_MAX || bytes + size > BATCH_BYTES_MAX) {
      batches.push([line])
      bytes = size
    } else {
      last.push(line)
      bytes += size
    }
  }
  return batches
}

/** Positions with mine put in their places; those of other attempts stay. */
export const mergePositions = (
  all: ReadonlyArray<ReadPosition>,
  mine: ReadonlyArray<ReadPosition>
): ReadonlyArray<ReadPosition> => {
  const isMine = (each: ReadPosition) => mine.some((own) => samePlace(own, each))
  return [...all.filter((each) => !isMine(each)), ...mine]
}

const samePlace = (a: ReadPosition, b: ReadPosition): boolean => a.attempt === b.attempt && a.container === b.container

/** A batch was refused: either another attempt wrote in between, or somebody else reads this attempt now. */
export const afterRefusal = (
  last: LogMessage | undefined,
  mine: ReadonlyArray<ReadPosition>
): { readonly _tag: "Zombie" } | { readonly _tag: "Rebase"; readonly positions: ReadonlyArray<ReadPosition> } => {
  const positions = positionsOf(last)
  if (last !== undefined && isEnd(last)) return { _tag: "Zombie" }
  const beyond = mine.some((own) =>
    positions.some((each) => samePlace(own, each) && (each.lines > own.lines || each.drained !== undefined))
  )
  return beyond ? { _tag: "Zombie" } : { _tag: "Rebase", positions }
}

export const positionsOf = (last: LogMessage | undefined): ReadonlyArray<ReadPosition> =>
  last === undefined ? [] : isEnd(last) ? last.end.containers : last.positions

/** How long an ended attempt has been silent. */
export interface Silence {
  readonly endedAt: number
  readonly quietSince: number
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
  return nowMillis - silence.endedAt >= rule.drainMaxSeconds * 1000 ? "cut" : undefined
}

/** The batch of an attempt that has nothing to read: its notice, and at once its end. */
export const noticeBatch = (
  started: TaskStarted
): Omit<LogBatch, "positions"> & { readonly position: ReadPosition } => {
  const { attempt, at, logs } = started
  const lines = logs.notice === undefined ? [] : [{ time: at, container: NOTICE_CONTAINER, text: logs.notice }]
  const time = lines.length === 0 ? 0 : millisOf(at)
  const position = { attempt, container: NOTICE_CONTAINER, time, lines: lines.length, drained: "complete" as const }
  return { attempt, lines, position }
}

/** The end marker, once every attempt that had a task is drained; undefined = not yet. */
export const endOf = (
  positions: ReadonlyArray<ReadPosition>,
  startedAttempts: ReadonlyArray<number>
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
      complete: positions.every(({ drained }) => drained !== "cut")
    }
  }
}
