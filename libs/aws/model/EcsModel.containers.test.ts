import type { ContainerDefinition, ContainerDependency, RunTaskRequest, Task } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { fargateLaunch, onFargate, region } from "#test/support/EcsWorld.ts"
import { EcsModel, type EcsModelOptions } from "./EcsModel.ts"
import { Runtime, RuntimeRefused } from "./Runtime.ts"

const model = (options: Partial<EcsModelOptions> = {}, runtime: Layer.Layer<Runtime> = Runtime.layerSimulated) =>
  EcsModel.layer({ timeScale: "instant", ...options }).pipe(Layer.provide(runtime))

const container = (
  name: string,
  command: ReadonlyArray<string>,
  more: Partial<ContainerDefinition> = {}
): ContainerDefinition => ({ name, image: "x", command: ["simulate", ...command], ...more })

const after = (containerName: string, condition: ContainerDependency["condition"]) => ({
  dependsOn: [{ containerName, condition }]
})

const logsTo = (group: string): Partial<ContainerDefinition> => ({
  logConfiguration: {
    logDriver: "awslogs",
    options: { "awslogs-group": group, "awslogs-stream-prefix": "p", "awslogs-create-group": "true" }
  }
})

const launched = (containerDefinitions: Array<ContainerDefinition>, more: Partial<RunTaskRequest> = {}) =>
  EcsModel.use(({ ecs }) =>
    Effect.gen(function* () {
      const executionRoleArn = "arn:aws:iam::000000000000:role/execution"
      yield* ecs.RegisterTaskDefinition(region, { ...onFargate, executionRoleArn, containerDefinitions })
      const { tasks } = yield* ecs.RunTask(region, { ...fargateLaunch, ...more })
      yield* TestClock.adjust(0)
      return tasks?.[0]?.taskArn ?? ""
    })
  )

const describeTask = (arn: string) =>
  EcsModel.use(({ ecs }) => ecs.DescribeTasks(region, { tasks: [arn] })).pipe(
    Effect.map(({ tasks }) => tasks?.[0] ?? assert.fail("MISSING"))
  )

/** The task's state, and that of each container. */
const states = (arn: string) =>
  Effect.map(describeTask(arn), ({ containers = [], lastStatus }) => [
    lastStatus,
    ...containers.map((each) => each.lastStatus)
  ])

const exitCodes = ({ containers = [] }: Task) => containers.map(({ exitCode }) => exitCode)

const lines = (group: string, arn: string, name: string) =>
  EcsModel.use(({ logs }) =>
    logs.FilterLogEvents(region, { logGroupName: group, logStreamNames: [`p/${name}/${arn.split("/").at(-1)}`] })
  ).pipe(Effect.map(({ events = [] }) => events.map(({ message }) => message)))

const stop = (task: string) => EcsModel.use(({ ecs }) => ecs.StopTask(region, { task, reason: "enough" }))

describe("several containers", () => {
  it.effect("each runs its own command, into its own log, to its own exit code", () =>
    Effect.gen(function* () {
      const arn = yield* launched([
        container("main", ["--seconds", "3", "--lines", "2"], logsTo("/jobs")),
        container("side", ["--seconds", "1", "--lines", "1", "--exit-code", "4"], {
          essential: false,
          ...logsTo("/sides")
        })
      ])
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* states(arn), ["RUNNING", "RUNNING", "STOPPED"])
      assert.deepStrictEqual(exitCodes(yield* describeTask(arn)), [undefined, 4])
      yield* TestClock.adjust("2 seconds")
      const task = yield* describeTask(arn)
      assert.deepStrictEqual([task.lastStatus, task.stopCode], ["STOPPED", "EssentialContainerExited"])
      assert.deepStrictEqual(exitCodes(task), [0, 4])
      assert.deepStrictEqual(yield* lines("/jobs", arn, "main"), ["line 1 of 2", "line 2 of 2"])
      assert.deepStrictEqual(yield* lines("/sides", arn, "side"), ["line 1 of 1"])
    }).pipe(Effect.provide(model()))
  )

  it.effect("the end of an essential one stops the others", () =>
    Effect.gen(function* () {
      const arn = yield* launched([
        container("main", ["--seconds", "60"]),
        container("side", ["--seconds", "60"], { essential: false }),
        container("guard", ["--seconds", "1", "--exit-code", "9"])
      ])
      yield* TestClock.adjust("1 seconds")
      const task = yield* describeTask(arn)
      assert.deepStrictEqual([task.lastStatus, task.stopCode], ["STOPPED", "EssentialContainerExited"])
      assert.deepStrictEqual(exitCodes(task), [143, 143, 9])
    }).pipe(Effect.provide(model()))
  )

  it.effect("overrides reach the container that they name", () =>
    Effect.gen(function* () {
      const containers = [container("main", ["--seconds", "1"]), container("side", [], { essential: false })]
      const containerOverrides = [{ name: "side", command: ["simulate", "--exit-code", "5"] }]
      const arn = yield* launched(containers, { overrides: { containerOverrides } })
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(exitCodes(yield* describeTask(arn)), [0, 5])
    }).pipe(Effect.provide(model()))
  )

  it.effect("one that cannot start ends those that run already, with their exit codes", () => {
    const runtime = Layer.effect(
      Runtime,
      Effect.map(
        Runtime,
        (simulated) =>
          ({
            start: (spec, output) =>
              spec.containerName === "main"
                ? Effect.fail(new RuntimeRefused({ reason: "CannotStartContainerError: no such program" }))
                : simulated.start(spec, output)
          }) satisfies Runtime["Service"]
      )
    ).pipe(Layer.provide(Runtime.layerSimulated))
    return Effect.gen(function* () {
      const arn = yield* launched([
        container("side", ["--seconds", "60"], { essential: false }),
        container("main", [], after("side", "START"))
      ])
      const task = yield* describeTask(arn)
      assert.deepStrictEqual([task.lastStatus, task.stopCode], ["STOPPED", "TaskFailedToStart"])
      assert.deepStrictEqual([exitCodes(task), task.startedAt], [[143, undefined], undefined])
    }).pipe(Effect.provide(model({}, runtime)))
  })
})

describe("containers that depend on each other", () => {
  const init = (...command: ReadonlyArray<string>) => container("init", command, { essential: false })

  it.effect("one waits for another's success; meanwhile the task is not RUNNING", () =>
    Effect.gen(function* () {
      const arn = yield* launched([
        container("main", ["--seconds", "1"], after("init", "SUCCESS")),
        init("--seconds", "5")
      ])
      assert.deepStrictEqual(yield* states(arn), ["ACTIVATING", "PENDING", "RUNNING"])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* states(arn), ["RUNNING", "RUNNING", "STOPPED"])
      yield* TestClock.adjust("1 seconds")
      const task = yield* describeTask(arn)
      assert.deepStrictEqual([task.lastStatus, exitCodes(task)], ["STOPPED", [0, 0]])
      assert.deepStrictEqual([task.startedAt, task.executionStoppedAt].map(Number), [5000, 6000])
    }).pipe(Effect.provide(model()))
  )

  it.effect("never: another's failure ends the task before it ran", () =>
    Effect.gen(function* () {
      const arn = yield* launched([
        container("main", [], after("init", "SUCCESS")),
        init("--seconds", "1", "--exit-code", "3"),
        container("side", ["--seconds", "60"], { essential: false })
      ])
      yield* TestClock.adjust("1 seconds")
      const task = yield* describeTask(arn)
      assert.deepStrictEqual(
        [task.lastStatus, task.stopCode, task.stoppedReason, task.startedAt],
        ["STOPPED", "TaskFailedToStart", "Task failed to start", undefined]
      )
      assert.deepStrictEqual(exitCodes(task), [143, 3, 143])
      assert.match(task.containers?.[0]?.reason ?? "", /^CannotStartContainerError: dependency graph: .*Exit: 3/)
    }).pipe(Effect.provide(model()))
  )

  it.effect("never: what is not essential and cannot start holds nobody up", () =>
    Effect.gen(function* () {
      const arn = yield* launched([
        container("main", ["--seconds", "60"]),
        init("--exit-code", "3"),
        container("side", [], { essential: false, ...after("init", "SUCCESS") })
      ])
      assert.deepStrictEqual(yield* states(arn), ["RUNNING", "RUNNING", "STOPPED", "STOPPED"])
      assert.deepStrictEqual(exitCodes(yield* describeTask(arn)), [undefined, 3, 143])
    }).pipe(Effect.provide(model()))
  )

  it.effect("late: another's end is waited for no longer than its start time-out", () =>
    Effect.gen(function* () {
      const arn = yield* launched([
        container("main", [], after("init", "COMPLETE")),
        { ...init("--seconds", "60"), startTimeout: 10 }
      ])
      yield* TestClock.adjust("9999 millis")
      assert.deepStrictEqual(yield* states(arn), ["ACTIVATING", "PENDING", "RUNNING"])
      yield* TestClock.adjust("1 millis")
      const task = yield* describeTask(arn)
      assert.deepStrictEqual(
        [task.lastStatus, task.stopCode, exitCodes(task)],
        ["STOPPED", "TaskFailedToStart", [143, 143]]
      )
      assert.match(task.containers?.[0]?.reason ?? "", /has timed out\.$/)
    }).pipe(Effect.provide(model()))
  )

  it.effect("a stop meanwhile ends what runs and starts nothing more", () =>
    Effect.gen(function* () {
      const arn = yield* launched([container("main", [], after("init", "COMPLETE")), init("--seconds", "60")])
      yield* TestClock.adjust("1 seconds")
      yield* stop(arn)
      yield* TestClock.adjust(0)
      const task = yield* describeTask(arn)
      assert.deepStrictEqual(
        [task.lastStatus, task.stopCode, task.stoppedReason],
        ["STOPPED", "UserInitiated", "enough"]
      )
      assert.deepStrictEqual([exitCodes(task), task.startedAt], [[undefined, 143], undefined])
    }).pipe(Effect.provide(model()))
  )

  it.effect("an essential one that ends meanwhile ends the task", () =>
    Effect.gen(function* () {
      const arn = yield* launched([
        container("main", ["--seconds", "1", "--exit-code", "2"]),
        init("--seconds", "60"),
        container("side", [], { essential: false, ...after("init", "COMPLETE") })
      ])
      yield* TestClock.adjust("1 seconds")
      const task = yield* describeTask(arn)
      assert.deepStrictEqual([task.lastStatus, task.stopCode], ["STOPPED", "EssentialContainerExited"])
      assert.deepStrictEqual(exitCodes(task), [2, 143, undefined])
    }).pipe(Effect.provide(model()))
  )

  it.effect("one waits for another's health; the task's health is that of its essential containers", () =>
    Effect.gen(function* () {
      const healthy = { healthCheck: { command: ["CMD", "simulate"], interval: 300 } }
      const arn = yield* launched([
        container("main", ["--seconds", "60"], after("proxy", "HEALTHY")),
        container("proxy", ["--seconds", "90"], healthy)
      ])
      yield* TestClock.adjust("9999 millis")
      assert.deepStrictEqual(yield* states(arn), ["ACTIVATING", "PENDING", "RUNNING"])
      yield* TestClock.adjust("1 millis")
      const task = yield* describeTask(arn)
      assert.deepStrictEqual([task.lastStatus, task.healthStatus], ["RUNNING", "HEALTHY"])
      assert.deepStrictEqual(
        task.containers?.map(({ healthStatus }) => healthStatus),
        ["UNKNOWN", "HEALTHY"]
      )
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(exitCodes(yield* describeTask(arn)), [0, 143])
    }).pipe(Effect.provide(model()))
  )

  it.effect("never: an unhealthy one is told, and nobody is stopped for it", () =>
    Effect.gen(function* () {
      const sick = { healthCheck: { command: ["CMD", "simulate", "--exit-code", "1"], interval: 30, retries: 2 } }
      const arn = yield* launched([container("main", ["--seconds", "60"], sick)])
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* describeTask(arn)).healthStatus, "UNKNOWN")
      yield* TestClock.adjust("1 seconds")
      const { containers, healthStatus, lastStatus } = yield* describeTask(arn)
      assert.deepStrictEqual(
        [lastStatus, healthStatus, containers?.[0]?.healthStatus],
        ["RUNNING", "UNHEALTHY", "UNHEALTHY"]
      )
    }).pipe(Effect.provide(model()))
  )

  it.effect("at the end the order is reversed: each is asked only when those that need it are over", () => {
    const asked: Array<string> = []
    const exits = new Map<string, Deferred.Deferred<{ exitCode: number }>>()
    const runtime = Layer.succeed(Runtime, {
      start: ({ containerName }) =>
        Effect.gen(function* () {
          const exit = yield* Deferred.make<{ exitCode: number }>()
          exits.set(containerName, exit)
          return { exit: Deferred.await(exit), stop: Effect.sync(() => void asked.push(containerName)) }
        })
    })
    const end = (name: string) =>
      Deferred.doneUnsafe(exits.get(name) ?? assert.fail(name), Effect.succeed({ exitCode: 0 }))
    return Effect.gen(function* () {
      const arn = yield* launched([
        container("log", []),
        container("proxy", [], after("log", "START")),
        container("main", [], after("proxy", "START"))
      ])
      assert.deepStrictEqual(yield* states(arn), ["RUNNING", "RUNNING", "RUNNING", "RUNNING"])
      yield* stop(arn)
      for (const name of ["main", "proxy", "log"]) {
        yield* TestClock.adjust(0)
        assert.strictEqual(asked.at(-1), name)
        end(name)
      }
      yield* TestClock.adjust(0)
      assert.deepStrictEqual([asked, yield* states(arn)], [["main", "proxy", "log"], Array(4).fill("STOPPED")])
    }).pipe(Effect.provide(model({}, runtime)))
  })
})
