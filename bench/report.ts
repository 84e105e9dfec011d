import type { Figure } from "./Benchmark.ts"
import type { BenchResult, Setup } from "./results.ts"

/** Three digits that mean something; whole numbers are kept whole. */
export const amount = (value: number): string => {
  if (Number.isNaN(value)) return "-"
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US")
  return String(Number(value.toPrecision(3)))
}

export const setupLines = (setup: Setup): ReadonlyArray<string> => [
  `ecs-fleet ${setup.fleet} (${setup.commit}), Node ${setup.node}, nats-server ${setup.natsServer}`,
  `${setup.cores} cores of ${setup.processor}, ${setup.memoryGb} GB, ${setup.system}`
]

const spread = ({ max, min }: Figure): string => (min === max ? "" : `${amount(min)} to ${amount(max)}`)

const verdict = (result: BenchResult, key: string): string => {
  const goal = result.goals[key]
  return goal === undefined ? "" : `${goal.met ? "met" : "MISSED"}: ${goal.op} ${amount(goal.value)}`
}

export const resultHeader = ["figure", "median", "spread", "goal"] as const

/** Each figure, then each ratio, then the goals that nothing was measured for. */
export const resultRows = (result: BenchResult): ReadonlyArray<ReadonlyArray<string>> => [
  ...Object.entries(result.figures).map(([key, figure]) => [
    key,
    `${amount(figure.median)} ${figure.unit}`,
    spread(figure),
    verdict(result, key)
  ]),
  ...Object.entries(result.ratios).map(([key, ratio]) => [key, `× ${amount(ratio)}`, "", verdict(result, key)]),
  ...Object.keys(result.goals)
    .filter((key) => result.figures[key] === undefined && result.ratios[key] === undefined)
    .map((key) => [key, "not measured", "", verdict(result, key)])
]

export const missed = ({ goals }: BenchResult): ReadonlyArray<string> =>
  Object.entries(goals).flatMap(([key, { met }]) => (met ? [] : [key]))
