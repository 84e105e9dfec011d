import type * as Logs from "@aws-sdk/client-cloudwatch-logs"
import { Result } from "effect"
import { type Answer, refuse } from "./AwsException.ts"
import type { PageFault } from "./Fault.ts"
import { eventId, type LogGroupRecord, type LogStreamRecord } from "./LogStore.ts"
import { findGroup, findVisibleStream, isVisible } from "./logGroups.ts"
import { type Found, mergedPage, pageBefore, type Range } from "./logPages.ts"
import { before, type Position, type StoredEvent, startOf } from "./StreamEvents.ts"
import type { World } from "./World.ts"

/** Events of one page at most (AWS). A page ends earlier at `maxPageBytes`. */
export const maxPageEvents = 10_000
/** FilterLogEvents takes no more names (AWS). */
export const maxStreamNames = 100

/** One missing name among `logStreamNames` fails the whole call, as in AWS. */
export const filterLogEvents = (
  world: World,
  region: string,
  input: Logs.FilterLogEventsRequest,
  now: number,
  fault: PageFault = {}
): Answer<Logs.FilterLogEventsResponse> => {
  const chosen = Result.flatMap(findGroup(world, region, input), (group) => chooseStreams(group, input, now))
  if (Result.isFailure(chosen)) return Result.fail(chosen.failure)
  const position = input.nextToken === undefined ? startOf(input.startTime ?? 0) : readPosition(input.nextToken)
  if (position === undefined) return foreignToken
  const nothing = { events: [], searchedLogStreams: [] }
  if (fault.end === true) return Result.succeed(nothing)
  if (fault.events === 0) return Result.succeed({ ...nothing, nextToken: writePosition(position) })
  const isWanted = (event: StoredEvent) =>
    event.ingestionTime <= now && event.message.includes(input.filterPattern ?? "")
  const range = { start: input.startTime, end: input.endTime === undefined ? undefined : input.endTime + 1 }
  const { events, hasMore } = mergedPage(chosen.success, position, limitOf(input, fault), { ...range, isWanted })
  const nextToken = continuation(events, hasMore, fault)
  return Result.succeed({
    ...nothing,
    events: inOrderOf(world, fault, events).map(({ stream, event }) => ({
      logStreamName: stream.name,
      timestamp: event.timestamp,
      message: event.message,
      ingestionTime: event.ingestionTime,
      eventId: eventId(event)
    })),
    nextToken: nextToken === undefined ? undefined : writePosition(nextToken)
  })
}

/** Where the next page begins; undefined = there is none. */
const continuation = (events: ReadonlyArray<Found>, hasMore: boolean, { repeat = 0 }: PageFault) => {
  const last = events.at(-1)?.event
  if (last === undefined) return undefined
  const again = Math.min(repeat, events.length - 1)
  const repeated = again === 0 ? undefined : events[events.length - again - 1]?.event
  return repeated ?? (hasMore ? last : undefined)
}

/** As the page is, or with the events of each time in an order of chance. */
const inOrderOf = (world: World, { shuffle }: PageFault, events: ReadonlyArray<Found>): ReadonlyArray<Found> =>
  shuffle === true
    ? events
        .map((found) => ({ found, luck: world.faults.chance() }))
        .toSorted((a, b) => a.found.event.timestamp - b.found.event.timestamp || a.luck - b.luck)
        .map(({ found }) => found)
    : events

const limitOf = (input: { readonly limit?: number | undefined }, fault: PageFault): number =>
  Math.max(1, Math.min(input.limit ?? maxPageEvents, maxPageEvents, fault.events ?? maxPageEvents))

const chooseStreams = (
  group: LogGroupRecord,
  input: Logs.FilterLogEventsRequest,
  now: number
): Answer<ReadonlyArray<LogStreamRecord>> => {
  const names = input.logStreamNames
  if (names === undefined || names.length === 0) {
    const prefix = input.logStreamNamePrefix ?? ""
    const streams = [...group.streams.values()]
    return Result.succeed(streams.filter((stream) => stream.name.startsWith(prefix) && isVisible(stream, now)))
  }
  if (input.logStreamNamePrefix !== undefined) {
    return refuse("InvalidParameterException", "logStreamNamePrefix and logStreamNames must not both be given.")
  }
  if (names.length > maxStreamNames) {
    return refuse("InvalidParameterException", "1 validation error detected: logStreamNames has more than 100 items.")
  }
  return Result.all([...new Set(names)].map((name) => findVisibleStream(group, name, now)))
}

/**
 * Both directions. The same token back means that there is nothing more (yet). A token is a place between two events:
 * `f/<position>` goes on after that event, `b/<position>` back from it.
 */
export const getLogEvents = (
  world: World,
  region: string,
  input: Logs.GetLogEventsRequest,
  now: number,
  fault: PageFault = {}
): Answer<Logs.GetLogEventsResponse> => {
  const found = Result.flatMap(findGroup(world, region, input), (group) =>
    findVisibleStream(group, input.logStreamName, now)
  )
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const stream = found.success
  const token = tokenOf(input, stream)
  if (token === undefined) return foreignToken
  if (fault.end === true) return emptyPage(token)
  if (fault.events === 0) return emptyPage({ ...token, empties: token.empties + 1 })
  const events = pageFrom(stream, token, limitOf(input, fault), {
    start: input.startTime,
    end: input.endTime,
    isWanted: (event) => event.ingestionTime <= now
  })
  const [first, last] = [events[0]?.event, events.at(-1)?.event]
  if (first === undefined || last === undefined) return emptyPage(token)
  const next = continuation(events, true, fault) ?? last
  return Result.succeed({
    events: inOrderOf(world, fault, events).map(({ event: { timestamp, message, ingestionTime } }) => ({
      timestamp,
      message,
      ingestionTime
    })),
    ...tokensAround(before(first), next, { ...token, empties: 0 })
  })
}

const pageFrom = (
  stream: LogStreamRecord,
  { isForward, position }: Token,
  limit: number,
  range: Range
): ReadonlyArray<Found> =>
  isForward ? mergedPage([stream], position, limit, range).events : pageBefore(stream, position, limit, range)

const emptyPage = (token: Token): Answer<Logs.GetLogEventsResponse> =>
  Result.succeed({ events: [], ...tokensAround(token.position, token.position, token) })

interface Token {
  readonly isForward: boolean
  readonly position: Position
  /** Pages that were empty although they are not the last: their tokens must differ. */
  readonly empties: number
}

const tokenOf = (input: Logs.GetLogEventsRequest, stream: LogStreamRecord): Token | undefined => {
  if (input.nextToken === undefined) {
    const isForward = input.startFromHead === true
    const last = stream.events.at(stream.events.length - 1)
    const position = isForward || last === undefined ? startOf(input.startTime ?? 0) : last
    return { isForward, position, empties: 0 }
  }
  const [, direction, place = "", empties = "0"] = /^([fb])\/([^#]+)(?:#(\d+))?$/.exec(input.nextToken) ?? []
  const position = readPosition(place)
  return position === undefined ? undefined : { isForward: direction === "f", position, empties: Number(empties) }
}

/** Only the token of the direction of reading tells of empty pages. */
const tokensAround = (first: Position, last: Position, { isForward, empties }: Token) => {
  const mark = empties === 0 ? "" : `#${empties}`
  return {
    nextForwardToken: `f/${writePosition(last)}${isForward ? mark : ""}`,
    nextBackwardToken: `b/${writePosition(first)}${isForward ? "" : mark}`
  }
}

const writePosition = (position: Position) => `${position.timestamp}/${position.ingestionTime}/${position.sequence}`

const readPosition = (token: string): Position | undefined => {
  const [, timestamp, ingestionTime, sequence] = /^(\d+)\/(-?\d+)\/(-?\d+)$/.exec(token) ?? []
  if (timestamp === undefined) return undefined
  return { timestamp: Number(timestamp), ingestionTime: Number(ingestionTime), sequence: Number(sequence) }
}

const foreignToken = refuse("InvalidParameterException", "The specified nextToken is invalid.")
