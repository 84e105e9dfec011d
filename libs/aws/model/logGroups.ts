import { Result } from "effect"
import { type Answer, refuse } from "./AwsException.ts"
import type { LogGroupRecord, LogStreamRecord } from "./LogStore.ts"
import { regionOf, type World } from "./World.ts"

/** How calls name log groups and streams. */
export interface GroupReference {
  readonly logGroupName?: string | undefined
  readonly logGroupIdentifier?: string | undefined
}

/** The name, also from a `logGroupIdentifier` that is an ARN. */
export const groupNameOf = ({ logGroupName, logGroupIdentifier }: GroupReference): string =>
  logGroupName ?? /^arn:.*:log-group:([^:]+)/.exec(logGroupIdentifier ?? "")?.[1] ?? logGroupIdentifier ?? ""

export const findGroup = (world: World, region: string, reference: GroupReference): Answer<LogGroupRecord> => {
  const group = regionOf(world, region).logs.groups.get(groupNameOf(reference))
  return group === undefined ? noGroup : Result.succeed(group)
}

export const findStream = (group: LogGroupRecord, name: string | undefined): Answer<LogStreamRecord> => {
  const stream = group.streams.get(name ?? "")
  return stream === undefined ? noStream : Result.succeed(stream)
}

/** Whether readers are told of the stream; writers always know theirs. */
export const isVisible = (stream: LogStreamRecord, now: number): boolean => now >= stream.missingUntil

/** The stream, if readers are told of it. */
export const findVisibleStream = (
  group: LogGroupRecord,
  name: string | undefined,
  now: number
): Answer<LogStreamRecord> =>
  Result.flatMap(findStream(group, name), (stream) => (isVisible(stream, now) ? Result.succeed(stream) : noStream))

const noGroup = refuse("ResourceNotFoundException", "The specified log group does not exist.")
const noStream = refuse("ResourceNotFoundException", "The specified log stream does not exist.")
