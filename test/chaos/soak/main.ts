import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Exit, Result, Runtime } from "effect"
import { readSoakOptions } from "#test/chaos/options.ts"
import { soak } from "./soak.ts"

const options = readSoakOptions(process.argv.slice(2))
if (Result.isFailure(options)) {
  process.stderr.write(`${options.failure}\n`)
  process.exit(2)
}

NodeRuntime.runMain(soak(options.success), {
  teardown: (exit, done) =>
    Exit.isSuccess(exit) ? done(Object.is(exit.value, true) ? 0 : 1) : Runtime.defaultTeardown(exit, done)
})
