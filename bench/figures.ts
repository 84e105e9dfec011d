import type { Figure, Goal, Measured } from "./Benchmark.ts"

/** The value below which a share `q` (0 to 1) of the values lies, by the nearest rank; NaN of none. */
export const quantile = (values: ReadonlyArray<number>, q: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
}

export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

/** One number for each repetition. */
export const figure = (unit: string, values: ReadonlyArray<number>): Figure => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
  unit
})

/** Several records, one for each repetition, as one figure for each of their keys. */
export const figures = <Key extends string>(
  units: Readonly<Record<Key, string>>,
  repetitions: ReadonlyArray<Readonly<Record<Key, number>>>
): Readonly<Record<Key, Figure>> => {
  const keys = Object.keys(units) as Array<Key>
  const of = (key: Key) =>
    figure(
      units[key],
      repetitions.map((each) => each[key])
    )
  return Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<Key, Figure>
}

const holds: Readonly<Record<Goal["op"], (actual: number, wanted: number) => boolean>> = {
  "<=": (actual, wanted) => actual <= wanted,
  ">=": (actual, wanted) => actual >= wanted,
  "=": (actual, wanted) => actual === wanted
}

export interface Judged extends Goal {
  readonly met: boolean
}

/** A goal whose figure or ratio is absent is missed. */
export const judge = ({ figures, goals, ratios }: Measured): Readonly<Record<string, Judged>> =>
  Object.fromEntries(
    Object.entries(goals).map(([key, goal]) => {
      const actual = figures[key]?.median ?? ratios[key] ?? Number.NaN
      return [key, { ...goal, met: holds[goal.op](actual, goal.value) }]
    })
  )
