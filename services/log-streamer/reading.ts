import { instantOf, millisOf } from "#ecs-core/Instant.ts"
import { LINE_BYTES_MAX, type LogLine, lineId, type ReadPosition } from "#ecs-core/LogLine.ts"
import type { LogSource, TaskStarted } from "#ecs-core/Messages.ts"
import { type Piece, piecesOf } from "./batches.ts"

/**
 * Reading one log stream, every line once and in order. CloudWatch shows a container's lines in the order of their
 * times, some seconds after they were written; now and then one comes later than younger ones. So most looks begin at
 * the youngest line that was seen, and every few seconds a deep one begins further back, where late lines may still turn
 * up. What comes again is known by its id and time. Nothing of this is stored but the position of the last batch: a
 * successor looks back as far as a deep look does, and learns the ids from what is published.
 */

/** A line may be dated before RunTask answered: clocks differ. */
const CLOCK_SKEW_SECONDS = 60

/** A deep look comes so often. */
export const DEEP_LOOK_SECONDS = 10

/** Ids that are remembered of one stream; of more, the older half is forgotten, and late lines among them are missed. */
export const KNOWN_MAX = 100_000

/** How far one log stream of an attempt was read; changed only by `accept`, once what was taken is published. */
export interface Reading {
  readonly source: LogSource
  /** `<prefix>/<container>/<task id>` (peers 105). */
  readonly logStream: string
  position: ReadPosition
  /** Here a deep look begins: older lines have all been taken. Epoch milliseconds, as all times here. */
  from: number
  /** Here any other look begins: up to here all has been taken but what comes late. */
  readTo: number
  /** When the last complete deep look began; 0 = never. */
  deepAt: number
  /** Ids of lines from `from` on, with their times. */
  readonly known: Map<string, number>
  /** Ids of long lines whose last piece a predecessor did not publish, with the number of pieces that it did. */
  readonly begun: Map<string, number>
}

/** An event as CloudWatch gives it; `timestamp` in epoch milliseconds. */
export interface LogEvent {
  readonly timestamp: number
  readonly message: string
  readonly eventId: string
}

export const logStreamOf = (source: LogSource, taskArn: string): string =>
  `${source.logStreamPrefix}/${source.container}/${taskArn.split("/").at(-1)}`

/** Lines that a predecessor published, as far as reading goes on among them. */
export type PublishedLine = Pick<LogLine, "container" | "id" | "time" | "part" | "last">

/**
 * Where a successor begins: as far behind the last line as lines may come late, and then wait for a deep look while
 * younger ones are published. Lines that were left out are nowhere to be known again, and are not counted twice.
 */
export const resumeTime = (position: ReadPosition | undefined, started: TaskStarted, lateMillis: number): number => {
  if (position === undefined || position.time === 0) {
    return millisOf(started.createdAt ?? started.at) - CLOCK_SKEW_SECONDS * 1000
  }
  const unseenMillis = lateMillis + DEEP_LOOK_SECONDS * 1000
  return position.leftOut === undefined ? Math.max(0, position.time - unseenMillis) : position.time + 1
}

/** Where reading an attempt starts: after the last batch, or before its first line. */
export const resume = (
  started: TaskStarted,
  positions: ReadonlyArray<ReadPosition>,
  published: ReadonlyArray<PublishedLine>,
  lateMillis: number
): ReadonlyArray<Reading> =>
  started.logs.sources.map((source) => {
    const { container } = source
    const found = positions.find((each) => each.attempt === started.attempt && each.container === container)
    const from = resumeTime(found, started, lateMillis)
    const reading: Reading = {
      source,
      logStream: logStreamOf(source, started.taskArn),
      position: found ?? { attempt: started.attempt, container, time: 0, lines: 0 },
      from,
      readTo: from,
      deepAt: 0,
      known: new Map(),
      begun: new Map()
    }
    for (const line of published) if (line.container === container) remember(reading, line)
    return reading
  })

const remember = ({ begun, from, known }: Reading, { id, last, part, time }: PublishedLine): void => {
  const millis = millisOf(time)
  if (id === undefined || millis < from) return
  if (part === undefined || last === true) known.set(id, millis)
  else begun.set(id, part)
}

/** One look at a stream. */
export interface Look {
  /** When it began. */
  readonly startedAt: number
  /** It began at `from`. */
  readonly isDeep: boolean
  /** There was more: it was not read to its end … */
  readonly isCut: boolean
  /** … but of this stream up to here; undefined = nobody knows. */
  readonly reached: number | undefined
}

/** What a look brought; nothing has changed until it is accepted. */
export interface Taken {
  readonly pieces: ReadonlyArray<Piece>
  readonly known: ReadonlyMap<string, number>
  /** Of the youngest line. */
  readonly time: number
  readonly look: Look
}

/**
 * The new lines among the events of a look, in CloudWatch's order. One call reads many streams from the earliest of their
 * starts, so that events before this reading's own start come again and are passed over.
 */
export const take = (reading: Reading, events: ReadonlyArray<LogEvent>, look: Look): Taken => {
  const known = new Map<string, number>()
  const pieces: Array<Piece> = []
  let { time } = reading.position
  for (const { eventId, message, timestamp } of events) {
    if (timestamp < reading.from) continue
    const id = lineId(eventId)
    const isYoungest = timestamp > time
    if (!isYoungest && (reading.known.get(id) === timestamp || known.get(id) === timestamp)) continue
    known.set(id, timestamp)
    const line = {
      time: instantOf(timestamp),
      container: reading.source.container,
      id,
      ...(timestamp < time ? { late: true } : {})
    }
    const all = piecesOf(line, message, LINE_BYTES_MAX, timestamp)
    const skipped = reading.begun.get(id) ?? 0
    pieces.push(...(skipped === 0 ? all : all.slice(skipped)))
    time = Math.max(time, timestamp)
  }
  return { pieces, known, time, look }
}

/** The look's lines are published, under this position. */
export const accept = (reading: Reading, { known, look, time }: Taken, position: ReadPosition): void => {
  reading.position = position
  for (const [id, at] of known) reading.known.set(id, at)
  reading.readTo = Math.max(reading.readTo, time, look.reached ?? 0)
}

/** A complete deep look: what is older than lines can be late has all been taken. */
export const settle = (reading: Reading, { startedAt }: Look, lateMillis: number): void => {
  reading.deepAt = startedAt
  forgetBefore(reading, startedAt - lateMillis)
}

/** Keeps the ids of a stream that is louder than is remembered within bounds. */
export const bound = (reading: Reading, knownMax = KNOWN_MAX): void => {
  if (reading.known.size <= knownMax) return
  const times = [...reading.known.values()].toSorted((a, b) => a - b)
  forgetBefore(reading, Math.min(times[Math.floor(times.length / 2)] ?? 0, reading.readTo))
}

const forgetBefore = (reading: Reading, from: number): void => {
  if (from <= reading.from) return
  reading.from = from
  reading.readTo = Math.max(reading.readTo, from)
  for (const [id, at] of reading.known) if (at < from) reading.known.delete(id)
}

/** Whether the next look has to be a deep one: from time to time, and always once the task is over. */
export const isDeepDue = (reading: Reading, isOver: boolean, nowMillis: number): boolean =>
  isOver || nowMillis - reading.deepAt >= DEEP_LOOK_SECONDS * 1000

/** Where a look begins. */
export const startOf = (reading: Reading, isDeep: boolean): number => (isDeep ? reading.from : reading.readTo)
