import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { tasksOf, taskWhen } from "#test/support/follow.ts"
import { leapingClock } from "#test/support/LeapingClock.ts"
import { clearFaults, inject, layerTest as localAws } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { finished, firstOn, request } from "#test/support/runs.ts"

/** Deadlines of minutes and hours, which pass at once. */

const time = leapingClock()
const fleet = layerFleetWith(natsServer, localAws({ runtime: "simulated" })).pipe(Layer.provide(time.layer))
/** A task that is older than a minute is looked at this often. */
const job = { image: "local/shell", command: ["simulate", "--seconds", "7200"], taskWatchPollIntervalSeconds: 0.1 }

/** The task is known to have stopped before the run is said to be over. */
const stoppedFirst = (runId: string) =>
  Effect.gen(function* () {
    const stop = yield* firstOn(Streams.fleet, Subjects.taskStopped(runId, 1))
    const end = yield* firstOn(Streams.fleet, Subjects.runFinished(runId))
    assert.isBelow(stop.seq, end.seq)
    const [task] = yield* tasksOf(runId)
    assert.strictEqual(task?.lastStatus, "STOPPED")
    return task?.stoppedReason
  })

layer(fleet, { excludeTestServices: true })("time-outs", (it) => {
  it.effect("a task that does not start within five minutes is stopped (peers 89, scenario 92)", () =>
    Effect.gen(function* () {
      yield* inject({ action: "RunTask", hold: "PROVISIONING" })
      const runId = yield* request(job)
      yield* taskWhen(runId, "PROVISIONING")
      yield* time.leap("301 seconds")
      assert.deepInclude(yield* finished(runId), { outcome: "timed_out", phase: "start" })
      assert.strictEqual(yield* stoppedFirst(runId), "fleet:start-timeout: 300 s")
    })
  )

  it.effect("a program that runs longer than it may is stopped", () =>
    Effect.gen(function* () {
      const runId = yield* request({ ...job, runTimeoutSeconds: 3600 })
      yield* taskWhen(runId, "RUNNING")
      yield* time.leap("3601 seconds")
      const end = yield* finished(runId)
      assert.deepInclude(end, { outcome: "timed_out", phase: "run" })
      assert.strictEqual(yield* stoppedFirst(runId), "fleet:run-timeout: 3600 s")
    })
  )

  it.effect("a launch that finds no capacity in time ends without a task, and says what it waited for", () =>
    Effect.gen(function* () {
      yield* inject({ action: "RunTask", times: 0, failures: [{ reason: "RESOURCE:MEMORY" }] })
      const runId = yield* request({ ...job, launchTimeoutSeconds: 1 })
      const end = yield* finished(runId)
      yield* clearFaults
      assert.deepInclude(end, { outcome: "timed_out", phase: "launch" })
      assert.strictEqual(end.error?.code, "LaunchTimeout")
      assert.include(end.error?.message, "RESOURCE:MEMORY")
      assert.isEmpty(yield* tasksOf(runId))
    })
  )

  it.effect("late: what ended while nobody could look is judged by what ECS tells then, not by the deadline", () =>
    Effect.gen(function* () {
      const runId = yield* request({ ...job, command: ["simulate", "--seconds", "600"], runTimeoutSeconds: 3600 })
      yield* taskWhen(runId, "RUNNING")
      const error = { name: "AccessDeniedException", message: "not authorized to perform: ecs:DescribeTasks" }
      yield* inject({ action: "DescribeTasks", times: 0, error })
      yield* time.leap("600 seconds")
      yield* Effect.repeat(tasksOf(runId), { until: ([task]) => task?.lastStatus === "STOPPED" })
      yield* time.leap("3001 seconds")
      yield* clearFaults
      yield* time.leap("10 seconds")
      assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0 })
    })
  )
})
