#!/usr/bin/env node
import { Effect, Layer } from "effect"
import { Aws } from "#aws/Aws.ts"
import { readConfig } from "#process/ConfigReport.ts"
import { fleetBus } from "#process/FleetBus.ts"
import { runMain } from "#process/Main.ts"
import { logStreamerConfig } from "./config.ts"
import { layer } from "./handle.ts"

const service = Layer.unwrap(Effect.map(readConfig(logStreamerConfig), layer))

if (import.meta.main) {
  runMain(service.pipe(Layer.provide(Layer.merge(fleetBus("log-streamer"), Aws.layer))), { name: "log-streamer" })
}
