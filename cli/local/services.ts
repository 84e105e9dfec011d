import { ConfigProvider, Effect, Layer } from "effect"
import { Aws } from "#aws/Aws.ts"
import { readAll } from "#process/ConfigReport.ts"
import { dispatcherConfig } from "#services/dispatcher/config.ts"
import { layer as dispatcher } from "#services/dispatcher/handle.ts"
import { launcherConfig } from "#services/launcher/config.ts"
import { layer as launcher } from "#services/launcher/handle.ts"
import { logStreamerConfig } from "#services/log-streamer/config.ts"
import { layer as logStreamer } from "#services/log-streamer/handle.ts"
import { watcherConfig } from "#services/watcher/config.ts"
import { layer as watcher } from "#services/watcher/handle.ts"

type Variables = Readonly<Record<string, string | undefined>>

export const serviceNames = ["dispatcher", "launcher", "watcher", "log-streamer"] as const

/** The four services over the bus that is there, with settings from these variables. */
export const services = (variables: Variables) => {
  const source = ConfigProvider.fromEnv({ env: defined(variables) })
  const all = Effect.gen(function* () {
    return Layer.mergeAll(
      dispatcher(yield* readAll(dispatcherConfig, source)),
      launcher(yield* readAll(launcherConfig, source)),
      watcher(yield* readAll(watcherConfig, source)),
      logStreamer(yield* readAll(logStreamerConfig, source))
    )
  })
  return Layer.unwrap(all).pipe(Layer.provide(Aws.layer), Layer.provide(ConfigProvider.layer(source)))
}

const defined = (variables: Variables): Record<string, string> =>
  Object.fromEntries(Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
