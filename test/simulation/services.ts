import { dispatcherConfig } from "#services/dispatcher/config.ts"
import * as Dispatcher from "#services/dispatcher/handle.ts"
import { launcherConfig } from "#services/launcher/config.ts"
import * as Launcher from "#services/launcher/handle.ts"
import { logStreamerConfig } from "#services/log-streamer/config.ts"
import * as LogStreamer from "#services/log-streamer/handle.ts"
import { watcherConfig } from "#services/watcher/config.ts"
import * as Watcher from "#services/watcher/handle.ts"
import { defaultsOf } from "#test/support/MemoryFleet.ts"
import type { Service } from "./Process.ts"

/** The services with their own defaults; they only look less often, so that an idle hour takes fewer steps. */
export const services: ReadonlyArray<readonly [name: string, Service]> = [
  ["dispatcher", Dispatcher.layer(defaultsOf(dispatcherConfig))],
  ["launcher", Launcher.layer(defaultsOf(launcherConfig))],
  ["watcher", Watcher.layer({ ...defaultsOf(watcherConfig), sweepMillis: 2000, youngPollSeconds: 2 })],
  ["log-streamer", LogStreamer.layer({ ...defaultsOf(logStreamerConfig), pollMillis: 5000 })]
]
