import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { statusesOf, tasksOf, taskWhen } from "#test/support/follow.ts"
import { leapingClock } from "#test/support/LeapingClock.ts"
import { calls, inject, launchedTasks, layerTest as localAws } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { cancel, finished, output, request } from "#test/support/runs.ts"

const pool = { image: "local/shell", executionRoleArn: "arn:aws:iam::000000000000:role/execution" }
const simulated = localAws({ runtime: "simulated" })

describe("between two looks", () => {
  const ecsTime = leapingClock()
  const fleetTime = leapingClock()
  const ecs = localAws({ runtime: "simulated", timeScale: "fargate" }).pipe(Layer.provide(ecsTime.layer))
  const settings = { FLEET_WATCHER_YOUNG_POLL_SECONDS: "10" }
  const fleet = layerFleetWith(natsServer, ecs, settings).pipe(Layer.provide(fleetTime.layer))

  layer(fleet, { excludeTestServices: true })((it) => {
    it.effect(
      "never seen RUNNING: a task that is PENDING, then STOPPED with exit code 0, succeeded (scenario 89)",
      () =>
        Effect.gen(function* () {
          const runId = yield* request({ image: "local/shell", command: ["true"], taskWatchPollIntervalSeconds: 10 })
          yield* taskWhen(runId, "PROVISIONING")
          yield* ecsTime.leap("5 seconds")
          yield* fleetTime.leap("10 seconds")
          yield* taskWhen(runId, "PENDING")
          const onward = Effect.andThen(ecsTime.leap("10 seconds"), launchedTasks)
          yield* Effect.repeat(onward, { until: ([task]) => task?.lastStatus === "STOPPED" })
          yield* fleetTime.leap("10 seconds")
          assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0, attempts: 1 })
          assert.deepStrictEqual(yield* statusesOf(runId), ["PROVISIONING", "PENDING", "STOPPED"])
        })
    )
  })
})

describe("a task that ECS forgets while it runs", () => {
  const time = leapingClock()
  const fleet = layerFleetWith(natsServer, simulated).pipe(Layer.provide(time.layer))
  const forgotten = {
    image: "local/shell",
    command: ["simulate", "--seconds", "600"],
    taskWatchPollIntervalSeconds: 0.1
  }

  /** Until a minute after its launch a task may be missing because ECS does not show it yet. */
  const forgetRunning = (runId: string) =>
    Effect.gen(function* () {
      yield* taskWhen(runId, "RUNNING")
      yield* time.leap("5 seconds")
      yield* time.leap("61 seconds")
    })

  const vanishing = inject({ action: "RunTask", vanishAfterSeconds: 5 })

  layer(fleet, { excludeTestServices: true })((it) => {
    it.effect("never: its outcome is unknown, and it is not run again (scenario 95)", () =>
      Effect.gen(function* () {
        yield* vanishing
        const runId = yield* request(forgotten)
        yield* forgetRunning(runId)
        const end = yield* finished(runId)
        assert.deepInclude(end, { outcome: "crashed", attempts: 1 })
        assert.strictEqual(end.error?.code, "OutcomeUnknown")
        assert.lengthOf(yield* tasksOf(runId), 1)
      })
    )

    it.effect("never: with retry.rerunUnknown it is run again (scenario 95)", () =>
      Effect.gen(function* () {
        yield* vanishing
        const runId = yield* request({ ...forgotten, retry: { rerunUnknown: true, backoffSeconds: 1 } })
        yield* forgetRunning(runId)
        yield* taskWhen(runId, "RUNNING", 2)
        yield* time.leap("600 seconds")
        assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0, attempts: 2 })
        assert.lengthOf(yield* tasksOf(runId), 2)
      })
    )
  })
})

layer(layerFleetWith(natsServer, simulated), { excludeTestServices: true })("read-back", (it) => {
  const portMappings = [{ containerPort: 8080 }, { containerPort: 9090, protocol: "udp" }]
  const job = {
    ...pool,
    family: "read-back",
    command: ["true"],
    taskDefinition: {
      containerDefinitions: [
        { name: "main", portMappings },
        { name: "aside", image: "local/shell" }
      ]
    }
  }
  const registrations = Effect.map(calls, (counts) => counts.calls["RegisterTaskDefinition"])
  const forget = Effect.gen(function* () {
    const kept = yield* (yield* Buckets).open(BucketNames.taskDefinitions)
    yield* Effect.forEach(yield* kept.keys(), (key) => kept.delete(key))
  })

  it.effect("with all of ECS's defaults are the ones registered: no new revision (scenario 96)", () =>
    Effect.gen(function* () {
      yield* inject({ action: "RegisterTaskDefinition", reset: "after" })
      const first = yield* request(job)
      assert.deepInclude(yield* finished(first), { outcome: "succeeded" })
      assert.strictEqual(yield* registrations, 1)
      yield* forget
      const second = yield* request({ ...job, matchLatestRevisionInFamily: true, command: ["echo"] })
      assert.deepInclude(yield* finished(second), { outcome: "succeeded" })
      const tasks = [...(yield* tasksOf(first)), ...(yield* tasksOf(second))]
      assert.lengthOf(tasks, 2)
      for (const { taskDefinitionArn } of tasks) assert.match(taskDefinitionArn, /task-definition\/read-back:1$/)
      assert.strictEqual(yield* registrations, 1)
    })
  )
})

layer(layerFleetWith(natsServer, simulated), { excludeTestServices: true })("other partitions", (it) => {
  it.effect.each([
    { place: "GovCloud", region: "us-gov-west-1", partition: "aws-us-gov" },
    { place: "China", region: "cn-north-1", partition: "aws-cn" }
  ])("in $place a run is launched, read and cancelled by its ARNs (scenario 97)", ({ region, partition }) =>
    Effect.gen(function* () {
      const executionRoleArn = `arn:${partition}:iam::000000000000:role/execution`
      const job = { image: "local/shell", executionRoleArn, region }
      const command = ["simulate", "--seconds", "0.2", "--lines-per-second", "10"]
      const cluster = `arn:${partition}:ecs:${region}:000000000000:cluster/default`
      const short = yield* request({ ...job, cluster, command })
      const long = yield* request({ ...job, command: ["simulate", "--seconds", "600"] })
      yield* taskWhen(long, "RUNNING")
      yield* cancel(long)
      const [done, cancelled] = [yield* finished(short), yield* finished(long)]
      assert.deepInclude(done, { outcome: "succeeded", exitCode: 0 })
      assert.strictEqual(cancelled.outcome, "cancelled")
      const { lines } = yield* output(short)
      assert.deepStrictEqual(
        lines.map(({ text }) => text),
        ["line 1 of 2", "line 2 of 2"]
      )
      for (const { taskArn = "" } of [done, cancelled]) {
        assert.isTrue(taskArn.startsWith(`arn:${partition}:ecs:${region}:`), taskArn)
      }
      const [task] = yield* tasksOf(long)
      assert.strictEqual(task?.lastStatus, "STOPPED")
    })
  )
})
