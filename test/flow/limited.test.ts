import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { type Pool, PoolCodec, PoolPauseCodec } from "#ecs-core/Pool.ts"
import { isTaskGone } from "#ecs-core/Run.ts"
import { BucketNames, pauseKey, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { layerFleet } from "#test/support/EmbeddedFleet.ts"
import { familyPeaks, launchedTasks } from "#test/support/LocalAws.ts"
import { recordOf } from "#test/support/MemoryFleet.ts"
import { cancel, finished, firstOn, request, take } from "#test/support/runs.ts"

const pools = Buckets.use((buckets) => buckets.open(BucketNames.pools))
const give = (name: string, pool: Pool) => Effect.flatMap(pools, (bucket) => bucket.put(name, PoolCodec.encode(pool)))
const pause = (pool: string) =>
  Effect.gen(function* () {
    const at = instantOf(yield* Clock.currentTimeMillis)
    yield* (yield* pools).put(pauseKey(pool), PoolPauseCodec.encode({ at }))
  })
const resume = (pool: string) => Effect.flatMap(pools, (bucket) => bucket.delete(pauseKey(pool)))

const requestAll = (pool: string, count: number, seconds: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, at) => `${pool}-${at + 1}`),
    (runId) =>
      request({ runId, pool, image: "local/shell", command: ["simulate", "--seconds", String(seconds)] }, runId)
  )

const familyOf = (pool: string) =>
  Effect.map(familyPeaks, (all) => all.find(({ family }) => family === `fleet_${pool}`))

layer(layerFleet, { excludeTestServices: true })("a limited pool", (it) => {
  it.effect("never has more tasks than it may, and starts them in turn (peers 124)", () =>
    Effect.gen(function* () {
      yield* give("narrow", { maxRunning: 2 })
      const runs = yield* requestAll("narrow", 8, 0.3)
      const ends = yield* Effect.forEach(runs, finished)
      assert.deepStrictEqual(
        ends.map(({ outcome }) => outcome),
        runs.map(() => "succeeded")
      )
      assert.deepInclude(yield* familyOf("narrow"), { launched: 8, most: 2 })
      const tasks = (yield* launchedTasks).map(({ startedBy = "" }) => startedBy.split("/")[1] ?? "")
      const places = runs.map((runId, at) => Math.abs(tasks.filter((id) => runs.includes(id)).indexOf(runId) - at))
      assert.isAtMost(Math.max(...places), 2)
    })
  )

  it.effect("another pool's runs start at once, however long its queue is", () =>
    Effect.gen(function* () {
      yield* give("full", { maxRunning: 1 })
      yield* give("wide", {})
      const [first = ""] = yield* requestAll("full", 1, 60)
      yield* firstOn(Streams.fleet, Subjects.taskStarted(first, 1))
      yield* requestAll("full", 20, 60)
      const [runId = ""] = yield* requestAll("wide", 1, 0.1)
      yield* firstOn(Streams.fleet, Subjects.taskStarted(runId, 1))
      assert.deepInclude(yield* familyOf("full"), { launched: 1, most: 1 })
      yield* Effect.forEach(
        Array.from({ length: 20 }, (_, at) => `full-${at + 1}`),
        (each) => cancel(each)
      )
      yield* Effect.forEach([first, "full-20"], finished)
    })
  )

  it.effect("a paused pool starts nobody, also one without limits, and goes on in order", () =>
    Effect.gen(function* () {
      yield* give("halted", {})
      yield* pause("halted")
      // The first one makes the queue; the order of the others is then that of their requests.
      yield* requestAll("halted", 1, 0.1)
      yield* take(Streams.queues, Subjects.runQueued("halted", "*"), 1)
      const runs = yield* requestAll("halted", 4, 0.1)
      yield* take(Streams.queues, Subjects.runQueued("halted", "*"), 4)
      assert.isUndefined(yield* familyOf("halted"))
      yield* resume("halted")
      yield* Effect.forEach(runs, finished)
      const turns = yield* Effect.forEach(runs, (runId) => Effect.map(recordOf(runId), (run) => run?.admittedAt ?? ""))
      assert.notInclude(turns, "")
      assert.deepStrictEqual(turns, turns.toSorted())
    })
  )

  it.effect("the record tells that the task is gone after the run is over, and its outcome stays", () =>
    Effect.gen(function* () {
      yield* give("single", { maxRunning: 1 })
      const [runId = ""] = yield* requestAll("single", 1, 0.1)
      const end = yield* finished(runId)
      const gone = yield* Effect.repeat(recordOf(runId), {
        until: (run) => run?.attempts.some(isTaskGone) === true
      })
      assert.deepInclude(gone, { state: end.outcome })
    })
  )
})
