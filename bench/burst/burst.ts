import { Effect } from "effect"
import type { Benchmark, Measured, Options } from "#bench/Benchmark.ts"
import { figures } from "#bench/figures.ts"
import { layerSurroundings, startFleet } from "#bench/fleet.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { calls, launchedTasks } from "#test/support/LocalAws.ts"
import { allFinished, request, take } from "#test/support/runs.ts"

/** As the launcher's settings are by default. */
const pace = { perSecond: 19, burst: 10 }

/** Launching cannot be faster than the pace. */
const leastMillis = (runs: number): number => ((runs - pace.burst) * 1000) / pace.perSecond

const job = { image: "local/shell", command: ["simulate", "--seconds", "1"] }

const units = {
  launchMillis: "ms",
  leastMillis: "ms",
  failed: "runs",
  spare: "tasks",
  refused: "calls"
}

/** So many requests at once, each of which has to become one task. */
const once = Effect.fnUntraced(function* (runs: number, say: Options["say"]) {
  yield* startFleet(1, {
    FLEET_AWS_RUN_TASK_PER_SECOND: String(pace.perSecond),
    FLEET_AWS_RUN_TASK_BURST: String(pace.burst)
  })
  yield* Effect.forEach(Array.from({ length: runs }), () => request(job), { concurrency: 100, discard: true })
  const runIds = (yield* take(Streams.inbox, Subjects.runRequested(), runs)).map(({ seq }) => `run-${seq}`)
  const launches = (yield* take(Streams.fleet, Filters.taskStarted, runs)).map(({ time }) => time)
  const failed = (yield* allFinished(runIds)).filter(({ outcome }) => outcome !== "succeeded")
  for (const { error, outcome, runId } of failed) yield* say(`${runId} ${outcome}: ${error?.message}`)
  const launchMillis = Math.max(...launches) - Math.min(...launches)
  return {
    launchMillis,
    leastMillis: leastMillis(runs),
    failed: failed.length,
    spare: (yield* launchedTasks).length - runs,
    refused: (yield* calls).refused["RunTask"] ?? 0
  }
})

const measure = ({ isFull, say }: Options) =>
  Effect.gen(function* () {
    const runs = isFull ? 1000 : 100
    yield* say(`${runs} requests at once, RunTask ${pace.perSecond}/s with a burst of ${pace.burst}, quotas of AWS`)
    const one = once(runs, say).pipe(Effect.scoped, Effect.provide(layerSurroundings({ quotas: "aws" })))
    const measured = figures(units, yield* Effect.replicateEffect(one, 3))
    return {
      figures: measured,
      ratios: { overLeast: measured.launchMillis.median / measured.leastMillis.median },
      goals: {
        overLeast: { op: "<=", value: 1.1 },
        failed: { op: "=", value: 0 },
        spare: { op: "=", value: 0 }
      }
    } satisfies Measured
  })

/** A thousand runs at once under AWS's quotas: none may fail, and none may wait in vain. */
export const burst: Benchmark = {
  name: "burst",
  title: "burst: many requests at once under AWS's quotas, over the least time that the pace allows",
  measure
}
