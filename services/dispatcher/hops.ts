import { Clock, Effect, Metric } from "effect"
import type { RunMessage } from "#ecs-core/Evolve.ts"
import { type Instant, millisOf } from "#ecs-core/Instant.ts"
import { awaitedSince, currentAttempt, isFinal, isTombstone, lastWithTask, type Run } from "#ecs-core/Run.ts"
import { later } from "#ecs-core/Timeline.ts"
import { hopSeconds, runsFinished } from "./metrics.ts"

/**
 * How long each hop of a run took, as it shows when a message changes its record: a message that comes twice changes
 * nothing, and counts once. Times are those of messages and of ECS, so that clocks of producers do not matter.
 */
export type HopName =
  /** From the request until its turn came, in a limited pool. */
  | "queued"
  /** From the request, the turn or the end of the attempt before until the order to launch. */
  | "ordered"
  /** From the order until ECS accepted the task. */
  | "launched"
  /** From then until its containers ran, by ECS's times. */
  | "started"
  /** From then until they ended, by ECS's times: the program's own time. */
  | "ran"
  /** From then until the run was over here. */
  | "finished"

export interface Hop {
  readonly hop: HopName
  readonly seconds: number
}

/** The hops that end with this change of a record. */
export const hopsOf = (
  before: Run | undefined,
  event: RunMessage,
  after: Run,
  nowMillis: number
): ReadonlyArray<Hop> =>
  before === undefined || isTombstone(before)
    ? []
    : [...launchHops(before, event, after), ...taskHops(before, after), ...lastHop(before, after, nowMillis)]

const hop = (name: HopName, from: Instant | undefined, to: Instant | undefined): ReadonlyArray<Hop> =>
  from === undefined || to === undefined
    ? []
    : [{ hop: name, seconds: Math.max(0, millisOf(to) - millisOf(from)) / 1000 }]

const launchHops = (before: Run, event: RunMessage, after: Run): ReadonlyArray<Hop> => {
  if (event.kind === "run.admitted") return hop("queued", before.queuedAt, event.at)
  if (event.kind === "taskdef.ready") return hop("ordered", awaitedSince(before), event.message.at)
  if (event.kind !== "task.started") return []
  const { attempt, at } = event.message
  const known = attemptOf(before, attempt)
  if (known?.taskArn !== undefined) return []
  const ordered = attemptOf(after, attempt)
  return ordered === undefined
    ? []
    : hop("launched", later(ordered.definedAt, ordered.notBefore ?? ordered.definedAt), at)
}

const taskHops = (before: Run, after: Run): ReadonlyArray<Hop> => {
  const attempt = currentAttempt(after)
  if (attempt?.times === undefined) return []
  const known = attemptOf(before, attempt.attempt)?.times
  const { createdAt, executionStoppedAt, startedAt } = attempt.times
  return [
    ...(known?.startedAt === undefined ? hop("started", createdAt, startedAt) : []),
    ...(known?.executionStoppedAt === undefined ? hop("ran", startedAt, executionStoppedAt) : [])
  ]
}

const lastHop = (before: Run, after: Run, nowMillis: number): ReadonlyArray<Hop> => {
  const endedAt = lastWithTask(after)?.times?.executionStoppedAt
  if (isFinal(before) || !isFinal(after) || endedAt === undefined) return []
  return [{ hop: "finished", seconds: Math.max(0, nowMillis - millisOf(endedAt)) / 1000 }]
}

const attemptOf = ({ attempts }: Run, attempt: number) => attempts.find((each) => each.attempt === attempt)

/** Counts what a change of a record, now stored, says of hops and ends. */
export const countChange = (before: Run | undefined, event: RunMessage, after: Run): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const { hop: name, seconds } of hopsOf(before, event, after, yield* Clock.currentTimeMillis)) {
      yield* Metric.update(Metric.withAttributes(hopSeconds, { hop: name }), seconds)
    }
    if (isFinal(after) && (before === undefined || !isFinal(before))) {
      yield* Metric.update(Metric.withAttributes(runsFinished, { outcome: after.state }), 1)
    }
  })
