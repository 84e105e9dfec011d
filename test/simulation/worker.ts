import { parentPort, workerData } from "node:worker_threads"
import { simulate } from "./simulate.ts"

/** Every `step`-th seed from `first` to `last`. */
export interface Share {
  readonly first: number
  readonly last: number
  readonly step: number
}

const isShare = (value: unknown): value is Share =>
  typeof value === "object" && value !== null && "first" in value && "last" in value && "step" in value

if (isShare(workerData)) {
  for (let seed = workerData.first; seed <= workerData.last; seed += workerData.step) {
    const { story: _long, ...result } = simulate(seed)
    parentPort?.postMessage(result)
  }
}
