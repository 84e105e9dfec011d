import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Topology } from "#bus/Topology.ts"
import { poolQueue } from "#ecs-core/FleetTopology.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { PoolPauseCodec } from "#ecs-core/Pool.ts"
import { BucketNames, pauseKey, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aRun } from "#test/support/builders.ts"
import { at, requested } from "#test/support/messages.ts"
import { memoryFleet, putRun } from "./memoryFleet.ts"
import { pausedPools, placeOf } from "./queue.ts"

const POOL = "gpu"

const waiting = (id: string) => ({ ...aRun(requested(0, { queued: true, pool: POOL })), runId: RunId.make(id) })

/** A run in the queue, as the dispatcher puts it there. */
const enqueue = Effect.fnUntraced(function* (id: string, pool = POOL) {
  const run = { ...waiting(id), pool }
  yield* putRun(run)
  const data = Codecs.runQueued.encode({ runId: run.runId, pool, at: at(0) })
  yield* (yield* Publisher).createOnce({ stream: Streams.queues, subject: Subjects.runQueued(pool, id), data })
  return run
})

const pause = Effect.flatMap(
  Buckets.use((buckets) => buckets.open(BucketNames.pools)),
  (pools) => pools.put(pauseKey(POOL), PoolPauseCodec.encode({ at: at(0), reason: "deployment" }))
)

describe("placeOf", () => {
  it.effect("counts who is ahead in the same pool; another pool's runs between them do not count", () =>
    Effect.gen(function* () {
      yield* Topology.use((topology) => topology.ensureConsumer(poolQueue(POOL, 2, 60)))
      const first = yield* enqueue("a")
      yield* enqueue("other", "wide")
      yield* enqueue("b")
      const last = yield* enqueue("c")
      assert.deepStrictEqual(yield* placeOf(first), { pool: POOL, position: 1, of: 3 })
      assert.deepStrictEqual(yield* placeOf(last), { pool: POOL, position: 3, of: 3 })
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("says that the pool is paused, also before the place is published", () =>
    Effect.gen(function* () {
      yield* pause
      const run = waiting("a")
      assert.deepStrictEqual(yield* placeOf(run), { pool: POOL, paused: { reason: "deployment" } })
      assert.deepStrictEqual([...(yield* pausedPools([run]))], [POOL])
      assert.deepStrictEqual([...(yield* pausedPools([aRun(requested(0, { pool: POOL }))]))], [])
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("a run that does not wait has no place", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* placeOf(aRun(requested(0))))
    }).pipe(Effect.provide(memoryFleet()))
  )
})
