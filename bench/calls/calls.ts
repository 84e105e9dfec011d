import { Effect } from "effect"
import type { Benchmark, Goal } from "#bench/Benchmark.ts"
import { figures } from "#bench/figures.ts"
import { wanted } from "#bench/load.ts"
import { layerFleet } from "./embedded.ts"
import { type Phase, phaseOf } from "./phase.ts"

/**
 * Calls to AWS by action, of runs that share one definition and of runs that each have their own; cold: nothing is
 * known of any; warm: the same jobs once more. Every program writes a line and runs for two seconds.
 *
 * Keys: `<equal|distinct>.<cold|warm>.<action>`, calls per run; `…all`, of all actions; ratios
 * `<equal|distinct>.<cold|warm>.describe`, DescribeTasks over what the sweeps of all watchers may ask: running / 100 and
 * once for the cluster, per sweep and replica.
 */
const measure: Benchmark["measure"] = ({ isFull, say }) =>
  Effect.gen(function* () {
    const runs = isFull ? 1000 : 100
    const repetitions = yield* Effect.forEach(Array.from({ length: isFull ? 3 : 1 }), () =>
      Effect.forEach(kinds, ({ jobOf, name }) =>
        Effect.andThen(say(`calls: ${runs} ${name} runs`), oneFleet(name, runs, jobOf))
      )
    )
    const all = repetitions.map((phases) => Object.assign({}, ...phases) as Readonly<Record<string, Phase>>)
    const perRun = all.map(perRunOf)
    const keys = [...new Set(perRun.flatMap((each) => Object.keys(each)))].toSorted()
    const complete = perRun.map((each) => Object.fromEntries(keys.map((key) => [key, each[key] ?? 0])))
    return {
      figures: figures(Object.fromEntries(keys.map((key) => [key, "calls/run"])), complete),
      ratios: describeRatios(all),
      goals
    }
  })

const WATCHERS = 2

const job = (image: string) => ({
  image,
  executionRoleArn: "arn:aws:iam::000000000000:role/bench",
  command: ["simulate", "--seconds", "2", "--lines", "1"]
})

const kinds = [
  { name: "equal", jobOf: () => job("local/shell") },
  { name: "distinct", jobOf: (at: number) => job(`local/shell:${at}`) }
] as const

/** Each kind has a fleet of its own, so that both begin cold. */
const oneFleet = (name: string, runs: number, jobOf: (at: number) => unknown) =>
  Effect.gen(function* () {
    const cold = yield* phaseOf(wanted("cold", runs, jobOf), WATCHERS)
    const warm = yield* phaseOf(wanted("warm", runs, jobOf), WATCHERS)
    return { [`${name}.cold`]: cold, [`${name}.warm`]: warm }
  }).pipe(Effect.provide(layerFleet(WATCHERS)), Effect.scoped)

const perRunOf = (phases: Readonly<Record<string, Phase>>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(phases).flatMap(([name, { calls, runs }]) => {
      const all = Object.values(calls).reduce((sum, count) => sum + count, 0)
      const made = Object.entries(calls).filter(([action, count]) => count > 0 || shown.has(action))
      const none = [...shown].filter((action) => calls[action] === undefined).map((action) => [action, 0] as const)
      return [...made, ...none, ["all", all] as const].map(([action, count]) => [`${name}.${action}`, count / runs])
    })
  )

/** Also where there are none: their absence is what a warm fleet is judged by. */
const shown: ReadonlySet<string> = new Set([
  "RegisterTaskDefinition",
  "DescribeVpcs",
  "DescribeSubnets",
  "DescribeSecurityGroups"
])

const describeRatios = (all: ReadonlyArray<Readonly<Record<string, Phase>>>): Readonly<Record<string, number>> => {
  const names = Object.keys(all[0] ?? {})
  return Object.fromEntries(
    names.map((name) => [`${name}.describe`, Math.max(...all.map((each) => each[name]?.describeShare ?? Number.NaN))])
  )
}

const none: Goal = { op: "=", value: 0 }

const goals: Readonly<Record<string, Goal>> = Object.fromEntries([
  ...kinds.flatMap(({ name }) => [
    ...[...shown].map((action) => [`${name}.warm.${action}`, none] as const),
    [`${name}.warm.RunTask`, { op: "=", value: 1 }] as const,
    [`${name}.warm.describe`, { op: "<=", value: 1 }] as const,
    [`${name}.cold.RunTask`, { op: "=", value: 1 }] as const,
    [`${name}.cold.describe`, { op: "<=", value: 1 }] as const
  ]),
  ["distinct.cold.RegisterTaskDefinition", { op: "=", value: 1 }] as const
])

export const callsPerRun: Benchmark = { name: "calls", title: "calls to AWS per run, by action", measure }
