import type { Benchmark } from "./Benchmark.ts"

/** In the order in which they run. */
export const benchmarks: ReadonlyArray<Benchmark> = []
