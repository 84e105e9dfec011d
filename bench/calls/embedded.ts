import { ConfigProvider, Effect, Layer, References } from "effect"
import { AwsConfig } from "#aws/AwsConfig.ts"
import { Clients } from "#aws/Clients.ts"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs } from "#aws/Ecs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { gatedPorts } from "#aws/gate/gatedPorts.ts"
import { Pace } from "#aws/Pace.ts"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { embedded } from "#test/support/EmbeddedFleet.ts"
import { withEnvironment } from "#test/support/environment.ts"
import { LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"

/**
 * All services in this process, over the AWS SDK, with settings as in production but for the pace: AWS allows one
 * registration of a definition a second, and there is no setting for that, since nobody can have it raised much.
 */

const unpaced = { perSecond: 100_000, burst: 100_000 }

const pace = Pace.layer({
  runTask: unpaced,
  runTaskAgain: unpaced,
  modifyTasks: unpaced,
  readTasks: unpaced,
  modifyTaskDefinition: unpaced,
  readTaskDefinition: unpaced,
  filterLogEvents: unpaced
})

const aws = Layer.unwrap(
  Effect.gen(function* () {
    yield* withEnvironment(sdkEnv((yield* LocalAws).url))
    const settings = Layer.succeed(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: {} }))
    return gatedPorts.pipe(
      Layer.provideMerge(Gate.layerConfig),
      Layer.provide(Layer.mergeAll(Ecs.layer, Ec2Network.layer, ContainerLogs.layer)),
      Layer.provide(Clients.layer),
      Layer.provideMerge(Layer.merge(pace, CredentialSets.layer)),
      Layer.provide(AwsConfig.layer),
      Layer.provide(settings)
    )
  })
)

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "bench" })))

/** As by default, where the settings of tests are quicker. */
const asInProduction = {
  FLEET_ACK_WAIT_SECONDS: "30",
  FLEET_LEASE_SECONDS: "60",
  FLEET_WATCHER_SWEEP_MILLIS: "250",
  FLEET_WATCHER_YOUNG_POLL_SECONDS: "1",
  FLEET_LOGS_POLL_MILLIS: "1000",
  FLEET_LOGS_DRAIN_QUIET_SECONDS: "8"
}

/** One dispatcher, launcher and log-streamer, and so many watchers. */
export const layerFleet = (watchers: number) => {
  const { dispatcher, launcher, watcher, "log-streamer": logStreamer } = embedded(asInProduction)
  const all = Array.from({ length: watchers }, () => Layer.fresh(watcher))
  return Layer.mergeAll(dispatcher, launcher, logStreamer, ...all).pipe(
    Layer.provideMerge(Layer.merge(bus, aws)),
    Layer.provideMerge(Layer.merge(natsServer, localAws({ runtime: "simulated" }))),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "Warn"))
  )
}
