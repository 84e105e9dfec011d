import type { RunTaskRequest } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { fargateLaunch, onFargate, region } from "#test/support/EcsWorld.ts"
import { EcsModel } from "./EcsModel.ts"
import type { Fault } from "./Fault.ts"
import { Runtime } from "./Runtime.ts"

const model = EcsModel.layer({ timeScale: "instant" }).pipe(Layer.provide(Runtime.layerSimulated))

const inject = (fault: Fault) => EcsModel.use(({ faults }) => faults.inject(fault))

const register = (command: ReadonlyArray<string> = ["simulate", "--seconds", "60"]) =>
  EcsModel.use(({ ecs }) =>
    ecs.RegisterTaskDefinition(region, {
      ...onFargate,
      containerDefinitions: [{ name: "main", image: "busybox", command: [...command] }]
    })
  )

const run = (input: Partial<RunTaskRequest> = {}) =>
  EcsModel.use(({ ecs }) => ecs.RunTask(region, { ...fargateLaunch, ...input }))

const arnOf = (answer: Effect.Success<ReturnType<typeof run>>) => answer.tasks?.[0]?.taskArn ?? ""

const task = (arn: string) =>
  EcsModel.use(({ ecs }) =>
    Effect.map(ecs.DescribeTasks(region, { tasks: [arn] }), ({ tasks }) => tasks?.[0] ?? assert.fail("MISSING"))
  )

const allTasks = EcsModel.use(({ ecs }) => ecs.ListTasks(region, {})).pipe(
  Effect.map(({ taskArns = [] }) => taskArns.length)
)

/** A launch that the platform stops, as it is when everything is over. */
const stoppedBy = (stop: NonNullable<Fault["stop"]>) =>
  Effect.gen(function* () {
    yield* register()
    yield* inject({ action: "RunTask", stop })
    const arn = arnOf(yield* run())
    yield* TestClock.adjust("1 seconds")
    return yield* task(arn)
  })

describe("faults of a call", () => {
  it.effect("an error, once, with everything that AWS's has", () =>
    Effect.gen(function* () {
      yield* inject({
        action: "DescribeClusters",
        error: { name: "ConflictException", message: "why", status: 500, resourceIds: ["a"] }
      })
      const { ecs } = yield* EcsModel
      assert.deepStrictEqual(yield* Effect.flip(ecs.DescribeClusters(region, {})), {
        __type: "ConflictException",
        message: "why",
        resourceIds: ["a"],
        $metadata: { httpStatusCode: 500 }
      })
      assert.strictEqual((yield* ecs.DescribeClusters(region, {})).clusters?.length, 1)
    }).pipe(Effect.provide(model))
  )

  it.effect("also of EC2 and of CloudWatch Logs; the unspoilt operations know nothing of it", () =>
    Effect.gen(function* () {
      const { ec2, logs, unspoilt } = yield* EcsModel
      for (const action of ["DescribeVpcs", "DescribeLogGroups"]) {
        yield* inject({ action, error: { name: "RequestLimitExceeded", message: "" } })
      }
      yield* unspoilt.ec2.DescribeVpcs(region, {})
      assert.strictEqual((yield* Effect.flip(ec2.DescribeVpcs(region, {}))).__type, "RequestLimitExceeded")
      assert.strictEqual((yield* Effect.flip(logs.DescribeLogGroups(region, {}))).__type, "RequestLimitExceeded")
    }).pipe(Effect.provide(model))
  )

  it.effect("crash: reset before the call took effect, nothing is launched", () =>
    Effect.gen(function* () {
      yield* register()
      yield* inject({ action: "RunTask", reset: "before" })
      assert.strictEqual((yield* Effect.flip(run())).code, "ECONNRESET")
      assert.strictEqual(yield* allTasks, 0)
    }).pipe(Effect.provide(model))
  )

  it.effect("crash: reset after it, the answer is lost; the same token gives the task that was launched", () =>
    Effect.gen(function* () {
      yield* register()
      yield* inject({ action: "RunTask", reset: "after" })
      assert.strictEqual((yield* Effect.flip(run({ clientToken: "t" }))).code, "ECONNRESET")
      assert.strictEqual(yield* allTasks, 1)
      assert.strictEqual((yield* run({ clientToken: "t" })).tasks?.length, 1)
      assert.strictEqual(yield* allTasks, 1)
    }).pipe(Effect.provide(model))
  )

  it.effect("only calls for the named cluster", () =>
    Effect.gen(function* () {
      yield* register()
      const { ecs } = yield* EcsModel
      yield* ecs.CreateCluster(region, { clusterName: "jobs" })
      yield* inject({ action: "RunTask", cluster: "jobs", times: 0, error: { name: "ServerException", message: "" } })
      assert.strictEqual((yield* run()).tasks?.length, 1)
      const cluster = "arn:aws:ecs:us-east-1:000000000000:cluster/jobs"
      assert.strictEqual((yield* Effect.flip(run({ cluster }))).__type, "ServerException")
    }).pipe(Effect.provide(model))
  )
})

const describeTasks = (arns: ReadonlyArray<string>) =>
  EcsModel.use(({ ecs }) => ecs.DescribeTasks(region, { tasks: [...arns] }))

describe("faults of one run, for a time, late or stale", () => {
  it.effect.each(["fleet/run-1/", "run-1"])("only calls about tasks that %s started", (startedBy) =>
    Effect.gen(function* () {
      yield* register()
      const one = arnOf(yield* run({ startedBy: "fleet/run-1/1" }))
      const other = arnOf(yield* run({ startedBy: "fleet/run-10/1" }))
      yield* inject({ action: "*", times: 0, startedBy, error: { name: "ServerException", message: "" } })
      const { ecs } = yield* EcsModel
      assert.strictEqual((yield* describeTasks([other])).tasks?.length, 1)
      yield* ecs.StopTask(region, { task: other })
      yield* ecs.DescribeClusters(region, {})
      yield* Effect.flip(run({ startedBy: "fleet/run-1/2" }))
      yield* Effect.flip(describeTasks([other, one]))
      yield* Effect.flip(ecs.StopTask(region, { task: one }))
      yield* Effect.flip(ecs.ListTasks(region, { startedBy: "fleet/run-1/1" }))
    }).pipe(Effect.provide(model))
  )

  it.effect("a token that has expired for a minute, for every call", () =>
    Effect.gen(function* () {
      yield* register()
      yield* inject({ action: "*", lifetimeSeconds: 60, error: { name: "ExpiredTokenException", message: "" } })
      const { ec2 } = yield* EcsModel
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* Effect.flip(run())).__type, "ExpiredTokenException")
      assert.strictEqual((yield* Effect.flip(ec2.DescribeVpcs(region, {}))).__type, "ExpiredTokenException")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* run()).tasks?.length, 1)
    }).pipe(Effect.provide(model))
  )

  it.effect("late: the call takes effect at once, its answer comes after the delay", () =>
    Effect.gen(function* () {
      yield* register()
      yield* inject({ action: "RunTask", delaySeconds: 20 })
      const answer = yield* Effect.forkChild(run({ clientToken: "t" }))
      yield* TestClock.adjust("19 seconds")
      assert.strictEqual(yield* allTasks, 1)
      assert.isUndefined(answer.pollUnsafe())
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* Fiber.join(answer)).tasks?.length, 1)
    }).pipe(Effect.provide(model))
  )

  it.effect("out of order: DescribeTasks shows an older version, and no older than the oldest that was kept", () =>
    Effect.gen(function* () {
      yield* register(["simulate", "--seconds", "5"])
      yield* inject({ action: "DescribeTasks", probability: 0, staleVersions: 1 })
      const arn = arnOf(yield* run())
      yield* TestClock.adjust("1 seconds")
      const running = yield* task(arn)
      yield* TestClock.adjust("5 seconds")
      const last = yield* task(arn)
      assert.deepStrictEqual([running.lastStatus, last.lastStatus], ["RUNNING", "STOPPED"])
      for (const staleVersions of [1, 4, 8]) yield* inject({ action: "DescribeTasks", staleVersions })
      assert.strictEqual((yield* task(arn)).lastStatus, "DEPROVISIONING")
      assert.deepStrictEqual(yield* task(arn), running)
      assert.strictEqual((yield* task(arn)).lastStatus, "PROVISIONING")
      assert.deepStrictEqual(yield* task(arn), last)
    }).pipe(Effect.provide(model))
  )
})

describe("faults of a launch", () => {
  it.effect("a partial success: two of three tasks, and why not the third", () =>
    Effect.gen(function* () {
      yield* register()
      const failures = [{ reason: "Capacity is unavailable at this time." }] as const
      yield* inject({ action: "RunTask", failures, launched: 2 })
      const answer = yield* run({ count: 3 })
      assert.deepStrictEqual([answer.tasks?.length, answer.failures, yield* allTasks], [2, [...failures], 2])
    }).pipe(Effect.provide(model))
  )

  it.effect("late: MISSING for five seconds after RunTask, then it is there", () =>
    Effect.gen(function* () {
      yield* register()
      yield* inject({ action: "RunTask", missingSeconds: 5 })
      const arn = arnOf(yield* run())
      yield* TestClock.adjust(4999)
      assert.strictEqual((yield* describeTasks([arn])).failures?.[0]?.reason, "MISSING")
      assert.strictEqual(yield* allTasks, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* task(arn)).lastStatus, "RUNNING")
    }).pipe(Effect.provide(model))
  )

  it.effect("never: a task vanishes three seconds after it is RUNNING, for good", () =>
    Effect.gen(function* () {
      yield* register()
      yield* inject({ action: "RunTask", vanishAfterSeconds: 3 })
      const arn = arnOf(yield* run())
      yield* TestClock.adjust(2999)
      assert.strictEqual((yield* task(arn)).lastStatus, "RUNNING")
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* describeTasks([arn])).failures?.[0]?.reason, "MISSING")
      assert.strictEqual(yield* allTasks, 0)
    }).pipe(Effect.provide(model))
  )

  it.effect("failures: nothing is launched, and a replay of the token neither asks again nor uses up another", () =>
    Effect.gen(function* () {
      yield* register()
      yield* inject({ action: "RunTask", times: 2, failures: [{ reason: "RESOURCE:ENI", detail: "none left" }] })
      const failures = [{ reason: "RESOURCE:ENI", detail: "none left" }]
      assert.deepStrictEqual(yield* run({ clientToken: "t" }), { tasks: [], failures })
      assert.deepStrictEqual(yield* run({ clientToken: "t" }), { tasks: [], failures })
      const { faults } = yield* EcsModel
      assert.deepStrictEqual((yield* faults.list)[0]?.left, 1)
      yield* faults.clear
      assert.strictEqual((yield* run({ clientToken: "u" })).tasks?.length, 1)
    }).pipe(Effect.provide(model))
  )

  it.effect("never: held in PROVISIONING until it is stopped", () =>
    Effect.gen(function* () {
      yield* register()
      yield* inject({ action: "RunTask", hold: "PROVISIONING" })
      const arn = arnOf(yield* run())
      yield* TestClock.adjust("1 hours")
      assert.strictEqual((yield* task(arn)).lastStatus, "PROVISIONING")
      yield* (yield* EcsModel).ecs.StopTask(region, { task: arn })
      yield* TestClock.adjust("1 seconds")
      assert.deepInclude(yield* task(arn), { lastStatus: "STOPPED", stopCode: "UserInitiated" })
    }).pipe(Effect.provide(model))
  )

  it.effect("a Spot interruption: the program gets its SIGTERM once it runs", () =>
    Effect.gen(function* () {
      const stop = { stopCode: "SpotInterruption", stoppedReason: "Your Spot Task was interrupted." } as const
      const { containers, startedAt, ...task } = yield* stoppedBy(stop)
      assert.deepInclude(task, { ...stop, lastStatus: "STOPPED" })
      assert.isDefined(startedAt)
      assert.strictEqual(containers?.[0]?.exitCode, 143)
    }).pipe(Effect.provide(model))
  )

  it.effect("out of memory: exit code and reason of the container are the platform's", () =>
    Effect.gen(function* () {
      const containerReason = "OutOfMemoryError: Container killed due to memory usage"
      const stop = {
        stopCode: "EssentialContainerExited",
        stoppedReason: "Essential container in task exited"
      } as const
      const { containers } = yield* stoppedBy({ ...stop, containerReason, exitCode: 137 })
      assert.deepInclude(containers?.[0], { exitCode: 137, reason: containerReason, lastStatus: "STOPPED" })
    }).pipe(Effect.provide(model))
  )

  it.effect("before it runs: no container was ever started, and it has no exit code", () =>
    Effect.gen(function* () {
      const reason = "CannotPullContainerError: pull image manifest has been retried 5 time(s)"
      const stop = { stopCode: "TaskFailedToStart", stoppedReason: reason, containerReason: reason } as const
      const { containers, startedAt, ...task } = yield* stoppedBy({ ...stop, beforeRunning: true })
      assert.deepInclude(task, { stopCode: "TaskFailedToStart", stoppedReason: reason, lastStatus: "STOPPED" })
      assert.isUndefined(startedAt)
      assert.deepStrictEqual([containers?.[0]?.exitCode, containers?.[0]?.reason], [undefined, reason])
    }).pipe(Effect.provide(model))
  )
})
