#!/usr/bin/env node
import { Effect, Layer } from "effect"
import { Aws } from "#aws/Aws.ts"
import { connectionConfig } from "#bus/ConnectionConfig.ts"
import { readConfig } from "#process/ConfigReport.ts"
import { fleetBus } from "#process/FleetBus.ts"
import { runMain } from "#process/Main.ts"
import { launcherConfig } from "./config.ts"
import { layer } from "./handle.ts"

const service = Layer.unwrap(
  Effect.map(readConfig({ ...connectionConfig, ...launcherConfig }), (settings) =>
    layer(settings).pipe(Layer.provide(Layer.merge(fleetBus("launcher", settings), Aws.layer)))
  )
)

if (import.meta.main) runMain(service, { name: "launcher" })
