#!/usr/bin/env node
import { Effect, Layer } from "effect"
import { Aws } from "#aws/Aws.ts"
import { connectionConfig } from "#bus/ConnectionConfig.ts"
import { readConfig } from "#process/ConfigReport.ts"
import { fleetBus } from "#process/FleetBus.ts"
import { runMain } from "#process/Main.ts"
import { logStreamerConfig } from "./config.ts"
import { layer } from "./handle.ts"

const service = Layer.unwrap(
  Effect.map(readConfig({ ...connectionConfig, ...logStreamerConfig }), (settings) =>
    layer(settings).pipe(Layer.provide(Layer.merge(fleetBus("log-streamer", settings), Aws.layer)))
  )
)

if (import.meta.main) runMain(service, { name: "log-streamer" })
