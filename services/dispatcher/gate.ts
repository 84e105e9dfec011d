import { Clock, Effect, Option, Result, Stream } from "effect"
import type { BusUnavailable, PublishError } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { Filters, parseSubject, pauseKey, poolDurable, Streams, submitPaceKey } from "#ecs-core/Subjects.ts"
import { type RecordUnreadable, readRun } from "#process/RunRecords.ts"
import type { Fleet } from "./Fleet.ts"
import { fitsIn, limitsOf, type PoolLimits } from "./limits.ts"
import { type PoolOrProblems, poolInForce } from "./pools.ts"
import { type Reserved, reserve, SubmitPaceCodec } from "./submitPace.ts"

/** What decides whether a queued run's turn has come, read from where all replicas share it. */

/** The limits of a pool as they are now; undefined where nobody can tell, and nothing may be launched by it. */
export const readLimits = (fleet: Fleet, pool: string): Effect.Effect<PoolLimits | undefined, BusUnavailable> =>
  Effect.gen(function* () {
    const isPaused = Option.isSome(yield* fleet.pools.get(pauseKey(pool)))
    return limitsIn(yield* poolInForce(fleet, pool), isPaused)
  })

/** The limits of a pool that was read together with its pause, or before it. */
export const limitsIn = (inForce: PoolOrProblems, isPaused: boolean): PoolLimits | undefined =>
  Result.isFailure(inForce) ? undefined : limitsOf(inForce.success.pool, isPaused)

/** Records that are read at a time where slots have to be counted. */
const READS_AT_ONCE = 16

/**
 * Whether message `seq` of the pool's queue has one of its slots. The server hands out no more than there are; only
 * while more are out, after `maxRunning` was lowered, it has to be asked which of them stand for a run at work.
 */
export const hasRoom = (
  fleet: Fleet,
  pool: string,
  seq: number,
  maxRunning: number
): Effect.Effect<boolean, BusUnavailable | RecordUnreadable> =>
  Effect.gen(function* () {
    const backlog = Option.getOrUndefined(yield* fleet.topology.backlog(Streams.queues, poolDurable(pool)))
    if (backlog === undefined) return false
    if (backlog.unacked <= maxRunning) return true
    const queue = {
      stream: Streams.queues,
      subject: Filters.queueOf(pool),
      fromSeq: backlog.ackedSeq + 1,
      follow: false
    }
    const out = yield* Stream.runCollect(
      Stream.takeWhile(fleet.messages.replay(queue), (message) => message.seq <= backlog.handedOutSeq)
    )
    const all = yield* Effect.forEach(
      out,
      (message) => {
        const parsed = parseSubject(message.subject)
        const runId = parsed?.kind === "run.queued" ? parsed.runId : ""
        return Effect.map(readRun(fleet.runs, runId), ({ run }) => ({ seq: message.seq, run }))
      },
      { concurrency: READS_AT_ONCE }
    )
    return fitsIn(all, seq, maxRunning)
  })

/** Takes up to `wanted` admissions of a pool's `maxSubmitPerSecond`: when each may happen. */
export const reserveSubmits = (
  fleet: Fleet,
  pool: string,
  perSecond: number,
  wanted: number
): Effect.Effect<Reserved["at"], PublishError> =>
  Effect.gen(function* () {
    const key = submitPaceKey(pool)
    const kept = yield* fleet.meta.get(key)
    const known = Option.flatMap(kept, ({ value }) => Result.getSuccess(SubmitPaceCodec.decode(text({ data: value }))))
    const { at, pace } = reserve(Option.getOrUndefined(known), perSecond, wanted, yield* Clock.currentTimeMillis)
    const value = SubmitPaceCodec.encode(pace)
    yield* Option.isNone(kept) ? fleet.meta.create(key, value) : fleet.meta.update(key, value, kept.value.revision)
    return at
  }).pipe(
    // Another replica took some in between: what is left is looked at again.
    Effect.catchTags({
      KeyExists: () => reserveSubmits(fleet, pool, perSecond, wanted),
      RevisionConflict: () => reserveSubmits(fleet, pool, perSecond, wanted)
    })
  )
