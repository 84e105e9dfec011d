import { DescribeTasksCommand, StopTaskCommand } from "@aws-sdk/client-ecs"
import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import {
  calls,
  ecsClient,
  LocalAws,
  launchedTasks,
  launchLongRunning,
  layerTest,
  register,
  stopped
} from "#test/support/LocalAws.ts"
import { defaults } from "./config.ts"
import { maxLongRunning } from "./longRunning.ts"

const region = "us-east-1"
const subnets = defaults.networks.flatMap(({ subnetIds }) => subnetIds.slice(0, 1)).slice(0, 1)
const network = { networkConfiguration: { awsvpcConfiguration: { subnets } } }

const launchTasks = (startedBy: ReadonlyArray<string>, runningSeconds: number) =>
  Effect.gen(function* () {
    const taskDefinition = yield* register("long", ["sleep", "infinity"])
    const runTask = { taskDefinition, launchType: "FARGATE" as const, ...network }
    return yield* launchLongRunning({ region, runTask, startedBy, runningSeconds })
  })

const refusal = (body: unknown) =>
  Effect.gen(function* () {
    const { url } = yield* LocalAws
    return yield* Effect.promise(async () => {
      const answer = await fetch(`${url}/_fleet/tasks`, { method: "POST", body: JSON.stringify(body) })
      return { status: answer.status, body: (await answer.json()) as unknown }
    })
  })

layer(layerTest({ timeScale: "fargate" }), { excludeTestServices: true })("tasks that run already", (it) => {
  it.effect("have been RUNNING for so long, as RunTask would have started them, without a call or a program", () =>
    Effect.gen(function* () {
      const before = (yield* calls).calls["RunTask"]
      const now = yield* Clock.currentTimeMillis
      const arns = yield* launchTasks(["a", "b"], 600)
      const ecs = yield* ecsClient
      const { tasks = [] } = yield* Effect.promise(() => ecs.send(new DescribeTasksCommand({ tasks: [...arns] })))
      assert.deepStrictEqual(
        tasks.map(({ containers = [], desiredStatus, lastStatus, startedBy }) => [
          startedBy,
          lastStatus,
          desiredStatus,
          ...containers.map((container) => container.lastStatus)
        ]),
        [
          ["a", "RUNNING", "RUNNING", "RUNNING"],
          ["b", "RUNNING", "RUNNING", "RUNNING"]
        ]
      )
      for (const { connectivity, createdAt, startedAt } of tasks) {
        assert.strictEqual(connectivity, "CONNECTED")
        assert.closeTo(now - (createdAt?.getTime() ?? 0), 600_000, 30_000)
        assert.closeTo(now - (startedAt?.getTime() ?? 0), 600_000, 30_000)
      }
      assert.strictEqual((yield* calls).calls["RunTask"], before)
      assert.includeMembers(
        (yield* launchedTasks).map(({ taskArn }) => taskArn),
        [...arns]
      )
    })
  )

  it.effect("what RunTask refuses is refused, and every problem of the request is told at once", () =>
    Effect.gen(function* () {
      const unknown = yield* refusal({
        region,
        runTask: { taskDefinition: "none" },
        startedBy: ["a"],
        runningSeconds: 1
      })
      assert.deepStrictEqual(unknown, {
        status: 400,
        body: { problems: ["ClientException: TaskDefinition not found."] }
      })
      const startedBy = Array.from({ length: maxLongRunning + 1 }, () => "a")
      const wrong = yield* refusal({ region, runTask: {}, startedBy, runningSeconds: -1, runningSecond: 1 })
      assert.strictEqual(wrong.status, 400)
      assert.deepStrictEqual(wrong.body, {
        problems: [
          "runningSecond: there is no such member. Did you mean runningSeconds?",
          `startedBy: must be 1 to ${maxLongRunning} texts, one for each task.`,
          "runningSeconds: must be 0 to 2592000."
        ]
      })
    })
  )
})

layer(layerTest(), { excludeTestServices: true })("a task that runs already", (it) => {
  it.effect("ends when it is stopped, as a program would that is sent SIGTERM", () =>
    Effect.gen(function* () {
      const [task = ""] = yield* launchTasks(["a"], 60)
      const ecs = yield* ecsClient
      yield* Effect.promise(() => ecs.send(new StopTaskCommand({ task, reason: "enough" })))
      const { containers = [], stopCode, stoppedReason } = yield* stopped(task)
      assert.deepStrictEqual([stopCode, stoppedReason], ["UserInitiated", "enough"])
      assert.deepStrictEqual(
        containers.map(({ exitCode }) => exitCode),
        [143]
      )
    })
  )
})
