import { Heap } from "./Heap.ts"
import type { LogStreamRecord } from "./LogStore.ts"
import { compareEvents, type Position, type StoredEvent } from "./StreamEvents.ts"

/** A page ends at so many bytes of text, though it always has one event. AWS: 1 MB. */
export const maxPageBytes = 1_000_000

/** Which events are wanted. */
export interface Range {
  /** Epoch milliseconds, included. */
  readonly start: number | undefined
  /** Epoch milliseconds, not included. */
  readonly end: number | undefined
  readonly isWanted: (event: StoredEvent) => boolean
}

export interface Found {
  readonly stream: LogStreamRecord
  readonly event: StoredEvent
}

interface Cursor extends Found {
  readonly index: number
}

const comesBefore = (a: Found, b: Found): boolean => compareEvents(a.event, b.event) < 0

/**
 * The first events after a position over all the streams, in the order of reading. Each stream is searched by halves and
 * then read only as far as the page goes, so that a page costs the same at the end of a million events as at their start.
 */
export const mergedPage = (
  streams: ReadonlyArray<LogStreamRecord>,
  position: Position,
  limit: number,
  range: Range
): { readonly events: ReadonlyArray<Found>; readonly hasMore: boolean } => {
  const cursors = new Heap<Cursor>(comesBefore)
  for (const stream of streams) {
    const cursor = cursorFrom(stream, stream.events.indexAfter(position), range)
    if (cursor !== undefined) cursors.push(cursor)
  }
  const events: Array<Found> = []
  let bytes = 0
  for (let next = cursors.first; next !== undefined && events.length < limit; next = cursors.first) {
    bytes += Buffer.byteLength(next.event.message)
    if (bytes > maxPageBytes && events.length > 0) break
    events.push(next)
    const following = cursorFrom(next.stream, next.index + 1, range)
    if (following === undefined) cursors.pop()
    else cursors.replaceFirst(following)
  }
  return { events, hasMore: cursors.size > 0 }
}

/** The first wanted event of a stream from an index on. */
const cursorFrom = (stream: LogStreamRecord, from: number, { start = 0, end, isWanted }: Range): Cursor | undefined => {
  for (let index = from; index < stream.events.length; index++) {
    const event = stream.events.at(index)
    if (event === undefined || (end !== undefined && event.timestamp >= end)) return undefined
    if (event.timestamp >= start && isWanted(event)) return { stream, event, index }
  }
  return undefined
}

/** The last events up to a position, in the order of reading. */
export const pageBefore = (
  stream: LogStreamRecord,
  position: Position,
  limit: number,
  { start = 0, end, isWanted }: Range
): ReadonlyArray<Found> => {
  const events: Array<Found> = []
  let bytes = 0
  for (let index = stream.events.indexAfter(position) - 1; index >= 0 && events.length < limit; index--) {
    const event = stream.events.at(index)
    if (event === undefined || event.timestamp < start) break
    if ((end !== undefined && event.timestamp >= end) || !isWanted(event)) continue
    bytes += Buffer.byteLength(event.message)
    if (bytes > maxPageBytes && events.length > 0) break
    events.push({ stream, event })
  }
  return events.toReversed()
}
