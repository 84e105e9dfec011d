import type { Benchmark } from "./Benchmark.ts"
import { burst } from "./burst/burst.ts"
import { logs } from "./logs/logs.ts"
import { peers } from "./peers/peers.ts"

/** In the order in which they run. */
export const benchmarks: ReadonlyArray<Benchmark> = [logs, burst, peers]
