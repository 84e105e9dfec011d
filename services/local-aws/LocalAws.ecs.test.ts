import {
  ClientException,
  ClusterNotFoundException,
  ConflictException,
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeClustersCommand,
  DescribeTaskDefinitionCommand,
  type ECSClient,
  InvalidParameterException,
  ListTasksCommand,
  type RunTaskCommandOutput,
  StopTaskCommand
} from "@aws-sdk/client-ecs"
import { assert, describe, layer } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import {
  calls,
  ecsClient,
  launchedTasks,
  layerTest,
  register,
  reset,
  runTask,
  stopped,
  taskWhen
} from "#test/support/LocalAws.ts"

const simulate = (...args: ReadonlyArray<string>) => ["simulate", ...args]

/** The error of a call that must fail. */
const failure = (call: (ecs: ECSClient) => Promise<unknown>) =>
  Effect.gen(function* () {
    const ecs = yield* ecsClient
    return yield* Effect.flip(Effect.tryPromise({ try: () => call(ecs), catch: (error) => error }))
  })

const arnsOf = (answer: RunTaskCommandOutput) => (answer.tasks ?? []).map(({ taskArn }) => taskArn ?? "")

layer(layerTest({ runtime: "simulated" }), { excludeTestServices: true })("ECS through the SDK", (it) => {
  it.effect("there is a cluster called default, and others are MISSING until they are created", () =>
    Effect.gen(function* () {
      const ecs = yield* ecsClient
      const both = new DescribeClustersCommand({ clusters: ["default", "jobs"] })
      const before = yield* Effect.promise(() => ecs.send(both))
      assert.deepStrictEqual(
        before.clusters?.map(({ status }) => status),
        ["ACTIVE"]
      )
      assert.strictEqual(before.failures?.[0]?.reason, "MISSING")
      yield* Effect.promise(() => ecs.send(new CreateClusterCommand({ clusterName: "jobs" })))
      const after = yield* Effect.promise(() => ecs.send(both))
      assert.strictEqual(after.clusters?.length, 2)
    })
  )

  it.effect("a task goes its way: times, versions, exit code, stop code", () =>
    Effect.gen(function* () {
      const definition = yield* register("way", simulate("--exit-code", "3"))
      const [arn = ""] = arnsOf(yield* runTask(definition, { startedBy: "fleet/run/1" }))
      assert.match(arn, /^arn:aws:ecs:us-east-1:000000000000:task\/default\/[0-9a-f]{32}$/)
      const task = yield* stopped(arn)
      assert.deepInclude(task, { stopCode: "EssentialContainerExited", startedBy: "fleet/run/1" })
      assert.strictEqual(task.containers?.[0]?.exitCode, 3)
      const times = [task.createdAt, task.startedAt, task.executionStoppedAt, task.stoppedAt].map(Number)
      assert.isTrue(times.every((time) => Math.abs(Date.now() - time) < 60_000))
      assert.deepStrictEqual(
        times,
        times.toSorted((a, b) => a - b)
      )
    })
  )

  it.effect("StopTask ends a running task; asked for an unknown one it says so", () =>
    Effect.gen(function* () {
      const definition = yield* register("stop", simulate("--seconds", "1000"))
      const [task = ""] = arnsOf(yield* runTask(definition))
      yield* taskWhen(task, ({ lastStatus }) => lastStatus === "RUNNING")
      const ecs = yield* ecsClient
      yield* Effect.promise(() => ecs.send(new StopTaskCommand({ task, reason: "fleet:cancelled" })))
      assert.deepInclude(yield* stopped(task), { stopCode: "UserInitiated", stoppedReason: "fleet:cancelled" })
      const unknown = yield* failure((ecs) => ecs.send(new StopTaskCommand({ task: "0".repeat(32) })))
      assert.instanceOf(unknown, InvalidParameterException)
    })
  )

  it.effect("the same client token gives the same task; with other parameters it conflicts and names the task", () =>
    Effect.gen(function* () {
      const definition = yield* register("token", simulate())
      const first = arnsOf(yield* runTask(definition, { clientToken: "token-1" }))
      const again = arnsOf(yield* runTask(definition, { clientToken: "token-1" }))
      assert.deepStrictEqual(again, first)
      const conflict = yield* Effect.flip(
        Effect.catchDefect(runTask(definition, { clientToken: "token-1", startedBy: "other" }), Effect.fail)
      )
      assert.instanceOf(conflict, ConflictException)
      assert.deepStrictEqual(conflict.resourceIds, first)
    })
  )

  it.effect("errors are the SDK's classes, with a request id", () =>
    Effect.gen(function* () {
      const cluster = yield* failure((ecs) => ecs.send(new ListTasksCommand({ cluster: "nope" })))
      assert.instanceOf(cluster, ClusterNotFoundException)
      assert.match(cluster.$metadata.requestId ?? "", /^[0-9a-f-]{36}$/)
      const definition = yield* failure((ecs) =>
        ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: "no:1" }))
      )
      assert.instanceOf(definition, ClientException)
      const action = yield* failure((ecs) => ecs.send(new CreateServiceCommand({ serviceName: "x" })))
      assert.deepInclude(action, { name: "UnknownOperationException" })
      assert.include(String(action), "RunTask")
    })
  )

  it.effect("two hundred at once each get their task, and end", () =>
    Effect.gen(function* () {
      const definition = yield* register("many", simulate())
      const runs = Array.from({ length: 200 }, (_, i) => runTask(definition, { startedBy: `many/${i}` }))
      const arns = (yield* Effect.all(runs, { concurrency: "unbounded" })).flatMap((answer) => arnsOf(answer))
      assert.strictEqual(new Set(arns).size, 200)
      yield* Effect.forEach(arns, stopped, { concurrency: 20, discard: true })
    })
  )

  it.effect("the control API has every call and every task, until it is reset", () =>
    Effect.gen(function* () {
      yield* reset
      const definition = yield* register("seen", simulate("--exit-code", "4"))
      const [arn = ""] = arnsOf(yield* runTask(definition, { clientToken: "a", startedBy: "fleet/run/1" }))
      yield* runTask(definition, { clientToken: "a", startedBy: "fleet/run/1" })
      yield* failure((ecs) => ecs.send(new ListTasksCommand({ cluster: "nope" })))
      yield* failure((ecs) => ecs.send(new CreateServiceCommand({ serviceName: "x" })))
      yield* stopped(arn)
      const [task, ...others] = yield* launchedTasks
      assert.deepInclude(task, {
        taskArn: arn,
        clientToken: "a",
        startedBy: "fleet/run/1",
        lastStatus: "STOPPED",
        taskDefinitionArn: definition
      })
      assert.strictEqual(task?.containers[0]?.exitCode, 4)
      assert.strictEqual(others.length, 0)
      const counts = yield* calls
      assert.deepInclude(counts.calls, { RegisterTaskDefinition: 1, RunTask: 2, ListTasks: 1 })
      assert.deepStrictEqual(counts.refused, {
        "ListTasks ClusterNotFoundException": 1,
        "UnknownAction UnknownOperationException": 1
      })
      assert.strictEqual(counts.runTaskClientTokens, 1)
      yield* reset
      assert.deepStrictEqual(yield* launchedTasks, [])
      assert.deepStrictEqual((yield* calls).calls, {})
    })
  )
})

describe("quotas of AWS", () => {
  layer(layerTest({ runtime: "simulated", quotas: "aws" }), { excludeTestServices: true })((it) => {
    it.effect("of forty RegisterTaskDefinition at once, twenty at most are throttled", () =>
      Effect.gen(function* () {
        const registrations = Array.from({ length: 40 }, () => register("quota", simulate()))
        const results = yield* Effect.forEach(registrations, Effect.exit, { concurrency: "unbounded" })
        const refused = results.filter(Exit.isFailure).map(({ cause }) => Cause.squash(cause))
        assert.isTrue(refused.length > 0 && refused.length <= 20)
        for (const error of refused)
          assert.deepInclude(error, { name: "ThrottlingException", message: "Rate exceeded" })
      })
    )
  })
})
