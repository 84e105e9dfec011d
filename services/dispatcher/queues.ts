import { Clock, Effect, FiberMap, Metric, Option, Result, Scope, Stream } from "effect"
import type { BucketEntry } from "#bus/Bucket.ts"
import type { BusUnavailable } from "#bus/BusError.ts"
import { Consumer } from "#bus/Consumer.ts"
import { text } from "#bus/Message.ts"
import { poolQueue } from "#ecs-core/FleetTopology.ts"
import { GoodPoolCodec, MAX_RUNNING_MAX } from "#ecs-core/Pool.ts"
import { usablePool } from "#ecs-core/PoolProblems.ts"
import { type ParsedPoolKey, parsePoolKey, poolDurable, poolOfDurable, Streams } from "#ecs-core/Subjects.ts"
import { deadSubject } from "#process/Handling.ts"
import { readWhereTold } from "#process/Readings.ts"
import { supervised } from "#process/Supervise.ts"
import { admitForEver } from "./admit.ts"
import type { DispatcherSettings } from "./config.ts"
import { followEnds } from "./ends.ts"
import type { Fleet } from "./Fleet.ts"
import { handedOutMax, isLimited, limitsOf, type PoolLimits } from "./limits.ts"
import * as metrics from "./metrics.ts"
import { makePoolQueue, type PoolQueue, release, type Slots, take } from "./slots.ts"

/**
 * Which pools have a queue, and serving them. A pool gets a durable consumer of its own when it becomes limited or paused,
 * so that no pool waits for another; how many messages it hands out follows `maxRunning`. A pool that is limited no more
 * is served until its queue has been empty for a while. Every dispatcher does all of this by itself: it comes to the same.
 */

/** A pool without limits whose queue has been empty for so long has no consumer any more. */
export const QUEUE_IDLE_SECONDS = 600

/** Changes that come together are looked at together. */
const LOOK_PAUSE_MILLIS = 100

interface Served {
  readonly queue: PoolQueue
  /** What the consumer was told last. */
  handedOut: number
  /** Since when nothing waits and nothing is limited, epoch milliseconds. */
  idleSince: number | undefined
}

interface Serving {
  readonly fleet: Fleet
  readonly settings: DispatcherSettings
  readonly slots: Slots
  readonly served: Map<string, Served>
  readonly workers: FiberMap.FiberMap<string>
  readonly scope: Scope.Scope
  readonly consumer: typeof Consumer.Service
}

/** Which pools have a queue now; known before the first request is read, or its order would not be kept. */
export const findQueues = (fleet: Fleet): Effect.Effect<void, BusUnavailable> =>
  Effect.gen(function* () {
    const named = (yield* fleet.topology.consumerNames(Streams.queues)).map(poolOfDurable)
    const limited = limitedIn(limitsByPool(yield* fleet.pools.entries()))
    for (const pool of [...named, ...limited]) if (pool !== undefined) fleet.queues.pools.add(pool)
  })

const limitedIn = (limits: ReadonlyMap<string, PoolLimits | undefined>): ReadonlyArray<string> =>
  [...limits].flatMap(([pool, each]) => (each !== undefined && isLimited(each) ? [pool] : []))

/** Serves the queues of all pools, for ever. */
export const serveQueues = (
  fleet: Fleet,
  settings: DispatcherSettings
): Effect.Effect<never, BusUnavailable, Consumer> =>
  Effect.scoped(
    Effect.gen(function* () {
      const slots: Slots = new Map()
      yield* readWhereTold(Effect.suspend(() => Metric.update(metrics.slots, slots.size)))
      const serving: Serving = {
        fleet,
        settings,
        slots,
        served: new Map(),
        workers: yield* FiberMap.make<string>(),
        scope: yield* Effect.scope,
        consumer: yield* Consumer
      }
      const ends = yield* followEnds(fleet, settings, slots)
      return yield* Effect.raceAllFirst([ends, noteChanges(serving), keepLooking(serving)])
    })
  )

/** Whoever waits for its turn looks at once what the change means. */
const noteChanges = ({ fleet, served }: Serving): Effect.Effect<never, BusUnavailable> =>
  Effect.andThen(
    Stream.runForEach(fleet.pools.changes(), (key) =>
      Effect.sync(() => {
        served.get(parsePoolKey(key)?.pool ?? "")?.queue.news.openUnsafe()
        fleet.queues.news.openUnsafe()
      })
    ),
    Effect.never
  )

const keepLooking = (serving: Serving): Effect.Effect<never, BusUnavailable> => {
  const { news } = serving.fleet.queues
  return Effect.forever(
    Effect.gen(function* () {
      news.closeUnsafe()
      yield* look(serving)
      yield* Effect.sleep(LOOK_PAUSE_MILLIS)
      yield* Effect.timeoutOption(news.await, `${serving.settings.poolLookSeconds} seconds`)
    })
  )
}

/** Brings every queue to what its pool says now. */
const look = (serving: Serving): Effect.Effect<void, BusUnavailable> =>
  Effect.gen(function* () {
    const { fleet, served } = serving
    const limits = limitsByPool(yield* fleet.pools.entries())
    for (const pool of limitedIn(limits)) fleet.queues.pools.add(pool)
    for (const pool of new Set([...served.keys(), ...fleet.queues.pools])) {
      const known = limits.has(pool) ? limits.get(pool) : limitsOf(undefined, false)
      if (known !== undefined) yield* bring(serving, pool, known)
    }
  })

/** An entry that is not valid has the limits of its last good version; undefined where none is known: what held before holds on. */
export const limitsByPool = (entries: ReadonlyArray<BucketEntry>): ReadonlyMap<string, PoolLimits | undefined> => {
  const parsed = entries.map(({ key, value }) => ({ ...parsePoolKey(key), value }))
  const paused = new Set(parsed.flatMap(({ kind, pool }) => (kind === "pause" && pool !== undefined ? [pool] : [])))
  const limits = new Map<string, PoolLimits | undefined>([...paused].map((pool) => [pool, limitsOf(undefined, true)]))
  for (const { kind, pool, value } of parsed) {
    if (kind !== "pool" || pool === undefined) continue
    const json = Option.orElse(Result.getSuccess(usablePool(text({ data: value }))), () => goodOf(parsed, pool))
    limits.set(pool, Option.isSome(json) ? limitsOf(json.value, paused.has(pool)) : undefined)
  }
  return limits
}

const goodOf = (entries: ReadonlyArray<Partial<ParsedPoolKey> & Pick<BucketEntry, "value">>, name: string) => {
  const kept = entries.find(({ kind, pool }) => kind === "good" && pool === name)
  const good = Option.flatMap(Option.fromUndefinedOr(kept), ({ value }) =>
    Result.getSuccess(GoodPoolCodec.decode(text({ data: value })))
  )
  return Option.map(good, ({ pool }) => pool)
}

/** A pool whose queue cannot be arranged now is tried again at the next look; the others are served all the same. */
const bring = (serving: Serving, pool: string, limits: PoolLimits): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { fleet, served, settings, slots } = serving
    const handedOut = handedOutMax(limits)
    const before = served.get(pool)
    if (before?.handedOut !== handedOut) {
      if (before === undefined && served.size >= settings.poolsMax) return yield* tooMany(serving, pool)
      yield* fleet.topology.ensureConsumer(poolQueue(pool, handedOut, settings.leaseSeconds))
      yield* Effect.logInfo("queue of a pool", { pool, handedOut })
    }
    const now = before ?? (yield* serve(serving, pool, handedOut))
    now.handedOut = handedOut
    if (limits.maxRunning === undefined) yield* giveBackSlots(slots, now.queue)
    if (isLimited(limits)) now.idleSince = undefined
    else yield* endIfIdle(serving, pool, now)
  }).pipe(
    Effect.catch((error) => Effect.logWarning("the queue of a pool is not arranged yet", { pool, why: error.message }))
  )

const tooMany = ({ settings }: Serving, pool: string): Effect.Effect<void> =>
  Effect.logError("the queue of a pool is not served: raise FLEET_DISPATCHER_POOLS_MAX", {
    pool,
    poolsMax: settings.poolsMax
  })

const serve = (serving: Serving, pool: string, handedOut: number): Effect.Effect<Served> =>
  Effect.gen(function* () {
    const { consumer, fleet, scope, served, settings, slots, workers } = serving
    const queue = yield* Scope.provide(makePoolQueue(pool), scope)
    const now: Served = { queue, handedOut, idleSince: undefined }
    const leases = consumer.leases(
      {
        stream: Streams.queues,
        durable: poolDurable(pool),
        deadStream: Streams.dead,
        deadSubject: deadSubject("dispatcher"),
        heartbeatSeconds: settings.leaseSeconds / 3,
        capacity: MAX_RUNNING_MAX,
        concurrency: MAX_RUNNING_MAX
      },
      (delivery, lease) => take(fleet, slots, queue, delivery, lease)
    )
    const arranged = Effect.suspend(() =>
      fleet.topology.ensureConsumer(poolQueue(pool, now.handedOut, settings.leaseSeconds))
    )
    const worker = Effect.andThen(arranged, Effect.raceFirst(leases, admitForEver(fleet, slots, queue)))
    served.set(pool, now)
    yield* FiberMap.run(
      workers,
      pool,
      supervised(`dispatcher queue ${pool}`, Effect.ensuring(worker, clear(slots, queue)))
    )
    return now
  })

/** All that was held is handed back when a worker ends. */
const clear = (slots: Slots, queue: PoolQueue): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const [runId, slot] of slots) if (slot.queue === queue) slots.delete(runId)
    queue.waiting.clear()
    queue.arriving.clear()
  })

/** The pool has no `maxRunning` any more: what was launched holds nobody up. */
const giveBackSlots = (slots: Slots, queue: PoolQueue): Effect.Effect<void> =>
  Effect.forEach(
    [...slots.values()].filter((slot) => slot.queue === queue && slot.launched),
    (slot) => release(slots, slot),
    { discard: true }
  )

const endIfIdle = (serving: Serving, pool: string, now: Served): Effect.Effect<void, BusUnavailable> =>
  Effect.gen(function* () {
    const { fleet, served, workers } = serving
    const backlog = Option.getOrUndefined(yield* fleet.topology.backlog(Streams.queues, poolDurable(pool)))
    const millis = yield* Clock.currentTimeMillis
    if (backlog !== undefined && backlog.waiting + backlog.unacked > 0) now.idleSince = undefined
    else if (now.idleSince === undefined) now.idleSince = millis
    else if (millis - now.idleSince >= QUEUE_IDLE_SECONDS * 1000) {
      fleet.queues.pools.delete(pool)
      served.delete(pool)
      yield* FiberMap.remove(workers, pool)
      yield* fleet.topology.deleteConsumer(Streams.queues, poolDurable(pool))
      yield* Effect.logInfo("the queue of a pool is empty, and its consumer gone", { pool })
    }
  })
