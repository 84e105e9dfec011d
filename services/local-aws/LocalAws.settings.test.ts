import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs"
import { DescribeClustersCommand, DescribeTasksCommand } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  ecsClient,
  launchedTasks,
  layerTest,
  logsClient,
  register,
  reset,
  runTask,
  stopped
} from "#test/support/LocalAws.ts"

const launched = Effect.gen(function* () {
  const { tasks = [] } = yield* runTask(yield* register("settings", ["sh", "-c", "echo hello"]))
  return tasks[0]?.taskArn ?? ""
})

const describeTask = Effect.fnUntraced(function* (arn: string) {
  const ecs = yield* ecsClient
  return yield* Effect.promise(() => ecs.send(new DescribeTasksCommand({ tasks: [arn] })))
})

describe("settings reach the model", () => {
  it.live("a stopped task is forgotten after its time, the control API still has it", () =>
    Effect.gen(function* () {
      const arn = yield* launched
      const { failures } = yield* Effect.repeat(describeTask(arn), { until: ({ tasks }) => tasks?.length === 0 })
      assert.strictEqual(failures?.[0]?.reason, "MISSING")
      assert.deepStrictEqual(
        (yield* launchedTasks).map(({ taskArn }) => taskArn),
        [arn]
      )
    }).pipe(Effect.provide(layerTest({ stoppedTaskTtlSeconds: 0.01 })))
  )

  it.live("a new task is MISSING for a while", () =>
    Effect.gen(function* () {
      const { failures } = yield* describeTask(yield* launched)
      assert.strictEqual(failures?.[0]?.reason, "MISSING")
    }).pipe(Effect.provide(layerTest({ missingAfterRunSeconds: 3600 })))
  )

  it.live("lines come late", () =>
    Effect.gen(function* () {
      const logs = yield* logsClient
      const read = Effect.promise(() => logs.send(new FilterLogEventsCommand({ logGroupName: "/jobs" })))
      yield* stopped(yield* launched)
      assert.deepStrictEqual((yield* read).events, [])
    }).pipe(Effect.provide(layerTest({ logDelaySeconds: 3600 })))
  )

  it.live("clusters are there from the start, and again after a reset", () =>
    Effect.gen(function* () {
      const ecs = yield* ecsClient
      const ask = Effect.promise(() => ecs.send(new DescribeClustersCommand({ clusters: ["jobs"] })))
      assert.strictEqual((yield* ask).clusters?.[0]?.status, "ACTIVE")
      yield* reset
      assert.strictEqual((yield* ask).clusters?.[0]?.status, "ACTIVE")
    }).pipe(Effect.provide(layerTest({ clusters: ["default", "jobs"] })))
  )
})
