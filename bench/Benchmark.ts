import { Data, type Effect, type Scope } from "effect"

/** What repeated measurements of one thing gave. */
export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
  /** As it stands behind the number: `ms`, `runs/s`, `MB`, `calls`. */
  readonly unit: string
}

export type Operator = "<=" | ">=" | "="

/** What a figure's median, or a ratio, of the same key has to reach. */
export interface Goal {
  readonly op: Operator
  readonly value: number
}

/** What a benchmark has found. Keys are short and dotted: `localAws.20.p50`. */
export interface Measured {
  readonly figures: Readonly<Record<string, Figure>>
  /** A figure over its limit, both of the same minutes: machines are noisy, and ratios are less so. */
  readonly ratios: Readonly<Record<string, number>>
  readonly goals: Readonly<Record<string, Goal>>
}

export interface Options {
  /** The size that the goals are meant for; otherwise a small one that ends soon. */
  readonly isFull: boolean
  /** Tells a person what is being measured. */
  readonly say: (line: string) => Effect.Effect<void>
}

/** What a benchmark fails with where it cannot be made; that is said, and is no failure. */
export class Skipped extends Data.TaggedError("Skipped")<{ readonly reason: string }> {}

export interface Benchmark {
  /** As in `npm run bench -- <name>`. */
  readonly name: string
  /** One line. */
  readonly title: string
  readonly measure: (options: Options) => Effect.Effect<Measured, unknown, Scope.Scope>
}
