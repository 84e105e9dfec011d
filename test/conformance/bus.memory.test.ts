import { describe } from "@effect/vitest"
import { memoryBench } from "./bus.bench.ts"
import { busRestartSuite, busSuite } from "./bus.suite.ts"

describe("bus in memory", () => {
  busSuite(memoryBench)
  busRestartSuite(memoryBench)
})
