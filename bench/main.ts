import { Result } from "effect"
import { benchmarks } from "./catalogue.ts"
import { runBench } from "./fleet.ts"
import { readOptions } from "./options.ts"
import { runEach, runOne } from "./run.ts"

const options = readOptions(
  process.argv.slice(2),
  benchmarks.map(({ name }) => name)
)
if (Result.isFailure(options)) {
  process.stderr.write(`${options.failure}\n`)
  process.exit(2)
}
const { names } = options.success
const only = names.length === 1 ? benchmarks.find(({ name }) => name === names[0]) : undefined
runBench(only === undefined ? runEach(options.success) : runOne(only, options.success))
