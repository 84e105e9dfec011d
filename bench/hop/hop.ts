import { Effect } from "effect"
import type { Benchmark, Figure, Goal } from "#bench/Benchmark.ts"
import { type Compared, chain, inMemory, perService, skeleton, withCompared } from "#bench/contenders/compared.ts"
import { figures, quantile } from "#bench/figures.ts"
import type { Producer, RunTimes } from "#bench/Producer.ts"

/**
 * What the fleet adds to a run, in an open loop: from the request until RunTask has arrived, and until `run.finished` is
 * heard. Tasks end at once, so that the second is what the fleet's own looks at ECS cost. `<who>.<runs per second>.<until
 * what>.<quantile>`: `memory` has ECS in its one process, `localAws` is a process for each service with the SDK and
 * local-aws, `skeleton` and `chain` are the limits of the same minutes.
 */

interface Rate {
  readonly perSecond: number
  readonly seconds: number
}

const rates: Readonly<Record<"full" | "quick", ReadonlyArray<Rate>>> = {
  full: [
    { perSecond: 20, seconds: 15 },
    { perSecond: 100, seconds: 8 },
    { perSecond: 500, seconds: 4 }
  ],
  quick: [
    { perSecond: 20, seconds: 2 },
    { perSecond: 100, seconds: 1 },
    { perSecond: 500, seconds: 0.2 }
  ]
}

const REPETITIONS = 3

const all: ReadonlyArray<Compared> = [chain, skeleton, inMemory("memory"), perService("localAws")]

/** At AWS's own quota of RunTask, 20 a second. */
const goals: Readonly<Record<string, Goal>> = {
  "localAws.20.launch.p50": { op: "<=", value: 15 },
  "localAws.20.launch.p99": { op: "<=", value: 60 }
}

const timesOf = (runs: ReadonlyArray<RunTimes>) => {
  const launch = runs.map(({ launchedAt, requestedAt }) => launchedAt - requestedAt)
  const finish = runs.map(({ finishedAt, requestedAt }) => finishedAt - requestedAt)
  return {
    "launch.p50": quantile(launch, 0.5),
    "launch.p99": quantile(launch, 0.99),
    "finish.p50": quantile(finish, 0.5),
    "finish.p99": quantile(finish, 0.99)
  }
}

const units = { "launch.p50": "ms", "launch.p99": "ms", "finish.p50": "ms", "finish.p99": "ms" } as const

const atRate = (producer: Producer, { perSecond, seconds }: Rate) =>
  Effect.map(
    Effect.replicateEffect(producer.openLoop(Math.ceil(perSecond * seconds), perSecond), REPETITIONS),
    (repetitions) => keyed(String(perSecond), figures(units, repetitions.map(timesOf)))
  )

const keyed = (key: string, all: Readonly<Record<string, Figure>>): Readonly<Record<string, Figure>> =>
  Object.fromEntries(Object.entries(all).map(([name, figure]) => [`${key}.${name}`, figure]))

const measured = (compared: Compared, size: ReadonlyArray<Rate>) =>
  withCompared(compared, (producer) =>
    Effect.map(
      Effect.forEach(size, (rate) => atRate(producer, rate)),
      (each) => keyed(compared.key, Object.assign({}, ...each))
    )
  )

/** How often longer than the skeleton a launch takes. */
const ratiosOf = (found: Readonly<Record<string, Figure>>, size: ReadonlyArray<Rate>) =>
  Object.fromEntries(
    ["memory", "localAws"].flatMap((who) =>
      size.map(({ perSecond }) => {
        const median = (key: string) => found[`${key}.${perSecond}.launch.p50`]?.median ?? Number.NaN
        return [`${who}.${perSecond}.overSkeleton`, median(who) / median("skeleton")]
      })
    )
  )

export const hop: Benchmark = {
  name: "hop",
  title: "from a request to RunTask, and to the run's end, in an open loop",
  measure: ({ isFull, say }) =>
    Effect.gen(function* () {
      const size = isFull ? rates.full : rates.quick
      const each = yield* Effect.forEach(all, (compared) =>
        Effect.andThen(say(`  ${compared.key}`), measured(compared, size))
      )
      const found: Readonly<Record<string, Figure>> = Object.assign({}, ...each)
      return { figures: found, ratios: ratiosOf(found, size), goals }
    })
}
