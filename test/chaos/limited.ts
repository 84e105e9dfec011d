import { Clock, Effect, Schedule } from "effect"
import type { Fault } from "#aws/model/Fault.ts"
import { Buckets } from "#bus/Bucket.ts"
import { Publisher } from "#bus/Publisher.ts"
import { PoolCodec } from "#ecs-core/Pool.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { judgePools } from "#test/chaos/judgeLimited.ts"
import type { Kills } from "#test/chaos/kills.ts"
import { type Ledger, overCount } from "#test/chaos/Ledger.ts"
import { type Program, simulated } from "#test/chaos/programs.ts"
import { publishRequest, type Workload } from "#test/chaos/trial.ts"
import { clearFaults, familyPeaks, inject, launchedTasks } from "#test/support/LocalAws.ts"

/** The pool with a limit, and the one beside it that has none. */
export const NARROW = "narrow"
const WIDE = "wide"

/** The operator gives both pools before anybody asks for a run. */
export const createPools = (maxRunning: number) =>
  Effect.gen(function* () {
    const pools = yield* (yield* Buckets).open(BucketNames.pools)
    yield* pools.put(NARROW, PoolCodec.encode({ maxRunning }))
    yield* pools.put(WIDE, PoolCodec.encode({}))
  })

const OTHERS = 10
const otherProgram = simulated(0.2, 5, 0)

export const otherPrograms: ReadonlyMap<string, Program> = new Map(
  Array.from({ length: OTHERS }, (_, at) => [`other-${String(at + 1).padStart(2, "0")}`, otherProgram])
)

/** Services that were killed last get to work again within this time. */
const CALM_SECONDS = 8

/** When each request of the other pool was acknowledged, epoch milliseconds. */
export type OtherTimes = Map<string, number>

/**
 * While the limited pool is full and many wait, with nobody killed and AWS at its best for a moment, runs of the other
 * pool are requested one after the other: all that could hold them up is the queue.
 */
export const requestOthers = (
  ledger: Ledger,
  load: Workload,
  kills: Kills,
  weather: ReadonlyArray<Fault>,
  times: OtherTimes
) =>
  Effect.gen(function* () {
    const publisher = yield* Publisher
    const isUnderWay = Effect.sync(() => overCount(ledger) >= load.programs.size / 4)
    yield* Effect.repeat(isUnderWay, { schedule: Schedule.spaced("200 millis"), until: (so) => so })
    kills.isCalm = true
    yield* clearFaults
    yield* Effect.sleep(`${CALM_SECONDS} seconds`)
    for (const [runId, program] of otherPrograms) {
      times.set(runId, yield* Clock.currentTimeMillis)
      yield* publishRequest(publisher, runId, program, WIDE)
      yield* Effect.sleep("500 millis")
    }
    yield* Effect.forEach(weather, inject, { discard: true })
    kills.isCalm = false
  })

/** What local-aws saw of both pools, judged. */
export const judgeLimited = (maxRunning: number, load: Workload, times: OtherTimes) =>
  Effect.gen(function* () {
    const peaks = yield* familyPeaks
    const tasks = yield* launchedTasks
    return judgePools({
      maxRunning,
      peak: peaks.find(({ family }) => family === `fleet_${NARROW}`),
      requested: [...load.programs.keys()],
      tasks: tasks.map(({ createdAt, startedBy = "" }) => ({ createdAt, runId: startedBy.split("/")[1] ?? "" })),
      others: [...times].map(([runId, at]) => ({ runId, at }))
    })
  })
