import { ConfigProvider, Effect, Layer, References } from "effect"
import { Aws } from "#aws/Aws.ts"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { readConfig } from "#process/ConfigReport.ts"
import { dispatcherConfig } from "#services/dispatcher/config.ts"
import * as Dispatcher from "#services/dispatcher/handle.ts"
import { launcherConfig } from "#services/launcher/config.ts"
import * as Launcher from "#services/launcher/handle.ts"
import { logStreamerConfig } from "#services/log-streamer/config.ts"
import * as LogStreamer from "#services/log-streamer/handle.ts"
import { watcherConfig } from "#services/watcher/config.ts"
import * as Watcher from "#services/watcher/handle.ts"
import { withEnvironment } from "#test/support/environment.ts"
import { LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"

/** Settings that make waiting short; everything else as in production. */
export const quickSettings: Readonly<Record<string, string>> = {
  FLEET_ACK_WAIT_SECONDS: "3",
  FLEET_LEASE_SECONDS: "3",
  FLEET_WATCHER_SWEEP_MILLIS: "50",
  FLEET_WATCHER_YOUNG_POLL_SECONDS: "0.2",
  FLEET_LOGS_POLL_MILLIS: "100",
  FLEET_AWS_MISSING_STREAM_SECONDS: "0.2",
  FLEET_LOGS_DRAIN_QUIET_SECONDS: "0.5",
  FLEET_AWS_RUN_TASK_PER_SECOND: "1000",
  FLEET_AWS_RUN_TASK_BURST: "1000"
}

const region = { AWS_REGION: "us-east-1" }

const quietly = Layer.provide(Layer.succeed(References.MinimumLogLevel, "Warn"))

/** Each service by itself, with these settings beside the quick ones. */
export const embedded = (more: Readonly<Record<string, string>> = {}) => {
  const env = { ...quickSettings, ...region, ...more }
  return {
    dispatcher: quietly(Layer.unwrap(Effect.map(readConfig(dispatcherConfig, { env }), Dispatcher.layer))),
    launcher: quietly(Layer.unwrap(Effect.map(readConfig(launcherConfig, { env }), Launcher.layer))),
    watcher: quietly(Layer.unwrap(Effect.map(readConfig(watcherConfig, { env }), Watcher.layer))),
    "log-streamer": quietly(Layer.unwrap(Effect.map(readConfig(logStreamerConfig, { env }), LogStreamer.layer)))
  }
}

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))

/** The SDK finds local-aws by the environment of this process; the default `ConfigProvider` would see its first state. */
const aws = (env: Readonly<Record<string, string>>) =>
  Layer.unwrap(
    Effect.gen(function* () {
      yield* withEnvironment({ ...env, ...sdkEnv((yield* LocalAws).url) })
      const settings = Layer.succeed(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
      return Aws.layer.pipe(Layer.provide(settings))
    })
  )

/** What services need: a bus on this nats-server, and what stands for AWS. */
export const layerSurroundings = <A, E>(
  nats: typeof natsServer,
  amazon: Layer.Layer<LocalAws | A, E>,
  more: Readonly<Record<string, string>> = {}
) =>
  Layer.mergeAll(bus, aws({ ...quickSettings, ...region, ...more })).pipe(
    Layer.provideMerge(Layer.mergeAll(nats, amazon))
  )

/** The whole fleet in this process, on this nats-server and on what stands for AWS; `more` are settings. */
export const layerFleetWith = <A, E>(
  nats: typeof natsServer,
  amazon: Layer.Layer<LocalAws | A, E>,
  more: Readonly<Record<string, string>> = {}
) => {
  const { dispatcher, launcher, watcher, "log-streamer": logStreamer } = embedded(more)
  return Layer.mergeAll(dispatcher, launcher, watcher, logStreamer).pipe(
    Layer.provideMerge(layerSurroundings(nats, amazon, more))
  )
}

/** The same on this nats-server and a local-aws of its own. */
export const layerFleetOn = (nats: typeof natsServer) => layerFleetWith(nats, localAws())

/** The same on the nats-server that is found first. */
export const layerFleet = layerFleetOn(natsServer)
