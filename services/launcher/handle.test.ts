import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { classifyFailures } from "#aws/AwsError.ts"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { startedBy } from "#ecs-core/RunTaskInput.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { anAwsFailure, aRun, aTaskdefReady } from "#test/support/builders.ts"
import {
  allTasks,
  anOrder,
  fleetId,
  aLauncher as launcher,
  markers,
  region,
  rejections,
  spoiltLaunches,
  startedFacts,
  untilDone
} from "#test/support/launches.ts"
import { again, crashEverywhere, inTime, keepRecord, layerMemoryFleet, published } from "#test/support/MemoryFleet.ts"
import * as messages from "#test/support/messages.ts"
import { runId } from "#test/support/messages.ts"
import { handleOrder } from "./handle.ts"

/** ECS whose first answer to RunTask has neither tasks nor failures, and launches nothing. */
const emptyAnswer = Layer.effect(
  Ecs,
  Effect.map(Ecs, (ecs) => {
    let left = 1
    const runTask: typeof ecs.runTask = (target, input) =>
      Effect.suspend(() => (left-- > 0 ? Effect.succeed({ tasks: [], failures: [] }) : ecs.runTask(target, input)))
    return Ecs.of({ ...ecs, runTask })
  })
)

describe("handleOrder", () => {
  it.effect("launches the task with its network and tells of it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* handleOrder(yield* launcher(), yield* anOrder()), { _tag: "Ack" })
      const [taskArn] = yield* allTasks
      assert.deepInclude((yield* startedFacts)[0], { runId, attempt: 1, try: 1, taskArn: taskArn ?? "" })
      const { ecs } = yield* EcsModel
      const owned = yield* ecs.ListTasks(region, { startedBy: startedBy(fleetId, runId, 1) })
      assert.deepStrictEqual(owned.taskArns, [taskArn])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("twice, and a third time when the record knows: one task, told once (peers 86)", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* launcher(), yield* launcher()]
      const order = yield* anOrder()
      for (const fleet of [one, other]) {
        assert.deepStrictEqual(yield* handleOrder(fleet, again(order)), { _tag: "Ack" })
      }
      const [message] = yield* startedFacts
      assert(message !== undefined)
      yield* keepRecord(aRun(messages.ready(0), { kind: "task.started", message }))
      assert.deepStrictEqual(yield* handleOrder(one, again(order)), { _tag: "Ack" })
      assert.strictEqual((yield* allTasks).length, 1)
      assert.strictEqual((yield* startedFacts).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("crash between any two lines, then a redelivery: one task, told once (scenario 87)", () =>
    Effect.gen(function* () {
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const order = yield* anOrder()
          const dying = Effect.flatMap(launcher(requestsMax), (fleet) => handleOrder(fleet, order))
          const result = yield* inTime(Effect.result(dying))
          assert.deepStrictEqual(yield* untilDone(yield* launcher(), again(order)), { _tag: "Ack" })
          const all = yield* allTasks
          assert.deepStrictEqual(
            (yield* startedFacts).map(({ taskArn }) => taskArn),
            all
          )
          assert.strictEqual(all.length, 1)
          return result._tag === "Success"
        })
      )
      assert.isAbove(places, 2)
    })
  )

  it.effect("crash of an answer: RunTask has launched and failed to say so; the same task is told", () =>
    Effect.gen(function* () {
      const order = yield* anOrder()
      const fleet = yield* launcher()
      assert.deepStrictEqual(yield* handleOrder(fleet, order), { _tag: "Nak", delayMillis: 1000 })
      assert.deepStrictEqual(yield* untilDone(fleet, again(order)), { _tag: "Ack" })
      assert.deepStrictEqual(
        (yield* startedFacts).map(({ taskArn }) => taskArn),
        yield* allTasks
      )
      assert.strictEqual((yield* allTasks).length, 1)
    }).pipe(
      Effect.provide(spoiltLaunches({ failure: anAwsFailure("transient"), carriedOut: true })),
      Effect.provide(layerMemoryFleet())
    )
  )

  it.effect(
    "neither tasks nor failures in the answer: the run is not lost, the same call is made again (peers 79)",
    () =>
      Effect.gen(function* () {
        const order = yield* anOrder()
        const fleet = yield* launcher()
        const { message } = classifyFailures([])
        assert.strictEqual(message, "Failed to run ECS task: no tasks or failures were returned.")
        assert.deepStrictEqual(yield* handleOrder(fleet, order), { _tag: "Nak", delayMillis: 1000 })
        assert.deepStrictEqual(yield* untilDone(fleet, again(order)), { _tag: "Ack" })
        assert.deepStrictEqual([(yield* startedFacts)[0]?.try, (yield* allTasks).length], [1, 1])
      }).pipe(Effect.provide(emptyAnswer), Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: a token too old to be trusted is answered by looking, never by a second launch", () =>
    Effect.gen(function* () {
      const order = yield* anOrder()
      const fleet = yield* launcher()
      yield* handleOrder(fleet, order)
      yield* TestClock.adjust("46 minutes")
      assert.deepStrictEqual(yield* handleOrder(fleet, again(order)), { _tag: "Ack" })
      assert.deepStrictEqual(yield* allTasks, [])
      const [rejected] = yield* rejections
      assert.deepStrictEqual([rejected?.outcome, rejected?.problem.code], ["crashed", "OutcomeUnknown"])
    }).pipe(
      Effect.provide(spoiltLaunches({ failure: anAwsFailure("transient"), carriedOut: false })),
      Effect.provide(layerMemoryFleet())
    )
  )

  it.effect("late: an order that nobody tried is launched, however old and however often handed out", () =>
    Effect.gen(function* () {
      const order = yield* anOrder()
      yield* TestClock.adjust("46 minutes")
      assert.deepStrictEqual(yield* handleOrder(yield* launcher(), again(order)), { _tag: "Ack" })
      assert.strictEqual((yield* allTasks).length, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("tells that it is about to call, before it calls", () =>
    Effect.gen(function* () {
      const order = yield* anOrder()
      yield* handleOrder(yield* launcher(), order)
      const [marker] = yield* markers
      assert(marker !== undefined)
      assert.deepInclude(marker, { runId, attempt: 1, try: 1, since: marker.at })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("out of order: without a record it waits for one", () =>
    Effect.gen(function* () {
      const data = Codecs.taskdefReady.encode(aTaskdefReady())
      const order = yield* published(Streams.fleet, Subjects.taskdefReady(runId, 1), data)
      assert.deepStrictEqual(yield* handleOrder(yield* launcher(), order), { _tag: "Nak", delayMillis: 1000 })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("an order that cannot be read ends its attempt and is kept among the dead", () =>
    Effect.gen(function* () {
      const order = yield* published(Streams.fleet, Subjects.taskdefReady(runId, 1), "{")
      assert.strictEqual((yield* handleOrder(yield* launcher(), order))._tag, "Dead")
      assert.deepInclude((yield* rejections)[0], { runId, attempt: 1, outcome: "crashed" })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
