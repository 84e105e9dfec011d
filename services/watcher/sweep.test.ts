import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aLease, anAwsFailure, aTaskStarted } from "#test/support/builders.ts"
import { aRunningTask, region } from "#test/support/launches.ts"
import {
  crashEverywhere,
  defaultsOf,
  inTime,
  layerMemoryFleet,
  messagesOf,
  processPorts
} from "#test/support/MemoryFleet.ts"
import { runId } from "#test/support/messages.ts"
import { watcherConfig } from "./config.ts"
import { watch } from "./decide.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { DESCRIBE_MAX, leaseKey, noTasks, type OwnedTasks, sweep } from "./sweep.ts"

const watcher = (requestsMax?: number) =>
  Effect.provide(makeFleet(defaultsOf(watcherConfig)), processPorts(requestsMax))

const changes = Effect.map(messagesOf(Streams.fleet, Subjects.taskChanged(runId, 1), Codecs.taskChanged), (facts) =>
  facts.map(({ lastStatus }) => lastStatus)
)
const ends = messagesOf(Streams.fleet, Subjects.taskStopped(runId, 1), Codecs.taskStopped)

const owning = (...tasks: ReadonlyArray<TaskStarted>) => {
  const leases = tasks.map(() => aLease())
  const owned = noTasks()
  leases.forEach(({ lease }, n) => {
    const started = tasks[n] ?? aTaskStarted()
    owned.tasks.set(leaseKey(started), { watched: watch(started), lease, trace: undefined, nextLookAt: 0 })
  })
  return { owned, leases }
}

/** Sweeps every second until every lease is given back. */
const sweepUntilReleased = (fleet: Fleet, owned: OwnedTasks): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (owned.tasks.size > 0) {
      yield* sweep(fleet, owned)
      yield* TestClock.adjust("1 second")
    }
  })

const stopTask = (taskArn: string) =>
  Effect.flatMap(EcsModel, ({ ecs }) => ecs.StopTask(region, { task: taskArn, reason: "fleet:cancelled" }))

describe("sweep", () => {
  it.effect("tells a task's states and its end, then gives the lease back", () =>
    Effect.gen(function* () {
      const started = yield* aRunningTask
      const { leases, owned } = owning(started)
      const fleet = yield* watcher()
      yield* sweep(fleet, owned)
      yield* TestClock.adjust("10 minutes")
      yield* sweepUntilReleased(fleet, owned)
      assert.strictEqual((yield* changes).at(-1), "STOPPED")
      assert.deepStrictEqual(
        (yield* ends).map(({ outcome, exitCode }) => [outcome, exitCode]),
        [["succeeded", 0]]
      )
      assert.strictEqual(leases[0]?.ended(), "ack")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("asks about young tasks every second, about older ones every five", () =>
    Effect.gen(function* () {
      const { owned } = owning(yield* aRunningTask)
      const fleet = yield* watcher()
      const looksIn = (seconds: number) =>
        Effect.gen(function* () {
          const before = described.length
          for (let second = 0; second < seconds; second++) {
            yield* sweep(fleet, owned)
            yield* TestClock.adjust("1 second")
          }
          return described.length - before
        })
      described.length = 0
      assert.strictEqual(yield* looksIn(60), 60)
      assert.strictEqual(yield* looksIn(60), 12)
    }).pipe(Effect.provide(countingEcs), Effect.provide(layerMemoryFleet()))
  )

  it.effect.each([
    { tasks: 0, calls: [] },
    { tasks: DESCRIBE_MAX, calls: [DESCRIBE_MAX] },
    { tasks: DESCRIBE_MAX + 1, calls: [DESCRIBE_MAX, 1] },
    { tasks: 250, calls: [DESCRIBE_MAX, DESCRIBE_MAX, 50] }
  ])("$tasks tasks take the calls $calls (peers 102, scenario 63, 72)", ({ calls, tasks }) =>
    Effect.gen(function* () {
      const first = yield* aRunningTask
      const taskOf = (n: number) => ({ ...first, attempt: n + 1 })
      const { owned } = owning(...Array.from({ length: tasks }, (_, n) => taskOf(n)))
      described.length = 0
      yield* sweep(yield* watcher(), owned)
      assert.deepStrictEqual(described, calls)
    }).pipe(Effect.provide(countingEcs), Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: a lease that was lost is looked at no more", () =>
    Effect.gen(function* () {
      const { leases, owned } = owning(yield* aRunningTask)
      yield* leases[0]?.lease.nak(0) ?? Effect.void
      yield* sweep(yield* watcher(), owned)
      assert.strictEqual(owned.tasks.size, 0)
      assert.deepStrictEqual(yield* changes, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("blind: while ECS cannot be asked nothing is judged, not even a deadline that has passed", () =>
    Effect.gen(function* () {
      const started = yield* aRunningTask
      const { leases, owned } = owning({ ...started, runTimeoutSeconds: 1 })
      const fleet = yield* watcher()
      yield* TestClock.adjust("30 seconds")
      yield* sweep(fleet, owned)
      assert.deepStrictEqual(yield* changes, [])
      assert.isUndefined(leases[0]?.ended())
      yield* TestClock.adjust("2 seconds")
      yield* sweepUntilReleased(fleet, owned)
      assert.deepInclude((yield* ends)[0], { outcome: "timed_out", phase: "run" })
    }).pipe(Effect.provide(blindOnce), Effect.provide(layerMemoryFleet()))
  )

  it.effect("crash between any two lines: a successor tells the end, once (peers 122, scenario 67)", () =>
    Effect.gen(function* () {
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const started = yield* aRunningTask
          yield* stopTask(started.taskArn)
          yield* TestClock.adjust("1 second")
          const dying = owning(started)
          yield* inTime(Effect.flatMap(watcher(requestsMax), (fleet) => sweep(fleet, dying.owned)))
          const successor = owning(started)
          yield* sweepUntilReleased(yield* watcher(), successor.owned)
          assert.deepStrictEqual(
            (yield* ends).map(({ outcome }) => outcome),
            ["cancelled"]
          )
          return dying.leases[0]?.ended() === "ack"
        })
      )
      assert.isAbove(places, 1)
    })
  )

  it.effect("never: a task that ECS has forgotten is over, its outcome unknown (peers 93, 122, scenario 95)", () =>
    Effect.gen(function* () {
      const started = yield* aRunningTask
      yield* (yield* EcsModel).faults.forget(started.taskArn)
      const { leases, owned } = owning(started)
      const fleet = yield* watcher()
      yield* sweep(fleet, owned)
      assert.deepStrictEqual(yield* ends, [])
      yield* sweepUntilReleased(fleet, owned)
      assert.deepInclude((yield* ends)[0], { outcome: "crashed" })
      assert.strictEqual(leases[0]?.ended(), "ack")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

const described: Array<number> = []

/** ECS that notes how many tasks each DescribeTasks call asks about. */
const countingEcs = Layer.effect(
  Ecs,
  Effect.map(Ecs, (ecs) =>
    Ecs.of({
      ...ecs,
      describeTasks: (target, cluster, arns) => {
        described.push(arns.length)
        return ecs.describeTasks(target, cluster, arns)
      }
    })
  )
)

/** ECS whose first DescribeTasks call fails. */
const blindOnce = Layer.effect(
  Ecs,
  Effect.map(Ecs, (ecs) => {
    let isBlind = true
    return Ecs.of({
      ...ecs,
      describeTasks: (target, cluster, arns) => {
        if (!isBlind) return ecs.describeTasks(target, cluster, arns)
        isBlind = false
        return Effect.fail(anAwsFailure("credentials", { action: "DescribeTasks" }))
      }
    })
  })
)
