import { Clock, Effect, Schedule } from "effect"
import { runAll, type Wanted } from "#bench/load.ts"
import { calls, launchedTasks } from "#test/support/LocalAws.ts"

/** What some runs asked of AWS. */
export interface Phase {
  readonly runs: number
  /** By action, over all runs. */
  readonly calls: Readonly<Record<string, number>>
  /** DescribeTasks over what sweeps may ask at most, see `describeMax`. */
  readonly describeShare: number
}

/** A watcher's sweeps, as its settings are by default. */
const SWEEPS_PER_SECOND = 4

/** So long without a call, and what belongs to the runs is over. */
const QUIET_MILLIS = 2000

/** Runs all of these to their end, ECS's STOPPED and the last look at their lines included. */
export const phaseOf = (all: ReadonlyArray<Wanted>, watchers: number) =>
  Effect.gen(function* () {
    const before = (yield* calls).calls
    const from = yield* Clock.currentTimeMillis
    yield* runAll(all)
    yield* untilQuiet
    const to = (yield* Clock.currentTimeMillis) - QUIET_MILLIS
    const after = (yield* calls).calls
    const made = Object.fromEntries(
      Object.entries(after).map(([action, count]) => [action, count - (before[action] ?? 0)])
    )
    const most = describeMax(yield* taskMillisWithin(from, to), to - from, watchers)
    return { runs: all.length, calls: made, describeShare: (made["DescribeTasks"] ?? 0) / most } satisfies Phase
  })

/** Each sweep of each watcher may ask about all running tasks, a hundred a call, and once more for each cluster (one). */
export const describeMax = (taskMillis: number, spanMillis: number, watchers: number): number => {
  const sweeps = (SWEEPS_PER_SECOND * spanMillis) / 1000
  return sweeps * (taskMillis / spanMillis / 100 + watchers)
}

/** How long all tasks of this time were there, together. */
const taskMillisWithin = (from: number, to: number) =>
  Effect.map(launchedTasks, (tasks) =>
    tasks.reduce(
      (sum, { createdAt, endedAt = to }) => sum + Math.max(0, Math.min(endedAt, to) - Math.max(createdAt, from)),
      0
    )
  )

const total = Effect.map(calls, (counts) => Object.values(counts.calls).reduce((sum, count) => sum + count, 0))

const untilQuiet = Effect.gen(function* () {
  let [last, since] = [yield* total, yield* Clock.currentTimeMillis]
  const look = Effect.gen(function* () {
    const [count, now] = [yield* total, yield* Clock.currentTimeMillis]
    if (count !== last) [last, since] = [count, now]
    return now - since >= QUIET_MILLIS
  })
  yield* Effect.repeat(look, { until: (isQuiet) => isQuiet, schedule: Schedule.spaced("100 millis") })
})
