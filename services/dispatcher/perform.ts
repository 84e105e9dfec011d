import { Effect, Option } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import { Codecs, type TaskdefReady } from "#ecs-core/Messages.ts"
import { effects, type Run, type RunEffect, runFinished } from "#ecs-core/Run.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { stopOf } from "./decide.ts"
import type { Fleet } from "./Fleet.ts"

/** Makes the launch order of an attempt again, from the request or from the attempt before. */
export type OrderSource<E> = (run: Run, attempt: number) => Effect.Effect<TaskdefReady | undefined, E>

/**
 * Makes everything exist that must exist given the record. Each order and fact is created once, so that repeating
 * this after a crash between any two lines only completes it.
 */
export const performEffects = <E>(
  fleet: Fleet,
  run: Run,
  orderSource: OrderSource<E>
): Effect.Effect<void, E | PublishError> =>
  Effect.forEach(effects(run), (effect) => perform(fleet, run, effect, orderSource), { discard: true })

const perform = <E>(
  fleet: Fleet,
  run: Run,
  effect: RunEffect,
  orderSource: OrderSource<E>
): Effect.Effect<unknown, E | PublishError> => {
  const { runId } = run
  switch (effect._tag) {
    case "KeepLive":
      return fleet.live.put(runId, JSON.stringify({ requestedAt: run.requestedAt }))
    case "DropLive":
      return fleet.live.delete(runId)
    case "PublishTaskdefReady":
      return Effect.flatMap(orderSource(run, effect.attempt), (order) =>
        order === undefined
          ? Effect.logWarning("launch order cannot be made again: its request is gone", { runId })
          : createOnce(fleet, Subjects.taskdefReady(runId, effect.attempt), Codecs.taskdefReady.encode(order))
      )
    case "PublishTaskStop":
      return createOnce(
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

const createOnce = (fleet: Fleet, subject: string, data: string) =>
  fleet.publisher.createOnce({ stream: Streams.fleet, subject, data })
