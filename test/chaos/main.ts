import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Exit, Result, Runtime } from "effect"
import { chaos } from "./chaos.ts"
import { readChaosOptions } from "./options.ts"

const options = readChaosOptions(process.argv.slice(2))
if (Result.isFailure(options)) {
  process.stderr.write(`${options.failure}\n`)
  process.exit(2)
}

NodeRuntime.runMain(chaos(options.success), {
  teardown: (exit, done) =>
    Exit.isSuccess(exit) ? done(Object.is(exit.value, true) ? 0 : 1) : Runtime.defaultTeardown(exit, done)
})
