import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { Context, Effect, Layer } from "effect"
import { Runtime } from "#aws/model/Runtime.ts"
import { DockerRuntime, type EngineMissing } from "./docker.ts"
import { ProcessRuntime } from "./process.ts"

export interface RuntimeSettings {
  readonly runtime: "process" | "docker" | "simulated"
  readonly port: number
  readonly dockerHost: string
  readonly dockerNetwork: string
  readonly dockerOwner: string | undefined
}

/** What an earlier local-aws left running; to be removed by whoever listens on its port now, and not before. */
export class Leftovers extends Context.Service<Leftovers, { readonly remove: Effect.Effect<void> }>()(
  "local-aws/Leftovers"
) {}

/**
 * What runs containers. With `process` and `docker`, a command whose first word is `simulate` is still simulated, so that
 * a benchmark and real programs go side by side.
 */
export const runtimeLayer = (settings: RuntimeSettings): Layer.Layer<Runtime | Leftovers, EngineMissing> => {
  const none = Layer.succeed(Leftovers, { remove: Effect.void })
  if (settings.runtime === "simulated") return Layer.merge(Runtime.layerSimulated, none)
  return settings.runtime === "docker"
    ? Layer.merge(besideSimulated(DockerRuntime), leftovers).pipe(Layer.provide(dockerLayer(settings)))
    : Layer.merge(besideSimulated(ProcessRuntime), none).pipe(Layer.provide(ProcessRuntime.layer))
}

const besideSimulated = <Id>(real: Context.Service<Id, Pick<Runtime["Service"], "start">>) =>
  Layer.effect(
    Runtime,
    Effect.gen(function* () {
      const programs = yield* real
      const simulated = yield* Runtime
      return Runtime.of({
        start: (spec, output) => (spec.command[0] === "simulate" ? simulated : programs).start(spec, output)
      })
    })
  ).pipe(Layer.provide(Runtime.layerSimulated))

const leftovers = Layer.effect(
  Leftovers,
  Effect.map(DockerRuntime, ({ removeLeftovers }) => Leftovers.of({ remove: removeLeftovers }))
)

const dockerLayer = (settings: RuntimeSettings) =>
  DockerRuntime.layer({
    dockerHost: settings.dockerHost,
    network: settings.dockerNetwork,
    owner: settings.dockerOwner ?? ownerOf(hostname(), settings.port, randomUUID()),
    instance: randomUUID()
  })

/** A port belongs to one process at a time, so that it tells whose the leftovers are; any free port tells nothing. */
export const ownerOf = (host: string, port: number, instead: string): string => `${host}:${port === 0 ? instead : port}`
