import type { Benchmark } from "./Benchmark.ts"
import { burst } from "./burst/burst.ts"
import { callsPerRun } from "./calls/calls.ts"
import { growth } from "./growth/growth.ts"
import { hop } from "./hop/hop.ts"
import { inFlight } from "./in-flight/in-flight.ts"
import { logs } from "./logs/logs.ts"
import { peers } from "./peers/peers.ts"
import { startUp } from "./start-up/start-up.ts"
import { throughput } from "./throughput/throughput.ts"

/** In the order in which they run. */
export const benchmarks: ReadonlyArray<Benchmark> = [
  hop,
  throughput,
  inFlight,
  callsPerRun,
  logs,
  burst,
  startUp,
  growth,
  peers
]
