import type { BatchFault } from "./Fault.ts"
import { type StreamPlace, takeBatchFault } from "./faults.ts"
import { append, type LateBatch, type Line, type LogStreamRecord } from "./LogStore.ts"
import { regionOf, type World } from "./World.ts"

/**
 * How lines get into a log stream: batch by batch, each by one PutLogEvents, of a client or of a task's log driver. A
 * batch is decided upon when it begins: when it can be read, and whether it comes twice or late. So nothing waits here,
 * and no timer is needed; reading passes over what cannot be read yet.
 */

/** Docker's awslogs driver sends what it has each five seconds, or when it has so much. */
export const batchMillisMax = 5000
export const batchEventsMax = 10_000
export const batchBytesMax = 1_048_576
/** What CloudWatch Logs counts for an event beside its text. */
export const eventOverheadBytes = 26

/** A batch that comes twice: the driver's second try, so much later. */
export const secondTryMillis = 100

export interface Batch {
  /** Lines of later times belong to the next one. */
  readonly closesAt: number
  /** Epoch milliseconds. */
  readonly readableAt: number
  readonly isTwice: boolean
  readonly late?: LateBatch
  events: number
  bytes: number
}

/** A log stream that is written into. */
export interface Inlet {
  readonly world: World
  readonly place: StreamPlace
  readonly stream: LogStreamRecord
}

/** Begins the stream's next batch; a late one before it is overtaken now. */
export const openBatch = (inlet: Inlet, now: number): Batch => {
  const { world, place, stream } = inlet
  const fault = takeBatchFault(world, place, now) ?? {}
  const delayMillis = Math.round(1000 * delayOf(world, fault))
  const readableAt = Math.max(now + delayMillis, stream.readableAt)
  releaseLate(inlet, readableAt)
  const isTwice = fault.twice === true
  const batch = { closesAt: now + Math.min(batchMillisMax, delayMillis), readableAt, isTwice, events: 0, bytes: 0 }
  if (fault.lateSeconds === undefined) {
    stream.readableAt = readableAt
    return batch
  }
  stream.late = { lines: [], isTwice, lateMillis: Math.round(1000 * fault.lateSeconds), readableAt }
  return { ...batch, late: stream.late }
}

const delayOf = (world: World, { delaySeconds, delaySecondsMax }: BatchFault): number => {
  if (delaySecondsMax === undefined) return delaySeconds ?? world.options.logDelaySeconds
  const least = delaySeconds ?? 0
  return least + world.faults.chance() * (delaySecondsMax - least)
}

export const addToBatch = (inlet: Inlet, batch: Batch, line: Line): void => {
  batch.events += 1
  batch.bytes += bytesOf(line.message)
  if (batch.late === undefined) ingest(inlet, line, batch)
  else batch.late.lines.push(line)
}

/** As PutLogEvents counts it. */
export const bytesOf = (message: string): number => Buffer.byteLength(message) + eventOverheadBytes

/** No further line belongs to the batch: it is full, or over. */
export const isClosed = (batch: Batch, message: string, now: number): boolean =>
  now > batch.closesAt || batch.events >= batchEventsMax || batch.bytes + bytesOf(message) > batchBytesMax

/** Nothing more is written: what waits to be overtaken waits no longer. */
export const closeInlet = (inlet: Inlet, now: number): void =>
  releaseLate(inlet, Math.max(now, inlet.stream.late?.readableAt ?? 0))

const releaseLate = (inlet: Inlet, overtakenAt: number): void => {
  const { late } = inlet.stream
  if (late === undefined) return
  inlet.stream.late = undefined
  const batch = { readableAt: overtakenAt + late.lateMillis, isTwice: late.isTwice }
  for (const line of late.lines) ingest(inlet, line, batch)
}

const ingest = (
  { world, place, stream }: Inlet,
  line: Line,
  { readableAt, isTwice }: Pick<Batch, "readableAt" | "isTwice">
): void => {
  const { logs } = regionOf(world, place.region)
  append(logs, stream, { ...line, ingestionTime: readableAt })
  if (isTwice) append(logs, stream, { ...line, ingestionTime: readableAt + secondTryMillis })
}
