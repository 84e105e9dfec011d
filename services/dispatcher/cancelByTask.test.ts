import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { TestClock } from "effect/testing"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { text } from "#bus/Message.ts"
import { Codecs, type RunCancel } from "#ecs-core/Messages.ts"
import type { Run } from "#ecs-core/Run.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aRun, aTaskStarted, millis } from "#test/support/builders.ts"
import { aRunningTask, region } from "#test/support/launches.ts"
import {
  crashEverywhere,
  defaultsOf,
  inTime,
  keepRecord,
  layerMemoryFleet,
  messagesOf,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import * as messages from "#test/support/messages.ts"
import { runId, taskArn } from "#test/support/messages.ts"
import { stored } from "#test/support/runs.ts"
import { cancelByTask } from "./cancelByTask.ts"
import { dispatcherConfig } from "./config.ts"
import { makeFleet } from "./Fleet.ts"
import { handleFact } from "./handle.ts"
import { readTaskCancel } from "./taskCancel.ts"

const dispatcher = (requestsMax?: number) =>
  Effect.provide(makeFleet(defaultsOf(dispatcherConfig)), processPorts(requestsMax))

const stops = messagesOf(Streams.fleet, Filters.taskStop, Codecs.taskStop)
const wishes = stored(Streams.fleet, Subjects.runCancel(runId))

/** Ten seconds after the run was requested: a wish is forgotten by a request that is much later. */
const tenSecondsLater = TestClock.setTime(millis(10))

const wished = (body: RunCancel) =>
  Effect.map(published(Streams.fleet, Subjects.taskCancel("mine"), Codecs.runCancel.encode(body)), (delivery) => {
    const wish = readTaskCancel({ subject: delivery.subject, text: text(delivery) })
    assert(wish !== undefined)
    return wish
  })

const told = published(Streams.fleet, Subjects.taskStarted(runId, 1), Codecs.taskStarted.encode(aTaskStarted()))

/** Its record, and that its task was launched. */
const launched = (run: Run) => tenSecondsLater.pipe(Effect.andThen(keepRecord(run)), Effect.andThen(told))

const running = launched(aRun(messages.ready(0), messages.started(1)))
const infrastructure = `batch::${taskArn}`

/** What the wish ends in; what is wished of the run for it is done, too. */
const ruled = (body: RunCancel) =>
  Effect.gen(function* () {
    const fleet = yield* dispatcher()
    const verdict = yield* inTime(cancelByTask(fleet, yield* wished(body)))
    for (const wish of yield* wishes) yield* inTime(handleFact(fleet, { ...wish, deliveries: 1 }))
    return verdict._tag === "Dead" ? verdict.reason : verdict._tag
  })

describe("cancelByTask", () => {
  it.effect("twice: the run of the task is cancelled, with one stop that carries the reason (peers 116, 118)", () =>
    Effect.gen(function* () {
      yield* running
      assert.strictEqual(yield* ruled({ infrastructure, reason: "too slow" }), "Ack")
      assert.strictEqual(yield* ruled({ infrastructure, reason: "again" }), "Ack")
      assert.deepInclude((yield* recordOf(runId))?.cancel, { reason: "too slow" })
      assert.deepStrictEqual(
        (yield* stops).map(({ reason }) => reason),
        ["fleet:cancelled: too slow"]
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: the run is over, which is success and changes nothing (peers 116, scenario 47)", () =>
    Effect.gen(function* () {
      yield* launched(aRun(messages.ready(0), messages.started(1), messages.stopped(2)))
      assert.strictEqual(yield* ruled({ infrastructure }), "Ack")
      assert.strictEqual((yield* recordOf(runId))?.state, "succeeded")
      assert.deepStrictEqual(yield* stops, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("a grace that AWS cannot give: cancelled all the same, and one notice (peers 117, scenario 47)", () =>
    Effect.gen(function* () {
      yield* running
      assert.strictEqual(yield* ruled({ infrastructure, graceSeconds: 60 }), "Ack")
      assert.strictEqual(yield* ruled({ infrastructure, graceSeconds: 90 }), "Ack")
      assert.deepStrictEqual((yield* recordOf(runId))?.notices, [
        "graceSeconds 60 has no effect: ECS waits for the container's stopTimeout"
      ])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("five errors, each told as what it is, and nothing is stopped (peers 113-115, scenario 46)", () =>
    Effect.gen(function* () {
      yield* running
      yield* Effect.flatMap(EcsModel, ({ ecs }) => ecs.CreateCluster(region, { clusterName: "empty" }))
      const { clusterArn, taskArn: theirs } = yield* aRunningTask
      const gone = (cluster: string) => `${cluster}::arn:aws:ecs:${region}:123456789012:task/${cluster}/0f1e`
      const reasons = yield* Effect.forEach(
        ["batch", `other::${taskArn}`, gone("nowhere"), gone("empty"), gone("default")],
        (each) => ruled({ infrastructure: each })
      )
      assert.deepStrictEqual(
        reasons.map((reason) => reason.split(": ")[0]),
        ["InfrastructureInvalid", "InfrastructureNotAvailable", "ClusterNotFound", "ClusterHasNoTasks", "TaskNotFound"]
      )
      assert.deepStrictEqual(yield* stops, [])
      const { tasks = [] } = yield* Effect.flatMap(EcsModel, ({ ecs }) =>
        ecs.DescribeTasks(region, { cluster: clusterArn, tasks: [theirs] })
      )
      assert.strictEqual(tasks[0]?.desiredStatus, "RUNNING")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("crash between any two lines, then a redelivery: the wish is the run's own, twice at most", () =>
    Effect.gen(function* () {
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          yield* running
          const wish = yield* wished({ infrastructure, reason: "too slow" })
          const step = Effect.flatMap(dispatcher(requestsMax), (fleet) => cancelByTask(fleet, wish))
          const first = yield* Effect.exit(inTime(Effect.timeout(step, "1 minute")))
          assert.deepStrictEqual(yield* inTime(cancelByTask(yield* dispatcher(), wish)), { _tag: "Ack" })
          const reasons = (yield* wishes).map((each) =>
            Result.getOrThrow(Result.map(Codecs.runCancel.decode(text(each)), ({ reason }) => reason))
          )
          assert.deepStrictEqual([...new Set(reasons)], ["too slow"])
          assert.isAtMost(reasons.length, 2)
          return first._tag === "Success"
        })
      )
      assert.isAbove(places, 3)
    })
  )
})
