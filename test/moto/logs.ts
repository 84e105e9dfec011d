import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  ResourceAlreadyExistsException
} from "@aws-sdk/client-cloudwatch-logs"
import { Effect } from "effect"
import { sdkConfig } from "#test/support/LocalAws.ts"

const unlessThere = (cause: unknown): void => {
  if (!(cause instanceof ResourceAlreadyExistsException)) throw cause
}

/** What ECS's log driver does for a container that prints these lines, one a millisecond: moto runs nothing. */
export const putLines = (url: string, logGroupName: string, logStreamName: string, lines: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const logs = new CloudWatchLogsClient(sdkConfig(url))
    await logs.send(new CreateLogGroupCommand({ logGroupName })).catch(unlessThere)
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }))
    const from = Date.now()
    const logEvents = lines.map((message, at) => ({ timestamp: from + at, message }))
    await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }))
    logs.destroy()
  })
