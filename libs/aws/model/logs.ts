import type * as Logs from "@aws-sdk/client-cloudwatch-logs"
import { Result } from "effect"
import { type Answer, refuse } from "./AwsException.ts"
import { takeMissingSeconds } from "./faults.ts"
import { addToBatch, batchBytesMax, batchEventsMax, bytesOf, openBatch } from "./ingestion.ts"
import { createGroup, createStream, type LogGroupRecord } from "./LogStore.ts"
import { findGroup, findStream, isVisible } from "./logGroups.ts"
import { page } from "./pages.ts"
import { partitionOf, regionOf, type World } from "./World.ts"

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
  const name = input.logStreamName ?? ""
  if (!/^[^:*]{1,512}$/.test(name)) return refuse("InvalidParameterException", `Invalid log stream name '${name}'.`)
  const found = findGroup(world, region, input)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const group = found.success
  if (group.streams.has(name))
    return refuse("ResourceAlreadyExistsException", "The specified log stream already exists")
  const missingSeconds = takeMissingSeconds(world, { region, group: group.name, stream: name }, now)
  createStream(regionOf(world, region).logs, group, name, now, { missingSeconds })
  return Result.succeed({})
}

/** All events of a call are one batch. */
export const putLogEvents = (
  world: World,
  region: string,
  input: Logs.PutLogEventsRequest,
  now: number
): Answer<Logs.PutLogEventsResponse> => {
  const group = findGroup(world, region, input)
  if (Result.isFailure(group)) return Result.fail(group.failure)
  const found = findStream(group.success, input.logStreamName)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const events = input.logEvents ?? []
  if (events.length > batchEventsMax) {
    return refuse("InvalidParameterException", "The batch of log events must not contain more than 10,000 events.")
  }
  const bytes = events.reduce((sum, { message = "" }) => sum + bytesOf(message), 0)
  if (bytes > batchBytesMax) {
    return refuse("InvalidParameterException", `Upload too large: ${bytes} bytes exceeds limit of ${batchBytesMax}`)
  }
  const stream = found.success
  const place = { region, group: group.success.name, stream: stream.name, startedBy: stream.startedBy }
  const inlet = { world, place, stream }
  const batch = openBatch(inlet, now)
  for (const { timestamp = now, message = "" } of events) addToBatch(inlet, batch, { timestamp, message })
  return Result.succeed({ nextSequenceToken: String(regionOf(world, region).logs.sequence) })
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
  input: Logs.DescribeLogStreamsRequest,
  now: number
): Answer<Logs.DescribeLogStreamsResponse> => {
  const found = findGroup(world, region, input)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const group = found.success
  const streams = [...group.streams.values()]
    .filter((stream) => stream.name.startsWith(input.logStreamNamePrefix ?? "") && isVisible(stream, now))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const ordered = input.descending === true ? streams.toReversed() : streams
  return Result.map(page(ordered, input.nextToken, input.limit, 50), ({ items, nextToken }) => ({
    logStreams: items.map(({ name, createdAt, events }) => ({
      logStreamName: name,
      creationTime: createdAt,
      firstEventTimestamp: events.at(0)?.timestamp,
      lastEventTimestamp: events.at(events.length - 1)?.timestamp,
      lastIngestionTime: events.at(events.length - 1)?.ingestionTime,
      arn: `${groupArn(world, region, group)}:log-stream:${name}`,
      storedBytes: 0
    })),
    nextToken
  }))
}

const groupArn = (world: World, region: string, group: LogGroupRecord) =>
  `arn:${partitionOf(region)}:logs:${region}:${world.options.accountId}:log-group:${group.name}`
