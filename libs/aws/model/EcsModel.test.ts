import type { RunTaskRequest } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { fargateLaunch, onFargate, region } from "#test/support/EcsWorld.ts"
import { EcsModel, type EcsModelOptions } from "./EcsModel.ts"
import { type ContainerSpec, Runtime, RuntimeRefused } from "./Runtime.ts"

const model = (options: Partial<EcsModelOptions> = {}, runtime: Layer.Layer<Runtime> = Runtime.layerSimulated) =>
  EcsModel.layer({ timeScale: "instant", ...options }).pipe(Layer.provide(runtime))

const register = (command: ReadonlyArray<string>, more: Record<string, string> = { "awslogs-create-group": "true" }) =>
  EcsModel.use(({ ecs }) =>
    ecs.RegisterTaskDefinition(region, {
      ...onFargate,
      family: "f",
      executionRoleArn: "arn:aws:iam::000000000000:role/execution",
      containerDefinitions: [
        {
          name: "main",
          image: "x",
          command: [...command],
          logConfiguration: {
            logDriver: "awslogs",
            options: { "awslogs-group": "/g", "awslogs-stream-prefix": "p", ...more }
          }
        }
      ]
    })
  )

const launch = (more: Partial<RunTaskRequest> = {}) =>
  EcsModel.use(({ ecs }) =>
    Effect.map(
      ecs.RunTask(region, { ...fargateLaunch, taskDefinition: "f", ...more }),
      ({ tasks }) => tasks?.[0]?.taskArn ?? ""
    )
  )

const task = (arn: string) =>
  EcsModel.use(({ ecs }) => Effect.map(ecs.DescribeTasks(region, { tasks: [arn] }), ({ tasks }) => tasks?.[0]))

const status = (arn: string) => Effect.map(task(arn), (found) => found?.lastStatus)

const lines = (arn: string) =>
  EcsModel.use(({ logs }) =>
    Effect.map(
      logs.GetLogEvents(region, {
        logGroupName: "/g",
        logStreamName: `p/main/${arn.split("/").at(-1)}`,
        startFromHead: true
      }),
      ({ events }) => events?.map(({ timestamp, message }) => [timestamp, message])
    )
  )

/** A runtime in the test's hand. */
const runtimeOf = (start: Runtime["Service"]["start"]) => Layer.succeed(Runtime, { start })

describe("EcsModel", () => {
  it.effect("a simulated task runs for its seconds and prints its lines, all by the Clock", () =>
    Effect.gen(function* () {
      yield* register(["simulate", "--seconds", "3", "--exit-code", "4", "--lines-per-second", "1"])
      const arn = yield* launch()
      assert.strictEqual(yield* status(arn), "PROVISIONING")
      yield* TestClock.adjust("2999 millis")
      assert.strictEqual(yield* status(arn), "RUNNING")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* status(arn), "STOPPED")
      assert.strictEqual((yield* task(arn))?.containers?.[0]?.exitCode, 4)
      assert.deepStrictEqual(yield* lines(arn), [
        [1000, "line 1 of 3"],
        [2000, "line 2 of 3"],
        [3000, "line 3 of 3"]
      ])
    }).pipe(Effect.provide(model()))
  )

  it.effect("on Fargate's time scale it takes Fargate's time", () =>
    Effect.gen(function* () {
      yield* register([])
      const arn = yield* launch()
      const seen: Array<string | undefined> = []
      for (const seconds of [3, 2, 8, 7, 1, 22]) {
        yield* TestClock.adjust(`${seconds} seconds`)
        seen.push(yield* status(arn))
      }
      assert.deepStrictEqual(seen, [
        "PROVISIONING",
        "PENDING",
        "ACTIVATING",
        "DEPROVISIONING",
        "DEPROVISIONING",
        "STOPPED"
      ])
    }).pipe(Effect.provide(model({ timeScale: "fargate" })))
  )

  it.effect("a stopped task and its token are forgotten after the hour", () =>
    Effect.gen(function* () {
      yield* register([])
      const arn = yield* launch({ clientToken: "t" })
      yield* TestClock.adjust("3599 seconds")
      assert.strictEqual(yield* launch({ clientToken: "t" }), arn)
      yield* TestClock.adjust("1 seconds")
      assert.isUndefined(yield* task(arn))
      assert.notStrictEqual(yield* launch({ clientToken: "t" }), arn)
    }).pipe(Effect.provide(model()))
  )

  it.effect("StopTask ends the containers, and a stop before the start never starts them", () => {
    const begun: Array<ContainerSpec> = []
    const runtime = runtimeOf((spec) =>
      Effect.gen(function* () {
        begun.push(spec)
        const exit = yield* Deferred.make<{ exitCode: number }>()
        return { exit: Deferred.await(exit), stop: Effect.asVoid(Deferred.succeed(exit, { exitCode: 143 })) }
      })
    )
    return Effect.gen(function* () {
      yield* register([])
      const { ecs } = yield* EcsModel
      const [early, late] = [yield* launch(), yield* launch()]
      yield* ecs.StopTask(region, { task: early, reason: "early" })
      yield* TestClock.adjust("150 millis")
      assert.deepStrictEqual(
        begun.map(({ taskArn }) => taskArn),
        [late]
      )
      yield* ecs.StopTask(region, { task: late, reason: "late" })
      yield* TestClock.adjust("200 millis")
      const [first, second] = [yield* task(early), yield* task(late)]
      assert.deepStrictEqual(
        [first?.lastStatus, first?.stoppedReason, first?.containers?.[0]?.exitCode],
        ["STOPPED", "early", undefined]
      )
      assert.deepStrictEqual(
        [second?.lastStatus, second?.stoppedReason, second?.containers?.[0]?.exitCode],
        ["STOPPED", "late", 143]
      )
    }).pipe(Effect.provide(model({ timeScale: "dev" }, runtime)))
  })

  it.effect("crash: a runtime that throws ends the task, not the model", () => {
    const runtime = runtimeOf((spec) =>
      spec.command[0] === "throw"
        ? Effect.die(new Error("no more file descriptors"))
        : Effect.fail(new RuntimeRefused({ reason: "CannotPullContainerError: gone" }))
    )
    return Effect.gen(function* () {
      yield* register(["throw"])
      const thrown = yield* launch()
      yield* register(["refuse"])
      const refused = yield* launch()
      yield* TestClock.adjust(0)
      const reasons = [yield* task(thrown), yield* task(refused)].map((found) => [
        found?.lastStatus,
        found?.stopCode,
        found?.stoppedReason
      ])
      assert.deepStrictEqual(reasons, [
        ["STOPPED", "TaskFailedToStart", "ContainerRuntimeError: Error: no more file descriptors"],
        ["STOPPED", "TaskFailedToStart", "CannotPullContainerError: gone"]
      ])
    }).pipe(Effect.provide(model({}, runtime)))
  })

  it.effect("a log group that nobody made stops the start, as on Fargate", () =>
    Effect.gen(function* () {
      yield* register([], {})
      const arn = yield* launch()
      yield* TestClock.adjust(0)
      assert.match(
        (yield* task(arn))?.stoppedReason ?? "",
        /^ResourceInitializationError: failed to validate logger args/
      )
    }).pipe(Effect.provide(model()))
  )

  it.effect("faults: launches fail, hang, are interrupted by the platform, and vanish", () =>
    Effect.gen(function* () {
      const { ecs, faults } = yield* EcsModel
      yield* register(["simulate", "--seconds", "60"])
      yield* faults.failLaunches({ reason: "AGENT" }, 1)
      assert.strictEqual(
        (yield* ecs.RunTask(region, { ...fargateLaunch, taskDefinition: "f" })).failures?.[0]?.reason,
        "AGENT"
      )
      assert.isTrue(yield* faults.inject({ action: "RunTask", hold: "PROVISIONING" }))
      const [held, spot, gone] = [yield* launch(), yield* launch(), yield* launch()]
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual([yield* status(held), yield* status(spot)], ["PROVISIONING", "RUNNING"])
      assert.isTrue(yield* faults.stop(spot, "SpotInterruption", "Your Spot Task was interrupted."))
      assert.isTrue(yield* faults.forget(gone))
      assert.isFalse(yield* faults.forget(gone))
      yield* ecs.StopTask(region, { task: held })
      yield* TestClock.adjust(0)
      assert.deepStrictEqual([yield* status(held), (yield* task(spot))?.stopCode], ["STOPPED", "SpotInterruption"])
      assert.isUndefined(yield* task(gone))
    }).pipe(Effect.provide(model()))
  )

  it.effect("faults: a task that vanishes leaves its client token behind, for an hour", () =>
    Effect.gen(function* () {
      const { ecs, faults } = yield* EcsModel
      yield* register(["simulate", "--seconds", "60"])
      const input = { ...fargateLaunch, taskDefinition: "f", clientToken: "token" }
      const arnOf = Effect.map(ecs.RunTask(region, input), ({ tasks }) => tasks?.[0]?.taskArn)
      const arn = yield* arnOf
      assert.isTrue(yield* faults.forget(arn ?? ""))
      yield* TestClock.adjust("3599 seconds")
      assert.strictEqual(yield* arnOf, arn)
      yield* TestClock.adjust("1 second")
      assert.notStrictEqual(yield* arnOf, arn)
    }).pipe(Effect.provide(model()))
  )

  /** Launches one container that never ends by itself, does something to it, and waits for its end. */
  const endsWhen = (end: (arn: string) => Effect.Effect<unknown, never, EcsModel>, when: "inside" | "outside") =>
    Effect.gen(function* () {
      const [begun, ended] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const runtime = runtimeOf(() =>
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => Deferred.succeed(ended, undefined))
          yield* Deferred.succeed(begun, undefined)
          return { exit: Effect.never, stop: Effect.void }
        })
      )
      yield* Effect.gen(function* () {
        yield* register([])
        const arn = yield* launch()
        yield* Deferred.await(begun)
        yield* end(arn)
        if (when === "inside") yield* Deferred.await(ended)
      }).pipe(Effect.provide(model({}, runtime)))
      assert.isTrue(Deferred.isDoneUnsafe(ended))
    })

  const forget = (arn: string) => EcsModel.use(({ faults }) => faults.forget(arn))

  it.effect("a vanished task leaves no container behind", () =>
    endsWhen((arn) => Effect.andThen(TestClock.adjust(0), forget(arn)), "inside")
  )

  it.effect("nor does one that vanishes while its container starts", () => endsWhen(forget, "inside"))

  it.effect("closing the model ends every container", () => endsWhen(() => Effect.void, "outside"))
})
