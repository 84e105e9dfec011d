import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { Health } from "#process/Health.ts"
import { aRunningTask, region } from "#test/support/launches.ts"
import { defaultsOf, layerMemoryFleet, processPorts, published } from "#test/support/MemoryFleet.ts"
import { runId } from "#test/support/messages.ts"
import { watcherConfig } from "./config.ts"
import { layer } from "./handle.ts"

/** Whole watchers, as processes have them, on the memory's bus. */

/** Starts a replica; it goes on until its scope is closed, as at SIGTERM. */
const replica = (capacity: number) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const watcher = layer({ ...defaultsOf(watcherConfig), capacity }).pipe(Layer.provide(processPorts()), Layer.fresh)
    yield* Layer.buildWithScope(watcher, scope)
    return { end: Scope.close(scope, Exit.void) }
  })

const room = Effect.map(
  Effect.flatMap(Health, ({ report }) => report),
  ({ parts, ready }) => ({ ready, status: parts.find(({ name }) => name === "watcher room")?.status })
)

/** Lets time pass until it is so. */
const until = <E, R>(fact: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    while (!(yield* fact)) yield* TestClock.adjust("1 second")
  })

const isToldOf = (attempt: number) =>
  Effect.flatMap(Messages, (messages) =>
    Effect.map(messages.last(Streams.fleet, Subjects.taskChanged(runId, attempt)), Option.isSome)
  )

const start = (started: TaskStarted) =>
  published(Streams.fleet, Subjects.taskStarted(runId, started.attempt), Codecs.taskStarted.encode(started))

const world = Layer.merge(Health.layer, layerMemoryFleet())

describe("a watcher", () => {
  it.effect("owns no more tasks than its capacity, and says so at /ready; another replica takes the rest", () =>
    Effect.gen(function* () {
      yield* replica(1)
      assert.deepStrictEqual(yield* room, { ready: true, status: "ok" })
      const started = yield* aRunningTask
      yield* start({ ...started, attempt: 2 })
      yield* until(isToldOf(1))
      yield* TestClock.adjust("1 minute")
      assert.isFalse(yield* isToldOf(2))
      const status = "at capacity: 1 of 1 tasks; start another replica"
      assert.deepStrictEqual(yield* room, { ready: false, status })
      yield* replica(2)
      yield* until(isToldOf(2))
    }).pipe(Effect.provide(world))
  )

  it.effect("hands its tasks over when it ends, at once (peers 122, scenario 67)", () =>
    Effect.gen(function* () {
      const first = yield* replica(10)
      const { attempt, taskArn } = yield* aRunningTask
      yield* until(isToldOf(attempt))
      yield* first.end
      yield* (yield* EcsModel).ecs.StopTask(region, { task: taskArn })
      yield* replica(10)
      yield* TestClock.adjust("2 seconds")
      const messages = yield* Messages
      const told = yield* messages.last(Streams.fleet, Subjects.taskChanged(runId, attempt))
      const change = Option.map(told, (last) => Result.getOrThrow(Codecs.taskChanged.decode(text(last))).lastStatus)
      assert.notStrictEqual(Option.getOrThrow(change), "RUNNING")
    }).pipe(Effect.provide(world))
  )
})
