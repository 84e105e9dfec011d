import { Clock, Effect, Option, Schedule, Stream } from "effect"
import { Messages } from "#bus/Messages.ts"
import { Topology } from "#bus/Topology.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { DEFAULT_POOL } from "#ecs-core/Pool.ts"
import type { QueuePlace } from "#ecs-core/QueuePlace.ts"
import { isQueued, type Run } from "#ecs-core/Run.ts"
import { Filters, parseSubject, poolDurable, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { readRun } from "#process/RunRecords.ts"
import { records } from "./follow/follow.ts"
import { openRuns } from "./follow/records.ts"
import { pauseOf } from "./poolBucket.ts"

/** Of the messages that were handed out, so many at most are looked at for runs whose turn has not come yet. */
const HANDED_OUT_MAX = 200

/** Where a run stands in its pool's queue; undefined where it does not wait. */
export const placeOf = Effect.fnUntraced(function* (run: Run) {
  const pool = run.pool ?? DEFAULT_POOL
  if (!isQueued(run)) return undefined
  const messages = yield* Messages
  const own = yield* messages.last(Streams.queues, Subjects.runQueued(pool, run.runId))
  const backlog = Option.getOrUndefined(yield* (yield* Topology).backlog(Streams.queues, poolDurable(pool)))
  const pause = yield* pauseOf(pool)
  const paused = pause === undefined ? {} : { paused: pause.reason === undefined ? {} : { reason: pause.reason } }
  if (Option.isNone(own)) return { pool, ...paused } satisfies QueuePlace
  const { seq } = own.value
  const { handedOutSeq, ackedSeq } = backlog ?? { handedOutSeq: 0, ackedSeq: 0 }
  const queue = Filters.queueOf(pool)
  const behindHandedOut = yield* messages.countFrom(Streams.queues, queue, handedOutSeq + 1)
  const fromOwn = yield* messages.countFrom(Streams.queues, queue, seq)
  const inHand = yield* stillWaiting(queue, ackedSeq, handedOutSeq)
  const ahead = inHand.filter((other) => other < seq).length + Math.max(0, behindHandedOut - fromOwn)
  return { pool, position: ahead + 1, of: inHand.length + behindHandedOut, ...paused } satisfies QueuePlace
})

/** Sequences of messages in dispatchers' hands whose runs wait all the same, for instance as the pool is paused. */
const stillWaiting = Effect.fnUntraced(function* (queue: string, ackedSeq: number, handedOutSeq: number) {
  const runs = yield* openRuns
  const out = yield* Messages.use(({ replay }) =>
    replay({ stream: Streams.queues, subject: queue, fromSeq: ackedSeq + 1, follow: false }).pipe(
      Stream.takeWhile(({ seq }) => seq <= handedOutSeq),
      Stream.take(HANDED_OUT_MAX),
      Stream.runCollect
    )
  )
  const waiting = yield* Effect.forEach(
    out,
    ({ seq, subject }) => {
      const parsed = parseSubject(subject)
      const runId = parsed?.kind === "run.queued" ? parsed.runId : ""
      return Effect.map(readRun(runs, runId), ({ run }) => (run !== undefined && isQueued(run) ? [seq] : []))
    },
    { concurrency: 16 }
  )
  return waiting.flat()
})

/** Of these runs' pools those that are paused, as far as a run of theirs waits. */
export const pausedPools = Effect.fnUntraced(function* (runs: ReadonlyArray<Run>) {
  const pools = new Set(runs.filter(isQueued).map(({ pool = DEFAULT_POOL }) => pool))
  if (pools.size === 0) return new Set<string>()
  const paused = yield* Effect.forEach(pools, (pool) =>
    Effect.map(pauseOf(pool), (pause) => (pause === undefined ? [] : [pool]))
  )
  return new Set(paused.flat())
})

/** A run in a queue is asked about so often. */
const PLACE_SECONDS = 5

/** Where a followed run stands, again and again as long as it waits in a queue. */
export const followPlace = (runId: string) =>
  records(runId).pipe(
    Stream.take(1),
    Stream.flatMap(({ run }) => (isQueued(run) ? placesOf(runId) : Stream.empty))
  )

const placesOf = (runId: string) =>
  Stream.fromEffectSchedule(placeNow(runId), Schedule.spaced(`${PLACE_SECONDS} seconds`)).pipe(
    Stream.takeWhile((event) => event !== undefined),
    Stream.filter((event) => event !== undefined)
  )

const placeNow = (runId: string) =>
  Effect.gen(function* () {
    const { run } = yield* readRun(yield* openRuns, runId)
    const place = run === undefined ? undefined : yield* placeOf(run)
    const at = instantOf(yield* Clock.currentTimeMillis)
    return place === undefined ? undefined : { kind: "place" as const, place, at }
    // What cannot be read is told by the record itself.
  }).pipe(Effect.catchTag("RecordUnreadable", () => Effect.undefined))
