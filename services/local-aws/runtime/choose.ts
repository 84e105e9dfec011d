import { Effect, Layer } from "effect"
import { Runtime } from "#aws/model/Runtime.ts"
import { ProcessRuntime } from "./process.ts"

/**
 * What runs containers. With `process`, a command whose first word is `simulate` is still simulated, so that a
 * benchmark and real programs go side by side.
 */
export const runtimeLayer = (kind: "process" | "simulated"): Layer.Layer<Runtime> =>
  kind === "simulated"
    ? Runtime.layerSimulated
    : Layer.effect(Runtime, both).pipe(Layer.provide([ProcessRuntime.layer, Runtime.layerSimulated]))

const both = Effect.gen(function* () {
  const processes = yield* ProcessRuntime
  const simulated = yield* Runtime
  return Runtime.of({
    start: (spec, output) => (spec.command[0] === "simulate" ? simulated : processes).start(spec, output)
  })
})
