import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { READ_AGAIN_MILLIS } from "#process/ReadAgain.ts"
import { aLease, anAwsFailure } from "#test/support/builders.ts"
import { aRunningTask, region } from "#test/support/launches.ts"
import { defaultsOf, inTime, layerMemoryFleet, messagesOf, processPorts } from "#test/support/MemoryFleet.ts"
import { runId } from "#test/support/messages.ts"
import { watcherConfig } from "./config.ts"
import { CLUSTER_GONE_SECONDS, MISSING_GRACE_SECONDS, watch } from "./decide.ts"
import { makeFleet } from "./Fleet.ts"
import { keepSweeping, leaseKey, noTasks, sweep } from "./sweep.ts"

/** ECS that is slow, silent or unwilling. */

const watcher = Effect.provide(makeFleet(defaultsOf(watcherConfig)), processPorts())

const owning = (...tasks: ReadonlyArray<TaskStarted>) => {
  const owned = noTasks()
  for (const started of tasks)
    owned.tasks.set(leaseKey(started), {
      watched: watch(started),
      lease: aLease().lease,
      trace: undefined,
      nextLookAt: 0
    })
  return owned
}

const changes = Effect.map(messagesOf(Streams.fleet, Subjects.taskChanged(runId, 1), Codecs.taskChanged), (facts) =>
  facts.map(({ lastStatus }) => lastStatus)
)

const desired = ({ taskArn }: TaskStarted) =>
  Effect.gen(function* () {
    const { tasks = [] } = yield* (yield* EcsModel).ecs.DescribeTasks(region, { tasks: [taskArn] })
    return tasks[0]?.desiredStatus
  })

/** ECS with some calls replaced; the others are the memory's. */
const changed = (change: (ecs: typeof Ecs.Service) => Partial<typeof Ecs.Service>) =>
  Layer.effect(
    Ecs,
    Effect.map(Ecs, (ecs) => Ecs.of({ ...ecs, ...change(ecs) }))
  )

describe("sweep", () => {
  const slow = changed((ecs) => ({
    describeTasks: (...call) => Effect.andThen(TestClock.adjust("20 seconds"), ecs.describeTasks(...call))
  }))
  it.effect("late: what was asked before the deadline and answered behind it stops nothing", () =>
    Effect.gen(function* () {
      const started = { ...(yield* aRunningTask), runTimeoutSeconds: 30 }
      const fleet = yield* watcher
      const owned = owning(started)
      yield* TestClock.adjust("20 seconds")
      yield* inTime(sweep(fleet, owned))
      assert.strictEqual(yield* desired(started), "RUNNING")
      yield* TestClock.adjust("1 second")
      yield* inTime(sweep(fleet, owned))
      assert.strictEqual(yield* desired(started), "STOPPED")
    }).pipe(Effect.provide(slow), Effect.provide(layerMemoryFleet()))
  )

  it.effect.each([
    { retry: "throttle", pause: 1000 },
    { retry: "transient", pause: 2000 },
    { retry: "credentials", pause: 1000 },
    { retry: "never", pause: 10_000 }
  ] as const)("blind by $retry: asked again after $pause ms, and nothing told meanwhile", ({ pause, retry }) =>
    Effect.gen(function* () {
      const owned = owning(yield* aRunningTask)
      yield* sweep(yield* watcher, owned)
      assert.deepStrictEqual(
        [...owned.tasks.values()].map(({ nextLookAt }) => nextLookAt),
        [pause]
      )
      assert.deepStrictEqual(yield* changes, [])
    }).pipe(
      Effect.provide(changed(() => ({ describeTasks: () => Effect.fail(anAwsFailure(retry)) }))),
      Effect.provide(layerMemoryFleet())
    )
  )

  it.effect("never: a cluster that ECS does not know any more takes its tasks along, their outcome unknown", () =>
    Effect.gen(function* () {
      const started = yield* aRunningTask
      const owned = owning(started)
      const fleet = yield* watcher
      const looks = (CLUSTER_GONE_SECONDS * 1000) / READ_AGAIN_MILLIS.never + MISSING_GRACE_SECONDS / 10
      for (let look = 0; look < looks && owned.tasks.size > 0; look++) {
        yield* inTime(sweep(fleet, owned))
        yield* TestClock.adjust(READ_AGAIN_MILLIS.never)
      }
      const ends = yield* messagesOf(Streams.fleet, Subjects.taskStopped(runId, 1), Codecs.taskStopped)
      assert.deepStrictEqual(
        ends.map(({ outcome, problem }) => `${outcome} ${problem?.code}`),
        ["crashed OutcomeUnknown"]
      )
      assert.strictEqual(owned.tasks.size, 0)
    }).pipe(
      Effect.provide(
        changed(() => ({ describeTasks: () => Effect.fail(anAwsFailure("never", { code: "ClusterNotFound" })) }))
      ),
      Effect.provide(layerMemoryFleet())
    )
  )

  it.effect("twice: a stop that fails is tried again, and what was told before it is not told again", () =>
    Effect.gen(function* () {
      let failures = 2
      const unwilling = changed((ecs) => ({
        stopTask: (...call) =>
          failures-- > 0 ? Effect.fail(anAwsFailure("throttle", { action: "StopTask" })) : ecs.stopTask(...call)
      }))
      yield* Effect.gen(function* () {
        const started = { ...(yield* aRunningTask), runTimeoutSeconds: 1 }
        const fleet = yield* watcher
        const owned = owning(started)
        yield* TestClock.adjust("10 seconds")
        for (let look = 0; look < 2; look++) {
          yield* inTime(sweep(fleet, owned))
          yield* TestClock.adjust("2 seconds")
        }
        assert.strictEqual(yield* desired(started), "RUNNING")
        assert.deepStrictEqual(yield* changes, ["RUNNING"])
        yield* inTime(sweep(fleet, owned))
        assert.strictEqual(yield* desired(started), "STOPPED")
      }).pipe(Effect.provide(unwilling))
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: a lease that came anew while its predecessor was released stays", () =>
    Effect.gen(function* () {
      const started = yield* aRunningTask
      yield* (yield* EcsModel).ecs.StopTask(region, { task: started.taskArn })
      const owned = owning(started)
      const [first] = owned.tasks.values()
      const anew = aLease()
      const lease = first?.lease ?? anew.lease
      const replaced = { watched: watch(started), lease: anew.lease, trace: undefined, nextLookAt: 0 }
      owned.tasks.set(leaseKey(started), {
        watched: watch(started),
        trace: undefined,
        nextLookAt: 0,
        lease: {
          ...lease,
          ack: Effect.andThen(
            lease.ack,
            Effect.sync(() => owned.tasks.set(leaseKey(started), replaced))
          )
        }
      })
      yield* TestClock.adjust("1 minute")
      yield* sweep(yield* watcher, owned)
      assert.strictEqual(owned.tasks.get(leaseKey(started)), replaced)
      assert.isUndefined(anew.ended())
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("keepSweeping", () => {
  it.effect("a cluster that never answers holds up no other, and is not asked twice at a time", () =>
    Effect.gen(function* () {
      let hanging = 0
      const asked = yield* Deferred.make<void>()
      const silent = changed((ecs) => ({
        describeTasks: (target, cluster, arns) => {
          if (cluster !== "silent") return ecs.describeTasks(target, cluster, arns)
          hanging += 1
          return Effect.andThen(Deferred.succeed(asked, undefined), Effect.never)
        }
      }))
      yield* Effect.gen(function* () {
        const started = yield* aRunningTask
        const owned = owning({ ...started, attempt: 2, clusterArn: "silent" }, started)
        yield* Effect.forkChild(keepSweeping(yield* watcher, owned, Effect.void))
        yield* TestClock.adjust("1 second")
        yield* Deferred.await(asked)
        yield* TestClock.adjust("11 minutes")
        assert.strictEqual((yield* changes).at(-1), "STOPPED")
        assert.deepStrictEqual([...owned.tasks.keys()], [leaseKey({ ...started, attempt: 2 })])
        assert.strictEqual(hanging, 1)
      }).pipe(Effect.provide(silent))
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("a set of credentials that pauses", () => {
  const expired = { action: "*", times: 0, error: { name: "ExpiredTokenException", message: "expired" } }
  const refusals = Effect.map(
    Effect.flatMap(EcsModel, ({ faults }) => faults.list),
    (all) => all.reduce((sum, { fired }) => sum + fired, 0)
  )

  it.effect("is not asked about its tasks but by probes; afterwards they are judged on a fresh answer (peers 83)", () =>
    Effect.gen(function* () {
      const started = { ...(yield* aRunningTask), runTimeoutSeconds: 60 }
      const owned = owning(started)
      yield* Effect.forkChild(keepSweeping(yield* watcher, owned, Effect.void))
      yield* TestClock.adjust("1 second")
      yield* (yield* EcsModel).faults.inject(expired)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* desired(started).pipe(Effect.catch(() => Effect.succeed("hidden"))), "hidden")
      assert.isAtMost(yield* refusals, 2 + 5 + 300 / 30)
      assert.deepStrictEqual(yield* changes, ["RUNNING"])
      yield* (yield* EcsModel).faults.clear
      yield* TestClock.adjust("0 seconds")
      assert.strictEqual(yield* desired(started), "RUNNING")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* desired(started), "STOPPED")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
