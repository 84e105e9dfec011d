import { type Position, StreamEvents } from "./StreamEvents.ts"

/**
 * Log groups, streams and events. Every event has a number of its own over the whole store: it makes the event id, breaks
 * ties in the order of reading, and is the position that a token stands for.
 */
export interface LogStore {
  readonly groups: Map<string, LogGroupRecord>
  /** Streams in the order of their creation: the first ones are emptied when the store is full. */
  readonly streams: Array<LogStreamRecord>
  readonly maxEvents: number
  readonly maxCharacters: number
  events: number
  characters: number
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
  /** Of the task whose output it is. */
  readonly startedBy?: string | undefined
  /** Epoch milliseconds until which nobody who reads is told of it. */
  readonly missingUntil: number
  readonly events: StreamEvents
  /** From then on the newest batch can be read: no later one can be read earlier. */
  readableAt: number
  /** A batch that waits to be overtaken by the next one. */
  late?: LateBatch | undefined
}

/** A batch of which nothing can be read before the stream's next batch can. */
export interface LateBatch {
  readonly lines: Array<Line>
  readonly isTwice: boolean
  /** So long after the one that overtakes it. */
  readonly lateMillis: number
  /** When it could be read if it were not late. */
  readonly readableAt: number
}

export interface Line {
  readonly timestamp: number
  readonly message: string
}

/** What a full store keeps: the rest goes at once, so that it does not make room at every line. */
const keptShare = 0.9

export const makeLogStore = ({
  maxEvents,
  maxCharacters
}: Pick<LogStore, "maxEvents" | "maxCharacters">): LogStore => ({
  groups: new Map(),
  streams: [],
  maxEvents,
  maxCharacters,
  events: 0,
  characters: 0,
  sequence: 0
})

export const createGroup = (store: LogStore, name: string, now: number): LogGroupRecord => {
  const group: LogGroupRecord = { name, createdAt: now, streams: new Map() }
  store.groups.set(name, group)
  return group
}

export const createStream = (
  store: LogStore,
  group: LogGroupRecord,
  name: string,
  now: number,
  more: { readonly startedBy?: string | undefined; readonly missingSeconds?: number | undefined } = {}
): LogStreamRecord => {
  const stream: LogStreamRecord = {
    name,
    createdAt: now,
    startedBy: more.startedBy,
    missingUntil: now + (more.missingSeconds ?? 0) * 1000,
    events: new StreamEvents(),
    readableAt: 0
  }
  group.streams.set(name, stream)
  store.streams.push(stream)
  return stream
}

/** Adds one line; it can be read from `ingestionTime` on. */
export const append = (
  store: LogStore,
  stream: LogStreamRecord,
  line: Line & { readonly ingestionTime: number }
): void => {
  const { timestamp, ingestionTime, message } = line
  stream.events.add({ timestamp, ingestionTime, message, sequence: store.sequence++ })
  store.events += 1
  store.characters += message.length
  if (store.events > store.maxEvents || store.characters > store.maxCharacters) makeRoom(store)
}

/** 56 digits, as AWS's are: no two events share one, and they rise with the time. */
export const eventId = (event: Position): string =>
  `${String(event.timestamp).padStart(20, "3")}${String(event.sequence).padStart(36, "0")}`

const makeRoom = (store: LogStore): void => {
  const surplus = (kept: number, max: number) => (kept > max ? kept - Math.floor(max * keptShare) : 0)
  let events = surplus(store.events, store.maxEvents)
  let characters = surplus(store.characters, store.maxCharacters)
  for (const stream of store.streams) {
    if (events <= 0 && characters <= 0) return
    const dropped = stream.events.dropFirst(events, characters)
    store.events -= dropped.events
    store.characters -= dropped.characters
    events -= dropped.events
    characters -= dropped.characters
  }
}
