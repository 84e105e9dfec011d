import { Console, Effect } from "effect"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { calls, launchedTasks } from "#test/support/LocalAws.ts"
import { allFinished, request, take } from "#test/support/runs.ts"
import { countFlag, layerSurroundings, runBench, seconds, startFleet } from "./fleet.ts"

/** `npm run pace -- --runs 1000`: so many runs at once under AWS's quotas. No run may fail, and none may wait in vain. */

const RUNS = countFlag("runs", 1000)

/** As the launcher's settings are by default. */
const pace = { perSecond: 19, burst: 10 }

/** Launching may take a tenth longer than the pace makes it. */
const launchMillisMax = (runs: number): number => (1.1 * Math.max(0, runs - pace.burst) * 1000) / pace.perSecond

const job = { image: "local/shell", command: ["simulate", "--seconds", "1"] }

const bench = Effect.gen(function* () {
  yield* startFleet(1, {
    FLEET_AWS_RUN_TASK_PER_SECOND: String(pace.perSecond),
    FLEET_AWS_RUN_TASK_BURST: String(pace.burst)
  })
  yield* Console.log(`${RUNS} requests, RunTask ${pace.perSecond}/s with a burst of ${pace.burst}, quotas of AWS`)
  yield* Effect.forEach(Array.from({ length: RUNS }), () => request(job), { concurrency: 100, discard: true })
  const runIds = (yield* take(Streams.inbox, Subjects.runRequested(), RUNS)).map(({ seq }) => `run-${seq}`)
  const launches = (yield* take(Streams.fleet, Filters.taskStarted, RUNS)).map(({ time }) => time)
  const ends = yield* allFinished(runIds)
  const launchMillis = Math.max(...launches) - Math.min(...launches)
  const failed = ends.filter(({ outcome }) => outcome !== "succeeded")
  const tasks = yield* launchedTasks
  for (const { runId, outcome, error } of failed) yield* Console.log(`${runId} ${outcome}: ${error?.message}`)
  const counts = yield* calls
  yield* Console.log(`calls: ${JSON.stringify(counts.calls)}\nrefused: ${JSON.stringify(counts.refused)}`)
  const isGood = failed.length === 0 && tasks.length === RUNS && launchMillis <= launchMillisMax(RUNS)
  yield* Console.log(
    `pace: ${isGood ? "ok" : "FAILED"}; ${RUNS} runs, ${failed.length} failed, ${tasks.length} tasks, ` +
      `launched in ${seconds(launchMillis)} of at most ${seconds(launchMillisMax(RUNS))}`
  )
  return isGood
})

if (import.meta.main) runBench(bench.pipe(Effect.scoped, Effect.provide(layerSurroundings({ quotas: "aws" }))))
