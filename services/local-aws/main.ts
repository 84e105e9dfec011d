#!/usr/bin/env node
import { Effect, Layer } from "effect"
import { runMain } from "#process/Main.ts"
import { readSettings } from "./config.ts"
import { LocalAws } from "./LocalAws.ts"

const announced = Effect.flatMap(LocalAws, ({ url }) => Effect.logInfo(`local-aws is ready: AWS_ENDPOINT_URL=${url}`))

const app = Layer.unwrap(
  Effect.map(readSettings(process.env, process.argv.slice(2)), (settings) =>
    Layer.effectDiscard(announced).pipe(Layer.provide(LocalAws.layer(settings)))
  )
)

// Programs are killed at once, and requests in flight have half a second; a Docker engine may need longer.
if (import.meta.main) runMain(app, { name: "local-aws" })
