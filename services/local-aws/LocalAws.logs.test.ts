import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  ResourceNotFoundException
} from "@aws-sdk/client-cloudwatch-logs"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { layerTest, logsClient } from "#test/support/LocalAws.ts"

layer(layerTest({ runtime: "simulated" }), { excludeTestServices: true })("CloudWatch Logs through the SDK", (it) => {
  const written = Effect.fnUntraced(function* (logGroupName: string, count: number) {
    const logs = yield* logsClient
    yield* Effect.promise(async () => {
      await logs.send(new CreateLogGroupCommand({ logGroupName }))
      await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }))
      const now = Date.now()
      const logEvents = Array.from({ length: count }, (_, i) => ({ timestamp: now, message: `line ${i} <&>` }))
      await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: "s", logEvents }))
    })
    return logs
  })

  it.effect("GetLogEvents pages forward, and the same token means the end", () =>
    Effect.gen(function* () {
      const logs = yield* written("/pages", 5)
      const page = (nextToken?: string) =>
        Effect.promise(() =>
          logs.send(
            new GetLogEventsCommand({
              logGroupName: "/pages",
              logStreamName: "s",
              startFromHead: true,
              limit: 2,
              ...(nextToken === undefined ? {} : { nextToken })
            })
          )
        )
      const seen: Array<string> = []
      let answer = yield* page()
      let token: string | undefined
      while (answer.nextForwardToken !== token) {
        seen.push(...(answer.events ?? []).map(({ message = "" }) => message))
        token = answer.nextForwardToken
        answer = yield* page(token)
      }
      assert.deepStrictEqual(seen, ["line 0 <&>", "line 1 <&>", "line 2 <&>", "line 3 <&>", "line 4 <&>"])
    })
  )

  it.effect("FilterLogEvents pages with event ids and ends without a token", () =>
    Effect.gen(function* () {
      const logs = yield* written("/filter", 5)
      const ids: Array<string> = []
      let nextToken: string | undefined
      do {
        const command = new FilterLogEventsCommand({
          logGroupName: "/filter",
          logStreamNames: ["s"],
          limit: 2,
          ...(nextToken === undefined ? {} : { nextToken })
        })
        const answer = yield* Effect.promise(() => logs.send(command))
        ids.push(...(answer.events ?? []).map(({ eventId = "" }) => eventId))
        nextToken = answer.nextToken
      } while (nextToken !== undefined)
      assert.strictEqual(new Set(ids).size, 5)
    })
  )

  it.effect("groups and streams are listed; a missing one is ResourceNotFoundException", () =>
    Effect.gen(function* () {
      const logs = yield* written("/list", 1)
      const groups = yield* Effect.promise(() =>
        logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: "/list" }))
      )
      assert.deepStrictEqual(
        groups.logGroups?.map(({ logGroupName }) => logGroupName),
        ["/list"]
      )
      const streams = yield* Effect.promise(() => logs.send(new DescribeLogStreamsCommand({ logGroupName: "/list" })))
      assert.deepStrictEqual(
        streams.logStreams?.map(({ logStreamName }) => logStreamName),
        ["s"]
      )
      const missing = new GetLogEventsCommand({ logGroupName: "/nope", logStreamName: "s" })
      const error = yield* Effect.flip(Effect.tryPromise({ try: () => logs.send(missing), catch: (error) => error }))
      assert.instanceOf(error, ResourceNotFoundException)
    })
  )
})
