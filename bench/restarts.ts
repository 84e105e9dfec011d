import { Console, Effect, Fiber, Schedule } from "effect"
import { Filters, parseSubject, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { launchedTasks } from "#test/support/LocalAws.ts"
import { allFinished, request, take } from "#test/support/runs.ts"
import { countFlag, layerSurroundings, runBench, seconds, startFleet } from "./fleet.ts"

/**
 * `npm run restarts -- --seconds 60`: the same load twice, on two replicas of each service. The second time each of them
 * is replaced once, by SIGTERM. The slowest run may then wait two seconds longer for its task, no more.
 */

const SECONDS = countFlag("seconds", 60)
const RUNS_PER_SECOND = 10
const RUNS = SECONDS * RUNS_PER_SECOND
const REPLICAS = 2
const SLOWER_MILLIS_MAX = 2000

/** The load is at its height when the first is replaced, and lasts until the last one works. */
const FIRST_RESTART_MILLIS = 2000
const BETWEEN_RESTARTS_MILLIS = (SECONDS * 1000 * 0.6) / (4 * REPLICAS)

const job = { image: "local/shell", command: ["simulate", "--seconds", "2"] }

const settings = { FLEET_AWS_RUN_TASK_PER_SECOND: "1000", FLEET_AWS_RUN_TASK_BURST: "1000" }

interface Measured {
  /** From the request's acknowledgement to the fact that its task exists, in milliseconds, sorted. */
  readonly waits: ReadonlyArray<number>
  readonly failed: number
  readonly tasks: number
  readonly exitCodes: ReadonlyArray<number | NodeJS.Signals>
}

const load = Effect.repeat(request(job), { schedule: Schedule.fixed(1000 / RUNS_PER_SECOND), times: RUNS - 1 })

/** From the request to RunTask's answer, by the server's own times. */
const waitsOf = Effect.gen(function* () {
  const requests = yield* take(Streams.inbox, Subjects.runRequested(), RUNS + 1)
  const launches = yield* take(Streams.fleet, Filters.taskStarted, RUNS + 1)
  const requestedAt = new Map(requests.map(({ seq, time }) => [`run-${seq}`, time]))
  const waits = launches.flatMap(({ subject, time }) => {
    const from = requestedAt.get(parseSubject(subject)?.runId ?? "")
    return from === undefined ? [] : [time - from]
  })
  return waits.toSorted((a, b) => a - b)
})

const measure = (withRestarts: boolean): Effect.Effect<Measured, unknown> =>
  Effect.gen(function* () {
    const { running, replace } = yield* startFleet(REPLICAS, settings)
    yield* allFinished([yield* request({ ...job, runId: "warm-up" })])
    const producing = yield* Effect.forkScoped(load)
    const inTurn = Effect.forEach(running, (service, at) =>
      Effect.andThen(Effect.sleep(at === 0 ? FIRST_RESTART_MILLIS : BETWEEN_RESTARTS_MILLIS), replace(service))
    )
    const exitCodes = withRestarts ? yield* inTurn : []
    yield* Fiber.join(producing)
    const runIds = (yield* take(Streams.inbox, Subjects.runRequested(), RUNS + 1)).map(({ seq }) => `run-${seq}`)
    const ends = yield* allFinished(runIds)
    const failed = ends.filter(({ outcome }) => outcome !== "succeeded").length
    return { waits: yield* waitsOf, failed, tasks: (yield* launchedTasks).length, exitCodes }
  }).pipe(Effect.scoped, Effect.provide(layerSurroundings()))

const figures = ({ waits, failed, tasks }: Measured): string => {
  const at = (share: number) => seconds(waits[Math.ceil(share * waits.length) - 1] ?? 0)
  return `request to task: half within ${at(0.5)}, 99 % within ${at(0.99)}, all within ${at(1)}; ${failed} failed, ${tasks} tasks`
}

const bench = Effect.gen(function* () {
  yield* Console.log(`${RUNS_PER_SECOND} runs a second for ${SECONDS} s, ${REPLICAS} replicas of each service`)
  const calm = yield* measure(false)
  yield* Console.log(`without restarts: ${figures(calm)}`)
  const restarted = yield* measure(true)
  yield* Console.log(`with restarts: ${figures(restarted)}`)
  const slower = (restarted.waits.at(-1) ?? Number.NaN) - (calm.waits.at(-1) ?? Number.NaN)
  const allRan = [calm, restarted].every(({ failed, tasks }) => failed === 0 && tasks === RUNS + 1)
  const isGood = allRan && slower <= SLOWER_MILLIS_MAX && restarted.exitCodes.every((code) => code === 0)
  yield* Console.log(
    `restarts: ${isGood ? "ok" : "FAILED"}; the slowest waited ${seconds(slower)} longer, of at most ${seconds(SLOWER_MILLIS_MAX)}`
  )
  return isGood
})

if (import.meta.main) runBench(bench)
