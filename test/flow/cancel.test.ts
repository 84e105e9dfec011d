import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Fault } from "#aws/model/Fault.ts"
import type { RunFinished } from "#ecs-core/Messages.ts"
import { isFinal } from "#ecs-core/Run.ts"
import { BucketNames, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { recordWhen, tasksOf, taskWhen } from "#test/support/follow.ts"
import { clearFaults, inject, launchedTasks, layerTest as localAws } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { cancel, finished, firstOn, request, stored } from "#test/support/runs.ts"

/** A cancel in each phase of a run: one answer, always the same, and nothing left running. */

const job = { image: "local/shell", command: ["sleep", "60"] }

const fleet = layerFleetWith(natsServer, localAws())

/** The one answer to a cancelled run; the task, where there was one, has stopped. */
const answered = (runId: string, reason: string, tasks: number) =>
  Effect.gen(function* () {
    const end = yield* finished(runId)
    assert.deepInclude(end, { outcome: "cancelled" })
    assert.strictEqual(end.error?.code, "Cancelled")
    assert.include(end.error?.message, reason)
    assert.lengthOf(yield* stored(Streams.fleet, Subjects.runFinished(runId)), 1)
    const stopped = tasksOf(runId).pipe(
      Effect.repeat({ until: (launched) => launched.every(({ lastStatus }) => lastStatus === "STOPPED") })
    )
    assert.lengthOf(yield* stopped, tasks)
    return end
  })

/** Meanwhile every such call goes wrong. */
const during = <A, E, R>(fault: Fault, effect: Effect.Effect<A, E, R>) =>
  Effect.ensuring(Effect.andThen(inject({ ...fault, times: 0 }), effect), clearFaults)

const throttle = { name: "ThrottlingException", message: "Rate exceeded" }

const noEndChanged = (runId: string, end: RunFinished) =>
  Effect.gen(function* () {
    const after = yield* request({ image: "local/shell", command: ["true"] })
    yield* finished(after)
    assert.lengthOf(yield* stored(Streams.fleet, Subjects.runFinished(runId)), 1)
    assert.deepStrictEqual(yield* finished(runId), end)
    assert.lengthOf(yield* stored(Streams.fleet, Subjects.taskStop(runId, 1)), 0)
  })

layer(fleet, { excludeTestServices: true })("a cancel", (it) => {
  it.effect("before the request: never launched (peers 119, scenario 94)", () =>
    Effect.gen(function* () {
      yield* cancel("early", "too early")
      yield* firstOn(`KV_${BucketNames.runs}`, `$KV.${BucketNames.runs}.early`)
      yield* request({ ...job, runId: "early" })
      assert.strictEqual((yield* answered("early", "too early", 0)).attempts, 0)
    })
  )

  it.effect("while its definition is registered: never launched (scenario 94)", () =>
    during(
      { action: "RegisterTaskDefinition", error: throttle },
      Effect.gen(function* () {
        const runId = yield* request({ ...job, family: "registering" })
        yield* recordWhen(runId, ({ state }) => state === "defining")
        yield* cancel(runId, "not even defined")
        yield* answered(runId, "not even defined", 0)
      })
    )
  )

  it.effect("between RunTask and its answer: the task is found and stopped (peers 119, scenario 94)", () =>
    Effect.gen(function* () {
      const runId = yield* during(
        { action: "RunTask", reset: "after" },
        Effect.gen(function* () {
          const runId = yield* request(job)
          yield* Effect.repeat(tasksOf(runId), { until: (tasks) => tasks.length === 1 })
          yield* cancel(runId, "answer lost")
          yield* recordWhen(runId, (run) => run.cancel !== undefined)
          return runId
        })
      )
      yield* answered(runId, "answer lost", 1)
    })
  )

  it.effect("while the launch waits for the quota of RunTask: never launched (scenario 94)", () =>
    during(
      { action: "RunTask", error: throttle },
      Effect.gen(function* () {
        const runId = yield* request(job)
        yield* recordWhen(runId, ({ state }) => state === "waiting")
        yield* cancel(runId, "throttled")
        yield* answered(runId, "throttled", 0)
      })
    )
  )

  it.effect("while the launch waits for capacity: never launched, answered within 30 s (scenario 94)", () =>
    during(
      { action: "RunTask", failures: [{ reason: "RESOURCE:MEMORY" }] },
      Effect.gen(function* () {
        const runId = yield* request(job)
        yield* recordWhen(runId, ({ state }) => state === "waiting")
        yield* cancel(runId, "no room")
        yield* answered(runId, "no room", 0)
        const wish = yield* firstOn(Streams.fleet, Subjects.runCancel(runId))
        const answer = yield* firstOn(Streams.fleet, Subjects.runFinished(runId))
        assert.isAtMost(answer.time - wish.time, 30_000)
      })
    )
  )

  it.effect("while ECS prepares the task: stopped before it ran (scenario 94)", () =>
    Effect.gen(function* () {
      yield* inject({ action: "RunTask", hold: "PROVISIONING" })
      const runId = yield* request(job)
      yield* taskWhen(runId, "PROVISIONING")
      yield* cancel(runId, "still provisioning")
      const end = yield* answered(runId, "still provisioning", 1)
      assert.notProperty(end, "exitCode")
    })
  )

  it.effect("while the program runs, and again while it stops: one answer, to the first (scenario 94)", () =>
    Effect.gen(function* () {
      const slow = "trap 'sleep 0.5; exit 0' TERM; while true; do sleep 0.05; done"
      const runId = yield* request({ ...job, command: ["sh", "-c", slow] })
      yield* taskWhen(runId, "RUNNING")
      yield* cancel(runId, "first wish")
      yield* recordWhen(runId, ({ state }) => state === "stopping")
      yield* cancel(runId, "second wish")
      yield* answered(runId, "first wish", 1)
      assert.lengthOf(yield* stored(Streams.fleet, Subjects.taskStop(runId, 1)), 1)
    })
  )

  it.effect("after the end: nothing changes (scenario 94)", () =>
    Effect.gen(function* () {
      const runId = yield* request({ ...job, command: ["true"] })
      const end = yield* finished(runId)
      assert.deepInclude(end, { outcome: "succeeded", exitCode: 0 })
      yield* cancel(runId, "too late")
      yield* noEndChanged(runId, end)
    })
  )

  it.effect("of a run that nobody requested: remembered, and no answer (scenario 94)", () =>
    Effect.gen(function* () {
      yield* cancel("nobody", "no such run")
      const wish = yield* recordWhen("nobody", ({ cancel }) => cancel !== undefined)
      assert.isFalse(isFinal(wish))
      yield* finished(yield* request({ ...job, command: ["true"] }))
      assert.lengthOf(yield* stored(Streams.fleet, Subjects.runFinished("nobody")), 0)
      assert.isFalse((yield* launchedTasks).some(({ startedBy }) => startedBy?.includes("/nobody/")))
    })
  )
})
