import type * as Logs from "@aws-sdk/client-cloudwatch-logs"
import { Result } from "effect"
import { type Answer, refuse } from "./AwsException.ts"
import {
  append,
  compareEvents,
  createGroup,
  createStream,
  eventId,
  indexAfter,
  type LogGroupRecord,
  type LogStreamRecord,
  type Position,
  type StoredEvent,
  startOf
} from "./LogStore.ts"
import { page } from "./pages.ts"
import { partitionOf, type Region, regionOf, type World } from "./World.ts"

/** Events of one page at most (AWS). A page ends earlier at `maxPageCharacters`. */
export const maxPageEvents = 10_000
/** AWS: 1 MB. */
export const maxPageCharacters = 1_000_000
/** FilterLogEvents takes no more names (AWS). */
export const maxStreamNames = 100

type Empty = Record<string, never>

export const createLogGroup = (
  world: World,
  region: string,
  input: Logs.CreateLogGroupRequest,
  now: number
): Answer<Empty> => {
  const { logs } = regionOf(world, region)
  const name = input.logGroupName ?? ""
  if (!/^[\w./#-]{1,512}$/.test(name)) return refuse("InvalidParameterException", `Invalid log group name '${name}'.`)
  if (logs.groups.has(name)) return refuse("ResourceAlreadyExistsException", "The specified log group already exists")
  createGroup(logs, name, now)
  return Result.succeed({})
}

export const createLogStream = (
  world: World,
  region: string,
  input: Logs.CreateLogStreamRequest,
  now: number
): Answer<Empty> => {
  const { logs } = regionOf(world, region)
  const name = input.logStreamName ?? ""
  if (!/^[^:*]{1,512}$/.test(name)) return refuse("InvalidParameterException", `Invalid log stream name '${name}'.`)
  const group = logs.groups.get(input.logGroupName ?? "")
  if (group === undefined) return noGroup
  if (group.streams.has(name))
    return refuse("ResourceAlreadyExistsException", "The specified log stream already exists")
  createStream(logs, group, name, now)
  return Result.succeed({})
}

export const putLogEvents = (
  world: World,
  region: string,
  input: Logs.PutLogEventsRequest,
  now: number
): Answer<Logs.PutLogEventsResponse> => {
  const { logs } = regionOf(world, region)
  const found = findStream(logs.groups, input.logGroupName, input.logStreamName)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const events = input.logEvents ?? []
  if (events.length > maxPageEvents) {
    return refuse("InvalidParameterException", "The batch of log events must not contain more than 10,000 events.")
  }
  const ingestionTime = now + world.options.logDelaySeconds * 1000
  for (const event of events) {
    append(logs, found.success, { timestamp: event.timestamp ?? now, ingestionTime, message: event.message ?? "" })
  }
  return Result.succeed({ nextSequenceToken: String(logs.sequence) })
}

export const describeLogGroups = (
  world: World,
  region: string,
  input: Logs.DescribeLogGroupsRequest
): Answer<Logs.DescribeLogGroupsResponse> => {
  const groups = [...regionOf(world, region).logs.groups.values()]
    .filter((group) => group.name.startsWith(input.logGroupNamePrefix ?? ""))
    .filter((group) => group.name.includes(input.logGroupNamePattern ?? ""))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return Result.map(page(groups, input.nextToken, input.limit, 50), ({ items, nextToken }) => ({
    logGroups: items.map((group) => ({
      logGroupName: group.name,
      creationTime: group.createdAt,
      metricFilterCount: 0,
      storedBytes: 0,
      arn: `${groupArn(world, region, group)}:*`,
      logGroupArn: groupArn(world, region, group)
    })),
    nextToken
  }))
}

export const describeLogStreams = (
  world: World,
  region: string,
  input: Logs.DescribeLogStreamsRequest
): Answer<Logs.DescribeLogStreamsResponse> => {
  const group = regionOf(world, region).logs.groups.get(groupName(input))
  if (group === undefined) return noGroup
  const streams = [...group.streams.values()]
    .filter((stream) => stream.name.startsWith(input.logStreamNamePrefix ?? ""))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const ordered = input.descending === true ? streams.toReversed() : streams
  return Result.map(page(ordered, input.nextToken, input.limit, 50), ({ items, nextToken }) => ({
    logStreams: items.map((stream) => ({
      logStreamName: stream.name,
      creationTime: stream.createdAt,
      firstEventTimestamp: stream.events[0]?.timestamp,
      lastEventTimestamp: stream.events.at(-1)?.timestamp,
      lastIngestionTime: stream.events.at(-1)?.ingestionTime,
      arn: `${groupArn(world, region, group)}:log-stream:${stream.name}`,
      storedBytes: 0
    })),
    nextToken
  }))
}

/** Both directions; the same token back means that there is nothing more (yet). */
export const getLogEvents = (
  world: World,
  region: string,
  input: Logs.GetLogEventsRequest,
  now: number
): Answer<Logs.GetLogEventsResponse> => {
  const found = findStream(regionOf(world, region).logs.groups, groupName(input), input.logStreamName)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const stream = found.success
  const token = /^([fb])\/(\d+)$/.exec(input.nextToken ?? "")
  if (input.nextToken !== undefined && token === null) {
    return refuse("InvalidParameterException", "The specified nextToken is invalid.")
  }
  const visible = stream.events.filter((event) => event.ingestionTime <= now && isWithin(event, input, "exclusive"))
  const limit = Math.max(1, Math.min(input.limit ?? maxPageEvents, maxPageEvents))
  const offset = stream.dropped
  const at = token === null ? undefined : Math.max(0, Math.min(Number(token[2]) - offset, visible.length))
  const isForward = token === null ? input.startFromHead === true : token[1] === "f"
  const start = isForward ? (at ?? 0) : Math.max(0, (at ?? visible.length) - limit)
  const events = upToPage(visible.slice(start, isForward ? start + limit : (at ?? visible.length)))
  return Result.succeed({
    events: events.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
    nextForwardToken: `f/${start + events.length + offset}`,
    nextBackwardToken: `b/${start + offset}`
  })
}

/** One missing name among `logStreamNames` fails the whole call, as in AWS. */
export const filterLogEvents = (
  world: World,
  region: string,
  input: Logs.FilterLogEventsRequest,
  now: number
): Answer<Logs.FilterLogEventsResponse> => {
  const group = regionOf(world, region).logs.groups.get(groupName(input))
  if (group === undefined) return noGroup
  const chosen = chooseStreams(group, input)
  if (Result.isFailure(chosen)) return Result.fail(chosen.failure)
  const position = readPosition(input.nextToken) ?? startOf(input.startTime ?? 0)
  const limit = Math.max(1, Math.min(input.limit ?? maxPageEvents, maxPageEvents))
  const pattern = input.filterPattern ?? ""
  const wanted = (event: StoredEvent) =>
    event.ingestionTime <= now && isWithin(event, input, "inclusive") && event.message.includes(pattern)
  const found = chosen.success.flatMap((stream) => firstAfter(stream.events, position, limit + 1, wanted))
  const sorted = chosen.success.length === 1 ? found : found.toSorted(compareEvents)
  const events = upToPage(sorted.slice(0, limit))
  const last = events.at(-1)
  return Result.succeed({
    events: events.map(({ stream, timestamp, message, ingestionTime, sequence }) => ({
      logStreamName: stream,
      timestamp,
      message,
      ingestionTime,
      eventId: eventId({ timestamp, ingestionTime, sequence })
    })),
    searchedLogStreams: [],
    nextToken: last !== undefined && events.length < sorted.length ? writePosition(last) : undefined
  })
}

const firstAfter = (
  events: ReadonlyArray<StoredEvent>,
  position: Position,
  count: number,
  wanted: (event: StoredEvent) => boolean
): Array<StoredEvent> => {
  const found: Array<StoredEvent> = []
  for (let index = indexAfter(events, position); index < events.length && found.length < count; index++) {
    const event = events[index]
    if (event !== undefined && wanted(event)) found.push(event)
  }
  return found
}

const chooseStreams = (group: LogGroupRecord, input: Logs.FilterLogEventsRequest): Answer<Array<LogStreamRecord>> => {
  const names = input.logStreamNames
  if (names === undefined || names.length === 0) {
    const prefix = input.logStreamNamePrefix ?? ""
    return Result.succeed([...group.streams.values()].filter((stream) => stream.name.startsWith(prefix)))
  }
  if (input.logStreamNamePrefix !== undefined) {
    return refuse("InvalidParameterException", "logStreamNamePrefix and logStreamNames must not both be given.")
  }
  if (names.length > maxStreamNames) {
    return refuse("InvalidParameterException", "1 validation error detected: logStreamNames has more than 100 items.")
  }
  const streams = names.flatMap((name) => group.streams.get(name) ?? [])
  return streams.length < names.length ? noStream : Result.succeed(streams)
}

const upToPage = (events: Array<StoredEvent>): Array<StoredEvent> => {
  let characters = 0
  const end = events.findIndex((event) => (characters += event.message.length) > maxPageCharacters)
  return end <= 0 ? (end === 0 ? events.slice(0, 1) : events) : events.slice(0, end)
}

const isWithin = (
  event: StoredEvent,
  range: { readonly startTime?: number | undefined; readonly endTime?: number | undefined },
  end: "inclusive" | "exclusive"
): boolean =>
  event.timestamp >= (range.startTime ?? 0) &&
  (range.endTime === undefined ||
    event.timestamp < range.endTime ||
    (end === "inclusive" && event.timestamp === range.endTime))

const writePosition = (position: Position) => `${position.timestamp}/${position.ingestionTime}/${position.sequence}`

const readPosition = (token: string | undefined): Position | undefined => {
  const [timestamp, ingestionTime, sequence] = (token ?? "").split("/").map(Number)
  if (timestamp === undefined || ingestionTime === undefined || sequence === undefined) return undefined
  return { timestamp, ingestionTime, sequence }
}

const findStream = (
  groups: Region["logs"]["groups"],
  group: string | undefined,
  stream: string | undefined
): Answer<LogStreamRecord> => {
  const found = groups.get(group ?? "")
  if (found === undefined) return noGroup
  const record = found.streams.get(stream ?? "")
  return record === undefined ? noStream : Result.succeed(record)
}

/** The name, also from a `logGroupIdentifier` that is an ARN. */
const groupName = (input: {
  readonly logGroupName?: string | undefined
  readonly logGroupIdentifier?: string | undefined
}) =>
  input.logGroupName ??
  /^arn:.*:log-group:([^:]+)/.exec(input.logGroupIdentifier ?? "")?.[1] ??
  input.logGroupIdentifier ??
  ""

const groupArn = (world: World, region: string, group: LogGroupRecord) =>
  `arn:${partitionOf(region)}:logs:${region}:${world.options.accountId}:log-group:${group.name}`

const noGroup = refuse("ResourceNotFoundException", "The specified log group does not exist.")
const noStream = refuse("ResourceNotFoundException", "The specified log stream does not exist.")
