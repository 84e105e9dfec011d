import { ConfigProvider, Effect, Layer } from "effect"
import { vi } from "vitest"
import { Aws } from "#aws/Aws.ts"
import { FaultControl } from "#test/conformance/aws.logFaults.ts"
import { group } from "#test/conformance/aws.steps.ts"
import { awsSuite, type Programs } from "#test/conformance/aws.suite.ts"
import { putLines } from "#test/moto/logs.ts"
import { layerMoto } from "#test/moto/Moto.ts"
import { LocalAws, sdkEnv } from "#test/support/LocalAws.ts"

/** moto runs nothing: every task ends with 0 after a few looks. */
const noPrograms: Programs = {
  exitsWith: () => [],
  prints: () => [],
  runsOn: [],
  write: (logStream, lines) =>
    putLines(
      process.env["AWS_ENDPOINT_URL"] ?? "",
      group,
      logStream,
      Array.from({ length: lines }, (_, at) => `line ${at + 1}`)
    )
}

const overHttp = Layer.unwrap(
  Effect.map(LocalAws, ({ url }) => {
    const env = sdkEnv(url)
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    return Aws.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
  })
)

awsSuite("SDK over moto", Layer.merge(overHttp, FaultControl.layer).pipe(Layer.provide(layerMoto())), noPrograms)
