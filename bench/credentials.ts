import { Clock, Console, Effect, Fiber, Schedule } from "effect"
import { Filters, parseSubject, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { expire, keepPool, teamKey, writeSets } from "#test/support/credentialSets.ts"
import { clearFaults, faults, launchedTasks } from "#test/support/LocalAws.ts"
import { allFinished, finished, request, stored } from "#test/support/runs.ts"
import { countFlag, layerSurroundings, runBench, seconds, startFleet } from "./fleet.ts"

/**
 * `npm run credentials-outage -- --seconds 60`: two pools with credentials of their own under a steady load, two replicas
 * of each service. One pool's credentials expire for so long. Its runs, whose launch may take half as long, must all wait
 * and finish at their first attempt; the other pool's must start as fast as before.
 */

const SECONDS = countFlag("seconds", 60)
const RUNS_PER_SECOND = countFlag("per-second", 5)
/** Before and after the outage. */
const CALM_SECONDS = Math.ceil(SECONDS / 3)
const RUNS = (SECONDS + 2 * CALM_SECONDS) * RUNS_PER_SECOND
const REPLICAS = 2
const LAUNCH_TIMEOUT_SECONDS = Math.ceil(SECONDS / 2)
/** A machine under load is never quite even. */
const SLOWER_MILLIS_MAX = 1000
/** In each process: calls that were under way together, then probes. */
const REFUSED_MAX = 4 * REPLICAS * (50 + 2 * Math.log2(SECONDS) + SECONDS / 15)

const [expiring, other] = [teamKey("team-a"), teamKey("team-b")]
const pools = { expiring, other } as const
type PoolName = keyof typeof pools

const WARM_UPS = Object.keys(pools).map((pool) => `warm-up-${pool}`)
const runIdOf = (pool: PoolName, at: number): string => `${pool}-${at}`
/** Every five seconds another definition has to be registered. */
const imageOf = (at: number): string => `local/shell:${Math.floor(at / (5 * RUNS_PER_SECOND))}`
const command = ["simulate", "--seconds", "2", "--lines-per-second", "1"]

const load = (pool: PoolName) => {
  let at = 0
  const next = Effect.suspend(() => {
    const runId = runIdOf(pool, at++)
    return request({ pool, command, image: imageOf(at), launchTimeoutSeconds: LAUNCH_TIMEOUT_SECONDS }, runId)
  })
  return Effect.repeat(next, { schedule: Schedule.fixed(1000 / RUNS_PER_SECOND), times: RUNS - 1 })
}

const outage = Effect.gen(function* () {
  yield* Effect.sleep(CALM_SECONDS * 1000)
  const from = yield* Clock.currentTimeMillis
  yield* expire(expiring)
  yield* Effect.sleep(SECONDS * 1000)
  const refused = (yield* faults).reduce((sum, { fired }) => sum + fired, 0)
  yield* clearFaults
  return { from, to: yield* Clock.currentTimeMillis, refused }
})

interface Start {
  readonly requestedAt: number
  readonly startedAt: number
}

/** When each run of a pool was requested and had its task, by the server's own times. */
const startsOf = (pool: PoolName) =>
  Effect.gen(function* () {
    const requests = yield* stored(Streams.inbox, Subjects.runRequested("*"))
    const launches = yield* stored(Streams.fleet, Filters.taskStarted)
    const startedAt = new Map(launches.map(({ subject, time }) => [parseSubject(subject)?.runId ?? "", time]))
    return requests.flatMap(({ subject, time: requestedAt }): ReadonlyArray<Start> => {
      const runId = parseSubject(subject)?.runId ?? ""
      const at = startedAt.get(runId)
      return runId.startsWith(`${pool}-`) && at !== undefined ? [{ requestedAt, startedAt: at }] : []
    })
  })

const slowest = (starts: ReadonlyArray<Start>): number =>
  Math.max(0, ...starts.map(({ requestedAt, startedAt }) => startedAt - requestedAt))

const within = (starts: ReadonlyArray<Start>, from: number, to: number) =>
  starts.filter(({ requestedAt }) => requestedAt >= from && requestedAt < to)

/** How often each run of a pool was told to wait; those that never were are left out. */
const deferralsOf = (pool: PoolName) =>
  Effect.map(stored(Streams.fleet, Subjects.taskDeferred("*", 1)), (facts) => {
    const ofPool = facts.filter(({ subject }) => subject.includes(`.${pool}-`))
    return [...Map.groupBy(ofPool, ({ subject }) => subject).values()].map(({ length }) => length)
  })

const bench = Effect.gen(function* () {
  const sets = writeSets([expiring, other])
  yield* Effect.addFinalizer(() => Effect.sync(sets.remove))
  yield* startFleet(REPLICAS, {
    FLEET_AWS_CREDENTIALS_FILE: sets.path,
    FLEET_AWS_RUN_TASK_PER_SECOND: "1000",
    FLEET_AWS_RUN_TASK_BURST: "1000"
  })
  for (const [name, { set }] of Object.entries(pools)) yield* keepPool(name, { credentials: set })
  for (const runId of WARM_UPS) {
    yield* finished(yield* request({ pool: runId.slice("warm-up-".length), command, image: imageOf(0) }, runId))
  }
  yield* Console.log(
    `two pools, ${RUNS_PER_SECOND} runs a second of each for ${RUNS / RUNS_PER_SECOND} s; ` +
      `the credentials of one expire for ${SECONDS} s, its launches may take ${LAUNCH_TIMEOUT_SECONDS} s`
  )
  const loads = yield* Effect.forEach(["expiring", "other"] as const, (pool) => Effect.forkScoped(load(pool)))
  const { from, refused, to } = yield* outage
  yield* Effect.forEach(loads, Fiber.join)
  const ids = (["expiring", "other"] as const).flatMap((pool) =>
    Array.from({ length: RUNS }, (_, at) => runIdOf(pool, at))
  )
  const ends = (yield* allFinished([...ids, ...WARM_UPS])).filter(({ runId }) => !runId.startsWith("warm-up"))
  const [waited, others] = [yield* startsOf("expiring"), yield* startsOf("other")]
  const [told, toldOthers] = [yield* deferralsOf("expiring"), yield* deferralsOf("other")]
  const failed = ends.filter(({ attempts, outcome }) => outcome !== "succeeded" || attempts !== 1)
  for (const { error, outcome, runId } of failed) yield* Console.log(`${runId} ${outcome}: ${error?.message}`)
  const [before, during] = [slowest(within(others, 0, from)), slowest(within(others, from, to))]
  const early = waited.filter(({ startedAt }) => startedAt > from + SLOWER_MILLIS_MAX && startedAt < to)
  const last = Math.max(...within(waited, from, to).map(({ startedAt }) => startedAt - to))
  const tasks = (yield* launchedTasks).length - WARM_UPS.length
  yield* Console.log(
    `${within(waited, from, to).length} runs of the one pool were requested meanwhile; told to wait: ${told.length} runs, ` +
      `at most ${Math.max(0, ...told)} times; the other pool: ${toldOthers.length}`
  )
  const isGood =
    failed.length === 0 &&
    tasks === ids.length &&
    early.length === 0 &&
    toldOthers.length === 0 &&
    during - before <= SLOWER_MILLIS_MAX &&
    refused <= REFUSED_MAX
  yield* Console.log(
    `credentials-outage: ${isGood ? "ok" : "FAILED"}; ${ids.length} runs, ${failed.length} failed or tried twice, ${tasks} tasks; ` +
      `slowest start of the other pool ${seconds(during)} during the outage, ${seconds(before)} before; ` +
      `all of the one pool started within ${seconds(last)} after it; ${refused} calls refused`
  )
  return isGood
})

if (import.meta.main) runBench(bench.pipe(Effect.scoped, Effect.provide(layerSurroundings())))
