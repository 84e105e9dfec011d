import { Clock, Effect } from "effect"
import type { Fleet } from "./Fleet.ts"
import { hasRoom, readLimits, reserveSubmits } from "./gate.ts"
import type { PoolLimits } from "./limits.ts"
import type { RecordError } from "./records.ts"
import { admit, firstWaiting, type PoolQueue, type Slot, type Slots } from "./slots.ts"
import { STALE_MILLIS } from "./submitPace.ts"

/** A queue that is paused, or whose pool cannot be read, is looked at again after this time at the latest. */
const CLOSED_SECONDS = 10

/** After `maxRunning` was lowered it is counted again how many slots are taken: so often, and when one is given back here. */
const NO_ROOM_SECONDS = 10

/** After a question that got no answer. */
const UNREAD_SECONDS = 1

/** Admits, one after the other, the runs of one pool whose messages this process holds, as the pool's limits allow. */
export const admitForEver = (fleet: Fleet, slots: Slots, queue: PoolQueue): Effect.Effect<never> =>
  Effect.forever(
    Effect.suspend(() => {
      queue.news.closeUnsafe()
      const first = firstWaiting(queue)
      return first === undefined ? queue.news.await : step(fleet, slots, first)
    })
  )

/** One look at the run whose turn would be next: it is admitted, or something is waited for. */
const step = (fleet: Fleet, slots: Slots, slot: Slot): Effect.Effect<void> => {
  const { queue } = slot
  return Effect.gen(function* () {
    const limits = yield* readLimits(fleet, queue.pool)
    if (limits === undefined || limits.isPaused) return yield* newsWithin(queue, CLOSED_SECONDS)
    const { maxRunning } = limits
    if (maxRunning !== undefined && !(yield* hasRoom(fleet, queue.pool, slot.seq, maxRunning))) {
      return yield* newsWithin(queue, NO_ROOM_SECONDS)
    }
    const waitMillis = yield* submitWait(fleet, queue, limits)
    if (waitMillis > 0) return yield* Effect.sleep(waitMillis)
    queue.reserved = queue.reserved.slice(1)
    yield* admit(fleet, slots, slot)
  }).pipe(
    Effect.catch((error: RecordError) =>
      Effect.andThen(
        Effect.logWarning("the queue of a pool waits", { pool: queue.pool, why: error.message }),
        newsWithin(queue, UNREAD_SECONDS)
      )
    )
  )
}

const newsWithin = ({ news }: PoolQueue, seconds: number): Effect.Effect<void> =>
  Effect.asVoid(Effect.timeoutOption(news.await, `${seconds} seconds`))

/** How long the first of the queue has to wait for `maxSubmitPerSecond`; 0 = no longer. */
const submitWait = (fleet: Fleet, queue: PoolQueue, { maxSubmitPerSecond }: PoolLimits) =>
  Effect.gen(function* () {
    if (maxSubmitPerSecond === undefined) return 0
    const fresh = (yield* Clock.currentTimeMillis) - STALE_MILLIS
    queue.reserved = queue.reserved.filter((at) => at >= fresh)
    if (queue.reserved.length === 0) {
      queue.reserved = yield* reserveSubmits(fleet, queue.pool, maxSubmitPerSecond, queue.waiting.size)
    }
    return (queue.reserved[0] ?? 0) - (yield* Clock.currentTimeMillis)
  })
