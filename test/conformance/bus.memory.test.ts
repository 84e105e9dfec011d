import { memoryBench } from "./bus.bench.ts"
import { busSuite } from "./bus.suite.ts"

busSuite("bus in memory", memoryBench)
