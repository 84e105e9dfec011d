import { Effect } from "effect"
import type { Benchmark, Figure, Goal } from "#bench/Benchmark.ts"
import {
  type Compared,
  chain,
  inMemory,
  inOne,
  perService,
  skeleton,
  withCompared
} from "#bench/contenders/compared.ts"
import { figure } from "#bench/figures.ts"
import type { RunTimes } from "#bench/Producer.ts"

/**
 * How many runs a second go through, from the first request of many until nothing is left to do for any of them; tasks end
 * at once. `<aws>.<processes>.<replicas>`: `memory` has ECS in the process, `localAws` is the SDK and local-aws; `inOne`
 * is one process for all services, `perService` one for each. Two cores are shared by all of them, the nats-server and
 * the producer, so that replicas bring nothing here but what they cost.
 */

interface Measurement {
  readonly compared: Compared
  /** How many runs, for each second of the size. */
  readonly pace: number
}

const measurements: ReadonlyArray<Measurement> = [
  { compared: chain, pace: 2000 },
  { compared: skeleton, pace: 800 },
  { compared: inMemory("memory.inOne.1"), pace: 300 },
  { compared: inMemory("memory.inOne.2", 2), pace: 300 },
  { compared: inMemory("memory.inOne.4", 4), pace: 300 },
  { compared: inOne("localAws.inOne.1"), pace: 200 },
  { compared: perService("localAws.perService.1"), pace: 200 },
  { compared: perService("localAws.perService.2", 2), pace: 200 },
  { compared: perService("localAws.perService.4", 4), pace: 200 }
]

const goals: Readonly<Record<string, Goal>> = {
  "memory.inOne.1.ofSkeleton": { op: ">=", value: 0.3 },
  "localAws.perService.1": { op: ">=", value: 250 }
}

const rateOf = (runs: ReadonlyArray<RunTimes>): number => {
  const begun = Math.min(...runs.map(({ requestedAt }) => requestedAt))
  const ended = Math.max(...runs.map(({ endedAt, finishedAt }) => Math.max(endedAt, finishedAt)))
  return (runs.length * 1000) / (ended - begun)
}

const measured = ({ compared, pace }: Measurement, seconds: number, repetitions: number) =>
  withCompared(compared, (producer) =>
    Effect.map(Effect.replicateEffect(producer.burst(pace * seconds), repetitions), (each) =>
      figure("runs/s", each.map(rateOf))
    )
  )

const ratiosOf = (found: Readonly<Record<string, Figure>>): Readonly<Record<string, number>> => {
  const limit = found["skeleton"]?.median ?? Number.NaN
  const fleets = Object.entries(found).filter(([key]) => key.includes("."))
  return Object.fromEntries(fleets.map(([key, { median }]) => [`${key}.ofSkeleton`, median / limit]))
}

export const throughput: Benchmark = {
  name: "throughput",
  title: "runs per second, end to end",
  measure: ({ isFull, say }) =>
    Effect.gen(function* () {
      const each = yield* Effect.forEach(measurements, (measurement) =>
        Effect.andThen(
          say(`  ${measurement.compared.key}`),
          Effect.map(
            measured(measurement, isFull ? 10 : 1, isFull ? 5 : 3),
            (rate) => [measurement.compared.key, rate] as const
          )
        )
      )
      const found = Object.fromEntries(each)
      return { figures: found, ratios: ratiosOf(found), goals }
    })
}
