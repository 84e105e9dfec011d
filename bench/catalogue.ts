import type { Benchmark } from "./Benchmark.ts"
import { hop } from "./hop/hop.ts"
import { throughput } from "./throughput/throughput.ts"

/** In the order in which they run. */
export const benchmarks: ReadonlyArray<Benchmark> = [hop, throughput]
