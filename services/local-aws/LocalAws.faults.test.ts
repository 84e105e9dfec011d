import { DescribeVpcsCommand } from "@aws-sdk/client-ec2"
import {
  ConflictException,
  DescribeClustersCommand,
  DescribeTasksCommand,
  type ECSClient,
  ListTasksCommand,
  RunTaskCommand
} from "@aws-sdk/client-ecs"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import {
  calls,
  clearFaults,
  ec2Client,
  ecsClient,
  faults,
  inject,
  LocalAws,
  launchedTasks,
  layerTest,
  register,
  runTask,
  stopped
} from "#test/support/LocalAws.ts"

const failure = (call: (ecs: ECSClient) => Promise<unknown>) =>
  Effect.gen(function* () {
    const ecs = yield* ecsClient
    return yield* Effect.flip(Effect.tryPromise({ try: () => call(ecs), catch: (error) => error }))
  })

const post = (body: string) =>
  Effect.gen(function* () {
    const { url } = yield* LocalAws
    return yield* Effect.promise(async () => {
      const response = await fetch(`${url}/_fleet/faults`, { method: "POST", body })
      return { status: response.status, body: await response.text() }
    })
  })

/** As docs/local-aws.md shows it. */
const example = `curl -d '{"action":"RunTask","stop":{"stopCode":"SpotInterruption","stoppedReason":"Your Spot Task was interrupted."}}' http://127.0.0.1:4577/_fleet/faults`

layer(layerTest({ runtime: "simulated" }), { excludeTestServices: true })("faults through the SDK", (it) => {
  it.effect("an error has its name, text, status and resource ids, and happens once", () =>
    Effect.gen(function* () {
      const resourceIds = ["arn:aws:ecs:us-east-1:000000000000:task/default/a"]
      yield* inject({
        action: "DescribeClusters",
        error: { name: "ConflictException", message: "why", status: 409, resourceIds }
      })
      const describe = (ecs: ECSClient) => ecs.send(new DescribeClustersCommand({}))
      const error = yield* failure(describe)
      assert.instanceOf(error, ConflictException)
      assert.deepStrictEqual([error.message, error.resourceIds], ["why", resourceIds])
      assert.strictEqual(error.$metadata.httpStatusCode, 409)
      const ecs = yield* ecsClient
      yield* Effect.promise(() => describe(ecs))
    })
  )

  it.effect("EC2's errors too, in XML", () =>
    Effect.gen(function* () {
      yield* inject({ action: "DescribeVpcs", error: { name: "UnauthorizedOperation", message: "no", status: 403 } })
      const ec2 = yield* ec2Client
      const send = { try: () => ec2.send(new DescribeVpcsCommand({})), catch: (error: unknown) => error }
      const error = yield* Effect.flip(Effect.tryPromise(send))
      assert.deepInclude(error, { name: "UnauthorizedOperation", message: "no" })
    })
  )

  it.effect("crash: the connection is reset; the answer is lost, the task is there, and the token gives it back", () =>
    Effect.gen(function* () {
      const taskDefinition = yield* register("lost", ["simulate", "--seconds", "1000"])
      yield* inject({ action: "RunTask", reset: "after" })
      const input = { clientToken: "lost", startedBy: "lost" }
      const lost = yield* Effect.sandbox(runTask(taskDefinition, input)).pipe(Effect.flip)
      assert.match(String(lost.reasons[0]?._tag === "Die" ? lost.reasons[0].defect : lost), /ECONNRESET|socket hang up/)
      const launched = (yield* launchedTasks).filter(({ startedBy }) => startedBy === "lost")
      assert.deepStrictEqual([launched.length, launched[0]?.clientToken], [1, "lost"])
      const { tasks = [] } = yield* runTask(taskDefinition, input)
      assert.strictEqual(tasks[0]?.taskArn, launched[0]?.taskArn)
    })
  )

  it.effect("crash: reset before it took effect, nothing is launched", () =>
    Effect.gen(function* () {
      const taskDefinition = yield* register("before", [])
      yield* inject({ action: "RunTask", reset: "before" })
      yield* failure((ecs) => ecs.send(new RunTaskCommand({ taskDefinition, startedBy: "before" })))
      const ecs = yield* ecsClient
      const { taskArns } = yield* Effect.promise(() => ecs.send(new ListTasksCommand({ startedBy: "before" })))
      assert.deepStrictEqual(taskArns, [])
    })
  )

  it.effect("failures, and a task that the platform stops; other clusters are spared", () =>
    Effect.gen(function* () {
      const definition = yield* register("spot", ["simulate", "--seconds", "1000"])
      const reason = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
      yield* inject({ action: "RunTask", cluster: "another", failures: [{ reason: "AGENT" }] })
      yield* inject({ action: "RunTask", failures: [{ reason }] })
      const stop = { stopCode: "SpotInterruption", stoppedReason: "Your Spot Task was interrupted." } as const
      yield* inject({ action: "RunTask", stop })
      assert.deepStrictEqual((yield* runTask(definition)).failures, [{ reason }])
      const { tasks = [] } = yield* runTask(definition)
      assert.deepInclude(yield* stopped(tasks[0]?.taskArn ?? ""), stop)
      assert.deepStrictEqual((yield* runTask(definition)).failures, [])
    })
  )

  it.effect("of one run: its calls alone fail, by chance or for a time", () =>
    Effect.gen(function* () {
      const definition = yield* register("one", ["simulate", "--seconds", "1000"])
      const error = { name: "ExpiredTokenException", message: "The security token included in the request is expired" }
      yield* inject({ action: "*", startedBy: "run-7", probability: 1, lifetimeSeconds: 3600, error })
      const launch = failure((ecs) =>
        ecs.send(new RunTaskCommand({ taskDefinition: definition, startedBy: "f/run-7/1" }))
      )
      assert.deepInclude(yield* launch, error)
      assert.lengthOf((yield* runTask(definition, { startedBy: "f/run-8/1" })).tasks ?? [], 1)
      assert.deepInclude((yield* faults).at(-1), { action: "*", fired: 1, left: "all" })
      yield* clearFaults
    })
  )

  it.effect("the example of the docs", () =>
    Effect.gen(function* () {
      const reply = yield* post(/-d '(.*)'/.exec(example)?.[1] ?? "")
      assert.deepStrictEqual([reply.status, JSON.parse(reply.body)], [200, { status: "injected" }])
      const definition = yield* register("example", ["simulate", "--seconds", "1000"])
      const { tasks = [] } = yield* runTask(definition)
      assert.strictEqual((yield* stopped(tasks[0]?.taskArn ?? "")).stopCode, "SpotInterruption")
    })
  )

  it.effect("are listed with how often they fired, and cleared", () =>
    Effect.gen(function* () {
      yield* clearFaults
      const error = { name: "ServerException", message: "" }
      yield* inject({ action: "DescribeTasks", times: 0, error })
      const before = (yield* calls).refused["DescribeTasks ServerException"] ?? 0
      const describe = failure((ecs) => ecs.send(new DescribeTasksCommand({ tasks: ["a"] })))
      yield* describe
      yield* describe
      assert.strictEqual((yield* calls).refused["DescribeTasks ServerException"], before + 2)
      const [listed] = yield* faults
      assert.deepInclude(listed, { action: "DescribeTasks", times: 0, fired: 2, left: "all" })
      yield* clearFaults
      assert.deepStrictEqual(yield* faults, [])
    })
  )

  it.effect("the control API itself is spared, however much goes wrong", () =>
    Effect.gen(function* () {
      yield* inject({ action: "DescribeTasks", times: 0, reset: "before" })
      assert.isArray(yield* launchedTasks)
      assert.strictEqual((yield* faults).at(-1)?.fired, 0)
      yield* clearFaults
    })
  )

  it.effect.each([
    { name: "no JSON", body: "{", says: ["not JSON"] },
    {
      name: "everything wrong, all told at once",
      body: '{"action":"RunTasks","stop":{"stopCode":"Spot"},"reset":"later","tims":1}',
      says: [
        "Did you mean RunTask?",
        "stop.stopCode",
        "stop.stoppedReason",
        "reset",
        "Did you mean times?",
        "exactly one"
      ]
    }
  ])("refuses $name", ({ body, says }) =>
    Effect.gen(function* () {
      const reply = yield* post(body)
      assert.strictEqual(reply.status, 400)
      for (const part of says) assert.include(reply.body, part)
    })
  )
})
