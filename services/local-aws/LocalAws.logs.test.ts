import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  ResourceNotFoundException
} from "@aws-sdk/client-cloudwatch-logs"
import { assert, describe, layer } from "@effect/vitest"
import { Clock, Duration, Effect } from "effect"
import { calls, callsWithin, LocalAws, layerTest, logsClient, reset, sdkConfig } from "#test/support/LocalAws.ts"

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

/** So many FilterLogEvents calls of a region at once, of a group that is not there; the names of their errors. */
const reads = (region: string, count: number) =>
  Effect.gen(function* () {
    const { url } = yield* LocalAws
    const logs = yield* Effect.acquireRelease(
      Effect.sync(() => new CloudWatchLogsClient({ ...sdkConfig(url), region })),
      (client) => Effect.sync(() => client.destroy())
    )
    const read = Effect.tryPromise({
      try: () => logs.send(new FilterLogEventsCommand({ logGroupName: "/none" })),
      catch: (error) => (error instanceof Error ? error.name : "")
    })
    return yield* Effect.forEach(Array.from({ length: count }), () => Effect.flip(read), { concurrency: count })
  })

describe("how often logs are read", () => {
  layer(layerTest({ runtime: "simulated" }), { excludeTestServices: true })((it) => {
    it.effect("is told by region, of all time and of some", () =>
      Effect.gen(function* () {
        yield* reset
        yield* reads("us-east-1", 2)
        const from = yield* Clock.currentTimeMillis
        yield* Effect.repeat(Clock.currentTimeMillis, { until: (now) => now > from })
        yield* reads("eu-central-1", 3)
        const all = yield* calls
        const refused = (count: number) => ({ "FilterLogEvents ResourceNotFoundException": count })
        assert.deepStrictEqual([all.calls, all.refused], [{ FilterLogEvents: 5 }, refused(5)])
        assert.deepStrictEqual(all.regions["us-east-1"], { calls: { FilterLogEvents: 2 }, refused: refused(2) })
        const since = yield* callsWithin(from + 1, from + 3_600_000)
        assert.deepStrictEqual(since.regions, {
          "eu-central-1": { calls: { FilterLogEvents: 3 }, refused: refused(3) }
        })
        assert.deepStrictEqual((yield* callsWithin(0, from + 1)).calls, { FilterLogEvents: 2 })
      })
    )

    it.effect("a window that cannot be read is answered with every problem", () =>
      Effect.gen(function* () {
        const { url } = yield* LocalAws
        const answer = yield* Effect.promise(() => fetch(`${url}/_fleet/calls?from=x&since=1`))
        assert.strictEqual(answer.status, 400)
        const { problems } = yield* Effect.promise(() => answer.json() as Promise<{ problems: Array<string> }>)
        assert.lengthOf(problems, 2)
      })
    )
  })

  layer(layerTest({ runtime: "simulated", quotas: "aws" }), { excludeTestServices: true })((it) => {
    it.effect.each([
      { region: "eu-central-1", atOnce: 5 },
      { region: "eu-west-1", atOnce: 10 },
      { region: "us-east-1", atOnce: 25 }
    ])("AWS's quota of $region lets $atOnce pass at once", ({ region, atOnce }) =>
      Effect.gen(function* () {
        const [duration, errors] = yield* Effect.timed(reads(region, 100))
        const passed = errors.filter((name) => name !== "ThrottlingException").length
        const mostPassed = atOnce * (1 + Duration.toSeconds(duration)) + 1
        assert.isTrue(passed >= atOnce && passed <= mostPassed, `${passed} passed, of ${mostPassed} at most`)
        assert.strictEqual((yield* calls).regions[region]?.refused["FilterLogEvents ThrottlingException"], 100 - passed)
      })
    )
  })
})
