import { Clock, Effect, Option } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import type { Attempt } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { DEFAULT_POOL } from "#ecs-core/Pool.ts"
import { effects, isFinal, type Run, type RunEffect, runFinished } from "#ecs-core/Run.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { isStragglerStop, requestGone, stopOf, stragglerStopOf } from "./decide.ts"
import { type DefinitionDelayed, define, type JobSource, orderAgain } from "./define.ts"
import type { Fleet } from "./Fleet.ts"
import { foldInto, type RecordError } from "./records.ts"

export type PerformError = RecordError | DefinitionDelayed | AwsFailure

/**
 * Makes everything exist that must exist given the record. Each order and fact is created once, so that repeating
 * this after a crash between any two lines only completes it.
 */
export const performEffects = <E>(fleet: Fleet, run: Run, jobOf: JobSource<E>): Effect.Effect<void, E | PerformError> =>
  Effect.forEach(effects(run), (effect) => perform(fleet, run, effect, jobOf), { discard: true })

const perform = <E>(
  fleet: Fleet,
  run: Run,
  effect: RunEffect,
  jobOf: JobSource<E>
): Effect.Effect<unknown, E | PerformError> => {
  const { runId } = run
  switch (effect._tag) {
    case "KeepLive":
      return keepKey(fleet, run)
    case "DropLive":
      return fleet.live.delete(runId)
    case "PublishRunQueued":
      return publishQueued(fleet, run)
    case "Define":
      return Effect.flatMap(define(fleet, run, effect, jobOf), (next) =>
        next === undefined ? Effect.void : performEffects(fleet, next, jobOf)
      )
    case "PublishTaskdefReady":
      return publishOrder(fleet, run, effect.attempt, jobOf)
    case "PublishTaskStop":
      return effect.straggler === true
        ? stopStraggler(fleet, run, effect.attempt)
        : createOnce(
            fleet,
            Subjects.taskStop(runId, effect.attempt),
            Codecs.taskStop.encode(stopOf(run, effect.attempt))
          )
    case "PublishRunFinished":
      return Option.match(Option.fromUndefinedOr(runFinished(run)), {
        onNone: () => Effect.void,
        onSome: (finished) => createOnce(fleet, Subjects.runFinished(runId), Codecs.runFinished.encode(finished))
      })
  }
}

/** Whoever serves the queues hears of it also where the pool is no longer limited. */
const publishQueued = (fleet: Fleet, { pool = DEFAULT_POOL, queuedAt, requestedAt, runId }: Run) =>
  Effect.andThen(
    fleet.publisher.createOnce({
      stream: Streams.queues,
      subject: Subjects.runQueued(pool, runId),
      data: Codecs.runQueued.encode({ runId, pool, at: queuedAt ?? requestedAt })
    }),
    Effect.sync(() => {
      if (fleet.queues.pools.has(pool)) return
      fleet.queues.pools.add(pool)
      fleet.queues.news.openUnsafe()
    })
  )

/** The run counts as one that goes on. */
export const keepKey = ({ live }: Fleet, { runId, requestedAt }: Run): Effect.Effect<unknown, PublishError> =>
  live.put(runId, JSON.stringify({ requestedAt }))

const publishOrder = <E>(
  fleet: Fleet,
  run: Run,
  attempt: Attempt,
  jobOf: JobSource<E>
): Effect.Effect<unknown, E | PerformError> =>
  Effect.gen(function* () {
    const known = run.attempts.find((each) => each.attempt === attempt)
    const subject = Subjects.taskdefReady(run.runId, attempt)
    const order = known === undefined ? undefined : yield* orderAgain(fleet, run, known, jobOf)
    if (order !== undefined) return yield* createOnce(fleet, subject, Codecs.taskdefReady.encode(order))
    const published = yield* fleet.messages.last(Streams.fleet, subject)
    if (Option.isSome(published)) return
    const now = yield* Clock.currentTimeMillis
    const ended = yield* foldInto(fleet.runs, run.runId, requestGone(now, attempt))
    if (ended !== undefined && isFinal(ended)) yield* performEffects(fleet, ended, jobOf)
  })

/**
 * Of a straggler there may be an order to stop already, from a cancel, and the watcher was done with it when the attempt
 * was given up: then a second one follows, once.
 */
const stopStraggler = (fleet: Fleet, run: Run, attempt: Attempt): Effect.Effect<unknown, PublishError> =>
  Effect.gen(function* () {
    const order = { stream: Streams.fleet, subject: Subjects.taskStop(run.runId, attempt) }
    const data = Codecs.taskStop.encode(stragglerStopOf(run, attempt))
    const last = yield* fleet.messages.last(Streams.fleet, order.subject)
    if (Option.isSome(last) && isStragglerStop(text(last.value))) return
    yield* fleet.publisher.append({ ...order, data }, Option.isNone(last) ? 0 : last.value.seq)
  }).pipe(
    // Something came in between, at most the plain order and another dispatcher's: the next look tells.
    Effect.catchTag("WrongLastSequence", () => Effect.suspend(() => stopStraggler(fleet, run, attempt)))
  )

const createOnce = (fleet: Fleet, subject: string, data: string) =>
  fleet.publisher.createOnce({ stream: Streams.fleet, subject, data })
