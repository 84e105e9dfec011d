/**
 * Log groups, streams and events. Every event has a number of its own over the whole store: it makes the event id, breaks
 * ties in the order of reading (time, time of ingestion, number), and is the position that a token stands for.
 */
export interface LogStore {
  readonly groups: Map<string, LogGroupRecord>
  /** Streams in the order of their creation: the first ones are emptied when the store is full. */
  readonly oldest: Array<LogStreamRecord>
  readonly maxEvents: number
  events: number
  sequence: number
}

export interface LogGroupRecord {
  readonly name: string
  readonly createdAt: number
  readonly streams: Map<string, LogStreamRecord>
}

export interface LogStreamRecord {
  readonly name: string
  readonly createdAt: number
  /** In the order of reading. */
  events: Array<StoredEvent>
  /** Events that are gone from the front; positions of GetLogEvents count them. */
  dropped: number
}

export interface StoredEvent {
  readonly stream: string
  readonly timestamp: number
  readonly ingestionTime: number
  readonly sequence: number
  readonly message: string
}

/** Longer lines are split, as the awslogs driver splits them. In characters. */
export const maxLineLength = 262_144

export const makeLogStore = (maxEvents: number): LogStore => ({
  groups: new Map(),
  oldest: [],
  maxEvents,
  events: 0,
  sequence: 0
})

export const createGroup = (store: LogStore, name: string, now: number): LogGroupRecord => {
  const group: LogGroupRecord = { name, createdAt: now, streams: new Map() }
  store.groups.set(name, group)
  return group
}

export const createStream = (store: LogStore, group: LogGroupRecord, name: string, now: number): LogStreamRecord => {
  const stream: LogStreamRecord = { name, createdAt: now, events: [], dropped: 0 }
  group.streams.set(name, stream)
  store.oldest.push(stream)
  return stream
}

/** Adds one line; it can be read from `ingestionTime` on. */
export const append = (
  store: LogStore,
  stream: LogStreamRecord,
  line: { readonly timestamp: number; readonly ingestionTime: number; readonly message: string }
): void => {
  for (let start = 0; start === 0 || start < line.message.length; start += maxLineLength) {
    const message = line.message.slice(start, start + maxLineLength)
    const event = { ...line, message, stream: stream.name, sequence: store.sequence++ }
    const last = stream.events.at(-1)
    if (last === undefined || compareEvents(last, event) <= 0) stream.events.push(event)
    else stream.events.splice(indexAfter(stream.events, event), 0, event)
    store.events += 1
  }
  if (store.events > store.maxEvents) makeRoom(store)
}

export const compareEvents = (a: Position, b: Position): number =>
  a.timestamp - b.timestamp || a.ingestionTime - b.ingestionTime || a.sequence - b.sequence

/** Where reading goes on: after this event. */
export interface Position {
  readonly timestamp: number
  readonly ingestionTime: number
  readonly sequence: number
}

export const startOf = (timestamp: number): Position => ({ timestamp, ingestionTime: -1, sequence: -1 })

/** Index of the first event after the position. */
export const indexAfter = (events: ReadonlyArray<StoredEvent>, position: Position): number => {
  let [low, high] = [0, events.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const event = events[middle]
    if (event !== undefined && compareEvents(event, position) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** 56 digits, as AWS's are: no two events share one, and they rise with the time. */
export const eventId = (event: Position): string =>
  `${String(event.timestamp).padStart(20, "3")}${String(event.sequence).padStart(36, "0")}`

// A tenth at a time, so that a full store does not make room at every line.
const makeRoom = (store: LogStore): void => {
  const enough = Math.floor(store.maxEvents * 0.9)
  while (store.events > enough && store.oldest.length > 0) {
    const stream = store.oldest[0]
    if (stream === undefined) return
    const surplus = Math.min(stream.events.length, store.events - enough)
    stream.events = stream.events.slice(surplus)
    stream.dropped += surplus
    store.events -= surplus
    if (stream.events.length === 0) store.oldest.shift()
  }
}
