import { ConfigProvider, Effect, Layer } from "effect"
import { Aws } from "#aws/Aws.ts"
import { AwsConfig } from "#aws/AwsConfig.ts"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs } from "#aws/Ecs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { gatedPorts } from "#aws/gate/gatedPorts.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Runtime } from "#aws/model/Runtime.ts"
import { Pace } from "#aws/Pace.ts"
import { Bus } from "#bus/Bus.ts"
import { readAll } from "#process/ConfigReport.ts"
import { runMain } from "#process/Main.ts"
import { dispatcherConfig } from "#services/dispatcher/config.ts"
import { layer as dispatcher } from "#services/dispatcher/handle.ts"
import { launcherConfig } from "#services/launcher/config.ts"
import { layer as launcher } from "#services/launcher/handle.ts"
import { logStreamerConfig } from "#services/log-streamer/config.ts"
import { layer as logStreamer } from "#services/log-streamer/handle.ts"
import { watcherConfig } from "#services/watcher/config.ts"
import { layer as watcher } from "#services/watcher/handle.ts"
import { tellReady } from "./ready.ts"

/**
 * A program to be measured: all four services in one process, `BENCH_REPLICAS` times, over the nats-server of `NATS_URL`.
 * With `BENCH_AWS=memory` they have AWS in the same process, and its answers at once; else the SDK finds it by the
 * environment. Everything else is a setting of the fleet.
 */

const source = ConfigProvider.fromEnv()

const services = Layer.unwrap(
  Effect.gen(function* () {
    return Layer.mergeAll(
      dispatcher(yield* readAll(dispatcherConfig, source)),
      launcher(yield* readAll(launcherConfig, source)),
      watcher(yield* readAll(watcherConfig, source)),
      logStreamer(yield* readAll(logStreamerConfig, source))
    )
  })
)

/** As `Aws.layerMemory`, with the pace of the settings. */
const memory = gatedPorts.pipe(
  Layer.provideMerge(Gate.layer()),
  Layer.provide(Layer.mergeAll(Ecs.layerMemory, Ec2Network.layerMemory, ContainerLogs.layerMemory)),
  Layer.provideMerge(Layer.merge(Pace.layerConfig, CredentialSets.layerMemory())),
  Layer.provide(AwsConfig.layer),
  Layer.provide(EcsModel.layer({ timeScale: "instant" }).pipe(Layer.provide(Runtime.layerSimulated)))
)

const aws = process.env["BENCH_AWS"] === "memory" ? memory : Aws.layer

/** Each replica has a connection of its own. */
const replica = (number: number) =>
  services.pipe(
    Layer.provide(Bus.layer({ servers: [process.env["NATS_URL"] ?? ""], name: `bench-${number}` })),
    Layer.fresh
  )

const replicas = Array.from({ length: Number(process.env["BENCH_REPLICAS"] ?? "1") }, (_, at) => replica(at + 1))

const all = replicas.reduce<Layer.Layer<never, unknown, Layer.Services<(typeof replicas)[number]>>>(
  (made, each) => Layer.merge(made, each),
  Layer.empty
)

runMain(
  Layer.effectDiscard(Effect.sync(tellReady)).pipe(
    Layer.provideMerge(all),
    Layer.provide(aws),
    Layer.provide(ConfigProvider.layer(source))
  ),
  { name: "fleet" }
)
