import { Clock, Effect, Exit, Metric, Option, Tracer } from "effect"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { classify } from "./AwsError.ts"
import { callSeconds, calls, paceWaitSeconds } from "./metrics.ts"

/**
 * Counts a call by its result, and how long it took; `refusal` finds the failure in an answer that is none by its status.
 * Amid the handling of a message it is a span too. Polls for many runs at once are in no trace, and make none.
 */
export const measured =
  <A>(action: string, refusal: (answer: A) => AwsFailure | undefined) =>
  <R>(call: Effect.Effect<A, unknown, R>): Effect.Effect<A, unknown, R> =>
    Effect.flatMap(Effect.all([Clock.currentTimeNanos, Effect.serviceOption(Tracer.ParentSpan)]), ([begun, parent]) => {
      const counted = Effect.onExit(call, (exit) => count(action, begun, resultOf(action, exit, refusal)))
      return Option.isNone(parent) ? counted : Effect.flatten(inSpan(action, counted))
    })

/** A span that fails tells the whole error, in which AWS may repeat a secret value: it has the result's code alone. */
const inSpan = <A, E, R>(action: string, call: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.withSpan(Effect.exit(call), action, { kind: "client", captureStackTrace: false })

const count = (action: string, begunNanos: bigint, result: string | undefined): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (result === undefined) return
    const seconds = Number((yield* Clock.currentTimeNanos) - begunNanos) / 1e9
    yield* Metric.update(Metric.withAttributes(callSeconds, { action }), seconds)
    yield* Metric.update(Metric.withAttributes(calls, { action, result }), 1)
    yield* Effect.annotateCurrentSpan("fleet.aws.result", result)
  })

/** Undefined where the process ends amid the call. */
const resultOf = <A>(
  action: string,
  exit: Exit.Exit<A, unknown>,
  refusal: (answer: A) => AwsFailure | undefined
): string | undefined => {
  if (Exit.isSuccess(exit)) return refusal(exit.value)?.code ?? "ok"
  const error = Exit.findErrorOption(exit)
  return Option.isNone(error) ? undefined : classify(action, error.value).code
}

/** How long a call waited for its turn. */
export const waitMeasured =
  (paceClass: string) =>
  (wait: Effect.Effect<void>): Effect.Effect<void> =>
    Effect.gen(function* () {
      const begun = yield* Clock.currentTimeMillis
      yield* wait
      const seconds = ((yield* Clock.currentTimeMillis) - begun) / 1000
      yield* Metric.update(Metric.withAttributes(paceWaitSeconds, { class: paceClass }), seconds)
    })
