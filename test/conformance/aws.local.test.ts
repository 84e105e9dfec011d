import { ConfigProvider, Effect, Layer } from "effect"
import { vi } from "vitest"
import { Aws } from "#aws/Aws.ts"
import { FaultControl } from "#test/conformance/aws.logFaults.ts"
import { awsSuite, type Programs } from "#test/conformance/aws.suite.ts"
import { LocalAws, layerTest, sdkEnv } from "#test/support/LocalAws.ts"

/** Real programs, where the other conformance tests have simulated ones. */
const realPrograms: Programs = {
  exitsWith: (exitCode) => ["sh", "-c", `exit ${exitCode}`],
  prints: (lines) => ["seq", "1", String(lines)],
  runsOn: ["sleep", "86400"]
}

const overHttp = Layer.unwrap(
  Effect.map(LocalAws, ({ url }) => {
    const env = sdkEnv(url)
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    return Aws.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
  })
)

awsSuite(
  "SDK over local-aws, real programs",
  Layer.merge(overHttp, FaultControl.layer).pipe(Layer.provide(layerTest())),
  realPrograms
)
