import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { FleetId } from "#ecs-core/Ids.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import type { Run } from "#ecs-core/Run.ts"
import { startedBy } from "#ecs-core/RunTaskInput.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { anAwsFailure, aRun, aTaskdefReady, millis } from "#test/support/builders.ts"
import { aLaunchedTask, fleetId, region } from "#test/support/launches.ts"
import {
  defaultsOf,
  inTime,
  keepRecord,
  layerMemoryFleet,
  messagesOf,
  processPorts,
  published
} from "#test/support/MemoryFleet.ts"
import { ready, runId, started as startedAt, stopped } from "#test/support/messages.ts"
import { watcherConfig } from "./config.ts"
import { makeFleet } from "./Fleet.ts"
import { reconcile } from "./reconcile.ts"
import { makeSurvey, nothingSeen, type Survey } from "./survey.ts"

const settings = defaultsOf(watcherConfig)
const grace = TestClock.adjust(`${settings.orphanGraceSeconds + 1} seconds`)
const survey = (change: Partial<typeof settings> = {}) =>
  Effect.provide(
    Effect.flatMap(makeFleet({ ...settings, ...change }), (fleet) => makeSurvey(fleet, fleetId)),
    processPorts()
  )
const sweep = (it: Survey, memory = nothingSeen()) => inTime(reconcile(it, memory))

const ours = startedBy(fleetId, runId, 1)
const ends = messagesOf(Streams.fleet, Subjects.taskStopped(runId, 1), Codecs.taskStopped)
const changes = messagesOf(Streams.fleet, Subjects.taskChanged(runId, 1), Codecs.taskChanged)

const stateOf = ({ taskArn }: TaskStarted) =>
  Effect.flatMap(EcsModel, ({ unspoilt }) => unspoilt.ecs.DescribeTasks(region, { tasks: [taskArn] })).pipe(
    Effect.map(({ tasks = [] }) => tasks[0]),
    Effect.orDie
  )

const fact = (started: TaskStarted) => ({ kind: "task.started" as const, message: started })
const order = ready(0, { target: { region } })

/** A record, and its key among the live runs. */
const keep = ({ live }: Survey, run: Run) => Effect.andThen(keepRecord(run), Effect.orDie(live.put(run.runId, "{}")))

/** Whatever was stored before it is gone: it is the first message. */
const laterMessage = Effect.andThen(
  TestClock.adjust("1 second"),
  published(Streams.fleet, Subjects.runCancel("somebody"), "{}")
)

const begin = TestClock.setTime(millis(1))
const inFleet = Effect.provide(layerMemoryFleet({ timeScale: "instant" }))

describe("the sweep over tasks", () => {
  it.effect("never: a task whose watchers were lost is told of when it has ended, once", () =>
    Effect.gen(function* () {
      yield* begin
      const it = yield* survey()
      const memory = nothingSeen()
      const task = yield* aLaunchedTask(ours)
      yield* published(Streams.fleet, Subjects.taskStarted(runId, 1), Codecs.taskStarted.encode(task))
      yield* keep(it, aRun(order, fact(task)))
      yield* sweep(it, memory)
      yield* TestClock.adjust("11 minutes")
      yield* sweep(it, memory)
      assert.deepStrictEqual(yield* ends, [])
      yield* grace
      yield* sweep(it, memory)
      yield* sweep(it, memory)
      assert.deepStrictEqual(
        (yield* ends).map(({ outcome, exitCode }) => [outcome, exitCode]),
        [["succeeded", 0]]
      )
    }).pipe(inFleet)
  )

  it.effect("never: a task whose start is gone from the stream is watched, its deadline too", () =>
    Effect.gen(function* () {
      yield* begin
      const it = yield* survey()
      const memory = nothingSeen()
      const task = yield* aLaunchedTask(ours)
      yield* keep(it, aRun(order, fact(task)))
      yield* laterMessage
      const short = aTaskdefReady({ target: { region }, runTimeoutSeconds: 120 })
      yield* published(Streams.fleet, Subjects.taskdefReady(runId, 1), Codecs.taskdefReady.encode(short))
      yield* sweep(it, memory)
      assert.strictEqual((yield* changes).at(-1)?.lastStatus, "RUNNING")
      assert.strictEqual((yield* stateOf(task))?.desiredStatus, "RUNNING")
      yield* TestClock.adjust("2 minutes")
      yield* sweep(it, memory)
      assert.match((yield* stateOf(task))?.stoppedReason ?? "", /^fleet:run-timeout/)
      yield* TestClock.adjust("1 minute")
      yield* sweep(it, memory)
      yield* grace
      yield* sweep(it, memory)
      assert.deepStrictEqual(
        (yield* ends).map(({ outcome, phase }) => [outcome, phase]),
        [["timed_out", "run"]]
      )
    }).pipe(inFleet)
  )

  it.effect("a task that ECS has forgotten ends its attempt as OutcomeUnknown, after two sweeps", () =>
    Effect.gen(function* () {
      yield* begin
      const it = yield* survey()
      const memory = nothingSeen()
      const task = yield* aLaunchedTask(ours)
      yield* keep(it, aRun(order, fact(task)))
      yield* laterMessage
      yield* Effect.flatMap(EcsModel, ({ faults }) => faults.forget(task.taskArn))
      yield* sweep(it, memory)
      assert.deepStrictEqual(yield* ends, [])
      yield* grace
      yield* sweep(it, memory)
      assert.strictEqual((yield* ends)[0]?.problem?.code, "OutcomeUnknown")
    }).pipe(inFleet)
  )

  it.effect("a task whose launch nobody told of, nor will, is told of; while its order is held it is not", () =>
    Effect.gen(function* () {
      yield* begin
      const it = yield* survey()
      const task = yield* aLaunchedTask(ours)
      yield* keep(it, aRun(order))
      const other = aRun(order, fact(task))
      yield* keep(it, { ...other, runId: "other" as Run["runId"] })
      yield* laterMessage
      yield* published(Streams.fleet, Subjects.taskdefReady(runId, 1), Codecs.taskdefReady.encode(order.message))
      yield* sweep(it)
      assert.deepStrictEqual(yield* changes, [])
      yield* it.fleet.messages.remove(Streams.fleet, 2)
      yield* sweep(it)
      assert.deepInclude((yield* changes)[0], { taskArn: task.taskArn, lastStatus: "RUNNING" })
    }).pipe(inFleet)
  )

  it.effect("an orphan is stopped behind the grace; other fleets' tasks, and those of nobody, never", () =>
    Effect.gen(function* () {
      yield* begin
      const it = yield* survey()
      const memory = nothingSeen()
      const orphan = yield* aLaunchedTask(ours)
      const bystanders = [
        yield* aLaunchedTask(),
        yield* aLaunchedTask(startedBy(FleetId.make("ffffffff"), runId, 1)),
        yield* aLaunchedTask("ecs-svc/0123456789"),
        yield* aLaunchedTask(`${fleetId}/norecord/1`)
      ]
      yield* keepRecord(aRun(ready(1), startedAt(2), stopped(3)))
      const live = yield* aLaunchedTask(startedBy(fleetId, "living" as Run["runId"], 1))
      yield* keep(it, { ...aRun(order, fact(live)), runId: "living" as Run["runId"] })
      yield* sweep(it, memory)
      assert.strictEqual((yield* stateOf(orphan))?.desiredStatus, "RUNNING")
      yield* grace
      yield* sweep(it, memory)
      const stoppedTask = yield* stateOf(orphan)
      assert.strictEqual(stoppedTask?.desiredStatus, "STOPPED")
      assert.match(stoppedTask?.stoppedReason ?? "", /^fleet:cancelled: nobody waits for it/)
      for (const each of [...bystanders, live]) assert.strictEqual((yield* stateOf(each))?.desiredStatus, "RUNNING")
      assert.deepStrictEqual(yield* ends, [])
    }).pipe(inFleet)
  )

  it.effect("more tasks than one sweep looks at: the next one goes on behind them", () =>
    Effect.gen(function* () {
      yield* begin
      const it = yield* survey({ reconcileTasksMax: 100 })
      const memory = nothingSeen()
      for (let number = 0; number < 110; number++) yield* aLaunchedTask()
      const orphan = yield* aLaunchedTask(ours)
      yield* keepRecord(aRun(ready(1), startedAt(2), stopped(3)))
      const live = { ...aRun(order, fact(yield* aLaunchedTask())), runId: "living" as Run["runId"] }
      yield* keep(it, live)
      yield* grace
      yield* sweep(it, memory)
      assert.strictEqual((yield* stateOf(orphan))?.desiredStatus, "RUNNING")
      yield* sweep(it, memory)
      assert.strictEqual((yield* stateOf(orphan))?.desiredStatus, "STOPPED")
    }).pipe(inFleet)
  )

  it.effect("blind: where AWS does not answer nothing is told and nothing stopped", () =>
    Effect.gen(function* () {
      yield* begin
      const blind = Layer.effect(
        Ecs,
        Effect.map(Ecs, (ecs) => Ecs.of({ ...ecs, listRunning: () => Effect.fail(anAwsFailure("credentials")) }))
      )
      const it = yield* Effect.provide(survey(), blind)
      const task = yield* aLaunchedTask(ours)
      yield* keep(it, aRun(order, fact(task)))
      yield* laterMessage
      yield* TestClock.adjust("11 minutes")
      const memory = nothingSeen()
      yield* sweep(it, memory)
      yield* grace
      yield* sweep(it, memory)
      assert.deepStrictEqual(yield* ends, [])
    }).pipe(inFleet)
  )
})
