import type { RunTaskCommandInput } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { clientToken } from "#ecs-core/RunTaskInput.ts"
import { anAwsFailure, aRun } from "#test/support/builders.ts"
import {
  allTasks,
  anOrder,
  defaultSubnets,
  deferrals,
  fleetId,
  aLauncher as launcher,
  recordedLaunches,
  region,
  rejections,
  spoiltLaunches,
  startedFacts,
  untilDone
} from "#test/support/launches.ts"
import { again, crashEverywhere, inTime, keepRecord, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import * as messages from "#test/support/messages.ts"
import { runId } from "#test/support/messages.ts"
import { NAK_SECONDS_MAX } from "./decide.ts"
import { handleOrder } from "./handle.ts"

const ownNetwork = { awsvpcConfiguration: { subnets: ["subnet-0f1ee7000000000a"] } }

const noCapacity = { reason: "Capacity is unavailable at this time. Please try again later." }
const failLaunches = (calls: number) => Effect.flatMap(EcsModel, ({ faults }) => faults.failLaunches(noCapacity, calls))

describe("no capacity", () => {
  it.effect("each try is told, the task is launched by the first that finds room", () =>
    Effect.gen(function* () {
      yield* failLaunches(2)
      const fleet = yield* launcher()
      assert.deepStrictEqual(yield* untilDone(fleet, yield* anOrder()), { _tag: "Ack" })
      assert.deepStrictEqual(
        (yield* deferrals).map((deferral) => [deferral.try, deferral.problem.code]),
        [
          [1, "NoCapacity"],
          [2, "NoCapacity"]
        ]
      )
      assert.strictEqual((yield* startedFacts)[0]?.try, 3)
      assert.strictEqual((yield* allTasks).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("early: nothing is launched before the next try is due, and no pause hides a cancel for long", () =>
    Effect.gen(function* () {
      yield* failLaunches(4)
      const fleet = yield* launcher()
      const order = yield* anOrder()
      const pauses: Array<number> = []
      let delivery = order
      while (true) {
        const verdict = yield* handleOrder(fleet, delivery)
        if (verdict._tag !== "Nak") break
        pauses.push(verdict.delayMillis)
        yield* TestClock.adjust(verdict.delayMillis)
        delivery = again(delivery)
      }
      assert.isAtMost(Math.max(...pauses), NAK_SECONDS_MAX * 1000)
      const all = yield* deferrals
      const waits = all.map((each) => Date.parse(each.nextTryAt) - Date.parse(each.at))
      assert.isTrue(waits.every((wait, n) => wait >= 8000 * 2 ** n && wait <= 10_000 * 2 ** n))
      assert.strictEqual((yield* startedFacts).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("crash between any two lines: one task in the end, and no try is left out or told as launched", () =>
    Effect.gen(function* () {
      yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          yield* failLaunches(1)
          const order = yield* anOrder()
          const dying = Effect.flatMap(launcher(requestsMax), (fleet) => handleOrder(fleet, order))
          const result = yield* inTime(Effect.result(dying))
          yield* untilDone(yield* launcher(), again(order))
          assert.strictEqual((yield* allTasks).length, 1)
          assert.strictEqual((yield* startedFacts)[0]?.try, 2)
          assert.isTrue((yield* deferrals).every((deferral) => deferral.try === 1))
          return result._tag === "Success"
        })
      )
    })
  )

  it.effect("cancelled while it waits: rejected as cancelled, nothing is launched", () =>
    Effect.gen(function* () {
      yield* failLaunches(1)
      const fleet = yield* launcher()
      const order = yield* anOrder()
      yield* handleOrder(fleet, order)
      yield* keepRecord(aRun(messages.ready(0), messages.cancel(1)))
      assert.deepStrictEqual(yield* handleOrder(fleet, again(order)), { _tag: "Ack" })
      assert.deepInclude((yield* rejections)[0], { outcome: "cancelled" })
      assert.deepStrictEqual(yield* allTasks, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("an answer with a task and failures", () => {
  it.effect("the task counts", () =>
    Effect.gen(function* () {
      const failures = [{ reason: "RESOURCE:CPU" }] as const
      yield* (yield* EcsModel).faults.inject({ action: "RunTask", failures, launched: 1 })
      assert.deepStrictEqual(yield* untilDone(yield* launcher(), yield* anOrder()), { _tag: "Ack" })
      assert.deepStrictEqual([(yield* deferrals).length, (yield* startedFacts)[0]?.try], [0, 1])
      assert.strictEqual((yield* allTasks).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("credentials that do not work", () => {
  it.effect("the order waits with its token: what a lost answer launched is found (peers 83, scenario 71)", () =>
    Effect.gen(function* () {
      const fleet = yield* launcher()
      assert.deepStrictEqual(yield* untilDone(fleet, yield* anOrder()), { _tag: "Ack" })
      assert.deepStrictEqual(
        (yield* deferrals).map((deferral) => deferral.try),
        [0, 0, 0]
      )
      assert.deepStrictEqual(
        (yield* startedFacts).map(({ taskArn }) => taskArn),
        yield* allTasks
      )
      assert.strictEqual((yield* startedFacts)[0]?.try, 1)
    }).pipe(
      Effect.provide(
        spoiltLaunches(
          { failure: anAwsFailure("transient"), carriedOut: true },
          { failure: anAwsFailure("credentials"), carriedOut: false },
          { failure: anAwsFailure("credentials"), carriedOut: false }
        )
      ),
      Effect.provide(layerMemoryFleet())
    )
  )
})

describe("a token that was used with other parameters", () => {
  const drift = { failure: anAwsFailure("transient"), carriedOut: true, group: "drifted" }

  it.effect("by ourselves, before the network changed: that task is ours (peers 87)", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* untilDone(yield* launcher(), yield* anOrder()), { _tag: "Ack" })
      assert.strictEqual((yield* allTasks).length, 1)
      assert.deepStrictEqual(
        (yield* startedFacts).map(({ taskArn }) => taskArn),
        yield* allTasks
      )
    }).pipe(Effect.provide(spoiltLaunches(drift)), Effect.provide(layerMemoryFleet()))
  )

  it.effect(
    "by ourselves, and DescribeTasks does not know the task yet: it waits, and never launches a second one",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* untilDone(yield* launcher(), yield* anOrder()), { _tag: "Ack" })
        assert.deepStrictEqual(
          (yield* deferrals).map((deferral) => deferral.try),
          [0]
        )
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* allTasks).length, 1)
      }).pipe(Effect.provide(spoiltLaunches(drift)), Effect.provide(layerMemoryFleet({ missingAfterRunSeconds: 10 })))
  )

  it.effect("by somebody else: the next try takes another token", () =>
    Effect.gen(function* () {
      const order = yield* anOrder()
      const { ecs } = yield* EcsModel
      const { taskDefinitionArns = [] } = yield* ecs.ListTaskDefinitions(region, {})
      yield* ecs.RunTask(region, {
        taskDefinition: taskDefinitionArns[0],
        launchType: "FARGATE",
        networkConfiguration: { awsvpcConfiguration: { subnets: yield* defaultSubnets } },
        clientToken: clientToken(fleetId, runId, 1, 1),
        startedBy: "somebody-else"
      })
      assert.deepStrictEqual(yield* untilDone(yield* launcher(), order), { _tag: "Ack" })
      assert.strictEqual((yield* startedFacts)[0]?.try, 2)
      assert.strictEqual((yield* allTasks).length, 2)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("what RunTask is called with", () => {
  const given = { cluster: "default", taskDefinition: "fleet_default", overrides: { containerOverrides: [] } }
  const shared = {
    ...given,
    group: "nightly",
    enableExecuteCommand: true,
    propagateTags: "TASK_DEFINITION",
    tags: [{ key: "team", value: "data" }],
    referenceId: "batch-7"
  }
  it.effect.each([
    {
      what: "EC2 with its placement",
      runTask: {
        ...shared,
        launchType: "EC2" as const,
        placementConstraints: [{ type: "distinctInstance" }],
        placementStrategy: [{ type: "binpack", field: "memory" }]
      }
    },
    { what: "EXTERNAL", runTask: { ...shared, launchType: "EXTERNAL" as const } },
    {
      what: "a capacity strategy",
      runTask: { ...shared, capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1, base: 2 }] }
    },
    { what: "neither: the cluster decides", runTask: { ...shared, platformVersion: "1.4.0" } }
  ])("is all of the order: $what", ({ runTask }) => {
    const inputs: Array<RunTaskCommandInput> = []
    return Effect.gen(function* () {
      const order = yield* anOrder({ runTask: { ...runTask, networkConfiguration: ownNetwork } })
      yield* handleOrder(yield* launcher(), order)
      const { clientToken, startedBy, count, ...input } = inputs[0] ?? assert.fail("RunTask was not called")
      assert.deepStrictEqual<object>(input, { ...runTask, networkConfiguration: ownNetwork })
      assert.deepStrictEqual([clientToken?.length, startedBy, count], [64, `${fleetId}/${runId}/1`, 1])
    }).pipe(Effect.provide(recordedLaunches(inputs).pipe(Layer.provideMerge(layerMemoryFleet()))))
  })
})

describe("a launch that cannot work", () => {
  it.effect("is rejected at once; twice: told once", () =>
    Effect.gen(function* () {
      const fleet = yield* launcher()
      const order = yield* anOrder({}, "nowhere")
      assert.deepStrictEqual(yield* handleOrder(fleet, order), { _tag: "Ack" })
      yield* Effect.result(handleOrder(fleet, again(order)))
      assert.deepStrictEqual(
        (yield* rejections).map(({ outcome, problem }) => [outcome, problem.code]),
        [["rejected", "ClusterNotFound"]]
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("never: a refusal at a later delivery may hide a task, which is looked for and told", () =>
    Effect.gen(function* () {
      const fleet = yield* launcher()
      assert.deepStrictEqual(yield* untilDone(fleet, yield* anOrder()), { _tag: "Ack" })
      assert.deepStrictEqual(yield* rejections, [])
      assert.deepStrictEqual(
        (yield* startedFacts).map(({ taskArn }) => taskArn),
        yield* allTasks
      )
    }).pipe(
      Effect.provide(
        spoiltLaunches(
          { failure: anAwsFailure("transient"), carriedOut: true },
          { failure: anAwsFailure("never"), carriedOut: false }
        )
      ),
      Effect.provide(layerMemoryFleet())
    )
  )
})

describe("a cancel", () => {
  it.effect("before the first delivery: rejected, nothing is launched", () =>
    Effect.gen(function* () {
      const order = yield* anOrder()
      yield* keepRecord(aRun(messages.ready(0), messages.cancel(1, "too slow")))
      assert.deepStrictEqual(yield* handleOrder(yield* launcher(), order), { _tag: "Ack" })
      assert.deepInclude((yield* rejections)[0], { outcome: "cancelled" })
      assert.deepStrictEqual(yield* allTasks, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("after a launch whose answer was lost: the task is told, so that the watcher can stop it", () =>
    Effect.gen(function* () {
      const fleet = yield* launcher()
      const order = yield* anOrder()
      yield* handleOrder(fleet, order)
      yield* keepRecord(aRun(messages.ready(0), messages.cancel(1)))
      assert.deepStrictEqual(yield* handleOrder(fleet, again(order)), { _tag: "Ack" })
      assert.deepStrictEqual(yield* rejections, [])
      assert.deepStrictEqual(
        (yield* startedFacts).map(({ taskArn }) => taskArn),
        yield* allTasks
      )
    }).pipe(
      Effect.provide(spoiltLaunches({ failure: anAwsFailure("transient"), carriedOut: true })),
      Effect.provide(layerMemoryFleet())
    )
  )
})
