import { Clock, Effect, FiberSet, Latch, type Scope, Semaphore } from "effect"
import type { Lease } from "#bus/Consumer.ts"
import { type Delivery, text } from "#bus/Message.ts"
import { currentTrace, inTrace, type Trace } from "#bus/Trace.ts"
import type { RunId } from "#ecs-core/Ids.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { Codecs, type RunQueued } from "#ecs-core/Messages.ts"
import { retryDelayMillis } from "#ecs-core/RetryDelay.ts"
import { isQueued, isTaskGone, type Run, takesSlot } from "#ecs-core/Run.ts"
import { Subjects } from "#ecs-core/Subjects.ts"
import { about, HAND_BACK_SECONDS_MAX, lastFact } from "#process/Handling.ts"
import { readRun } from "#process/RunRecords.ts"
import type { Fleet } from "./Fleet.ts"
import { readLimits } from "./gate.ts"
import { type PerformError, performEffects } from "./perform.ts"
import { foldInto, type RecordError } from "./records.ts"
import { jobFromInbox } from "./requests.ts"

/**
 * The turns that this process holds. A turn is the un-acknowledged message of a run in its pool's queue. Whoever holds it
 * admits the run, makes exist what must exist, and gives the message back when the run takes no slot any more; what has
 * been done is in the record, so that a successor goes on from there, and two holders for a moment do the same twice.
 * Nothing but the record says that a slot is free, and records only go forward: an acknowledgement is never too early,
 * whoever sends it.
 */
export interface Slot {
  readonly runId: RunId
  readonly seq: number
  readonly queue: PoolQueue
  readonly lease: Lease
  /** The run's: it goes on when the turn has come. */
  readonly trace: Trace | undefined
  /** What its record asked for exists. */
  launched: boolean
}

/** By run: a run queues once. */
export type Slots = Map<RunId, Slot>

/** What this process has in hand of one pool's queue. */
export interface PoolQueue {
  readonly pool: string
  /** Sequences of messages whose record is being read: one of them may come before those that wait. */
  readonly arriving: Set<number>
  /** Messages whose runs are not admitted yet, by sequence. */
  readonly waiting: Map<number, Slot>
  /** Opened when there may be something to do. */
  readonly news: Latch.Latch
  readonly launches: Semaphore.Semaphore
  readonly fibers: FiberSet.FiberSet<void>
  /** Admissions that were taken of `maxSubmitPerSecond`, epoch milliseconds, in order. */
  reserved: ReadonlyArray<number>
}

/** Launches of one pool under way at a time: no pool's launches wait for those of another. */
export const LAUNCHES_AT_ONCE = 16

/** A message whose record is missing, or cannot be read, is looked at again after this time; it keeps its slot. */
const RECORD_MISSING_MILLIS = 30_000

export const makePoolQueue = (pool: string): Effect.Effect<PoolQueue, never, Scope.Scope> =>
  Effect.gen(function* () {
    return {
      pool,
      arriving: new Set(),
      waiting: new Map(),
      news: Latch.makeUnsafe(),
      launches: yield* Semaphore.make(LAUNCHES_AT_ONCE),
      fibers: yield* FiberSet.make<void>(),
      reserved: []
    }
  })

/** A message of the queue is ours from now on. */
export const take = (
  fleet: Fleet,
  slots: Slots,
  queue: PoolQueue,
  delivery: Delivery,
  lease: Lease
): Effect.Effect<void> => {
  const decoded = Codecs.runQueued.decode(text(delivery))
  if (decoded._tag === "Failure") return lease.dead(decoded.failure.message)
  const message = decoded.success
  // Before anything else may run: whoever looks at the queue must know what is arriving.
  queue.arriving.add(delivery.seq)
  return Effect.flatMap(currentTrace, (trace) => {
    const slot: Slot = { runId: message.runId, seq: delivery.seq, queue, lease, trace, launched: false }
    slots.set(slot.runId, slot)
    return arrive(fleet, slots, slot, message).pipe(
      Effect.flatMap((run) => (run === undefined ? Effect.void : takeOver(fleet, slots, slot, run))),
      orHandBack(slots, slot),
      about(message)
    )
  })
}

/** The run to go on with at once; undefined where it waits for its turn, or needs none any more. */
const arrive = (
  fleet: Fleet,
  slots: Slots,
  slot: Slot,
  message: RunQueued
): Effect.Effect<Run | undefined, RecordError> => {
  const { queue, runId, seq } = slot
  return foldInto(fleet.runs, runId, { kind: "run.queued", message }).pipe(
    Effect.flatMap((run) => {
      if (run === undefined) return Effect.as(missing(slots, slot), undefined)
      if (!takesSlot(run)) return Effect.as(release(slots, slot), undefined)
      if (!isQueued(run)) return Effect.succeed(run)
      queue.waiting.set(seq, slot)
      return Effect.undefined
    }),
    Effect.ensuring(
      Effect.sync(() => {
        queue.arriving.delete(seq)
        queue.news.openUnsafe()
      })
    )
  )
}

const missing = (slots: Slots, slot: Slot): Effect.Effect<void> =>
  Effect.andThen(
    Effect.logWarning("a queued run without a record keeps its slot", { runId: slot.runId, pool: slot.queue.pool }),
    handBack(slots, slot, RECORD_MISSING_MILLIS)
  )

/** Somebody admitted the run before. What was told of its tasks since may not be in the record yet. */
const takeOver = (fleet: Fleet, slots: Slots, slot: Slot, run: Run): Effect.Effect<void, PerformError> =>
  Effect.gen(function* () {
    for (const { attempt } of run.attempts.filter((each) => each.taskArn !== undefined && !isTaskGone(each))) {
      const message = yield* lastFact(fleet.messages, Subjects.taskChanged(run.runId, attempt), Codecs.taskChanged)
      if (message !== undefined) yield* foldInto(fleet.runs, run.runId, { kind: "task.changed", message })
    }
    yield* launch(fleet, slots, slot, run)
    yield* lookAt(fleet, slots, slot)
  })

/** Of those that wait here the one that came first, unless one before it is still being read. */
export const firstWaiting = ({ arriving, waiting }: PoolQueue): Slot | undefined => {
  const first = Math.min(...waiting.keys())
  return Math.min(...arriving) < first ? undefined : waiting.get(first)
}

/** Its turn has come: that is recorded first, then follows what the record asks for. */
export const admit = (fleet: Fleet, slots: Slots, slot: Slot): Effect.Effect<void> => {
  const { pool, fibers, waiting } = slot.queue
  const recorded = Effect.gen(function* () {
    const at = instantOf(yield* Clock.currentTimeMillis)
    const run = yield* foldInto(fleet.runs, slot.runId, { kind: "run.admitted", at })
    waiting.delete(slot.seq)
    if (run === undefined || !takesSlot(run)) return yield* release(slots, slot)
    yield* Effect.logInfo("run admitted", { runId: slot.runId, pool })
    yield* FiberSet.run(fibers, launch(fleet, slots, slot, run).pipe(orHandBack(slots, slot)))
  })
  return recorded.pipe(orHandBack(slots, slot), about(slot), inTrace(slot.trace))
}

/** In a pool without `maxRunning` there is no slot to be held: the message has done its work. */
const launch = (fleet: Fleet, slots: Slots, slot: Slot, run: Run): Effect.Effect<void, PerformError> =>
  Effect.gen(function* () {
    yield* performEffects(fleet, run, jobFromInbox(fleet))
    slot.launched = true
    const limits = yield* readLimits(fleet, slot.queue.pool)
    if (limits !== undefined && limits.maxRunning === undefined) yield* release(slots, slot)
  }).pipe(slot.queue.launches.withPermit)

/** Whatever failed is done again by whoever gets the message next; meanwhile it keeps its slot. */
const orHandBack =
  (slots: Slots, slot: Slot) =>
  (step: Effect.Effect<void, PerformError>): Effect.Effect<void> =>
    step.pipe(
      Effect.catch((error) => {
        const delayMillis =
          error._tag === "DefinitionDelayed"
            ? error.delayMillis
            : retryDelayMillis(slot.lease.deliveries(), HAND_BACK_SECONDS_MAX)
        return Effect.andThen(
          Effect.logInfo("launch of a queued run delayed", { runId: slot.runId, why: error.message, delayMillis }),
          handBack(slots, slot, delayMillis)
        )
      })
    )

/** Reads the record, and gives the slot back if the run takes none any more. */
export const lookAt = (fleet: Fleet, slots: Slots, slot: Slot): Effect.Effect<void, RecordError> =>
  Effect.flatMap(readRun(fleet.runs, slot.runId), ({ run }) => giveBackIfFree(slots, slot, run))

export const giveBackIfFree = (slots: Slots, slot: Slot, run: Run | undefined): Effect.Effect<void> =>
  run === undefined || takesSlot(run) ? Effect.void : release(slots, slot)

export const release = (slots: Slots, slot: Slot): Effect.Effect<void> =>
  Effect.andThen(slot.lease.ack, forget(slots, slot))

const handBack = (slots: Slots, slot: Slot, delayMillis: number): Effect.Effect<void> =>
  Effect.andThen(slot.lease.nak(delayMillis), forget(slots, slot))

/** The message may have come anew meanwhile: then its new slot stays. */
const forget = (slots: Slots, slot: Slot): Effect.Effect<void> =>
  Effect.sync(() => {
    const { queue, runId, seq } = slot
    if (slots.get(runId) === slot) slots.delete(runId)
    if (queue.waiting.get(seq) === slot) queue.waiting.delete(seq)
    queue.news.openUnsafe()
  })
