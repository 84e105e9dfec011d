import { Effect, Layer } from "effect"
import { vi } from "vitest"
import { Aws } from "#aws/Aws.ts"
import { LocalAws, layerTest, sdkEnv } from "#test/support/LocalAws.ts"
import { awsSuite, type Programs } from "./aws.suite.ts"

/** The SDK finds local-aws as any process does: by its environment. */
const overHttp = (runtime: "process" | "simulated") =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { url } = yield* LocalAws
      for (const [name, value] of Object.entries(sdkEnv(url))) vi.stubEnv(name, value)
      return Aws.layer
    })
  ).pipe(Layer.provide(layerTest({ runtime })))

const shellPrograms: Programs = {
  exitsWith: (exitCode) => ["sh", "-c", `exit ${exitCode}`],
  prints: (lines) => ["sh", "-c", `for i in $(seq ${lines}); do echo line $i; done`],
  runsOn: ["sleep", "86400"]
}

awsSuite("SDK over local-aws, simulated", overHttp("simulated"))
awsSuite("SDK over local-aws, processes", overHttp("process"), shellPrograms)
