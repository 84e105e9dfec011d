import { Console, Effect } from "effect"
import { layerSurroundings, runBench } from "./fleet.ts"
import { loud } from "./logs-loud.ts"
import { publishing } from "./logs-publishing.ts"
import { live } from "./logs-thousand.ts"

/**
 * `npm run logs`: what the log-streamer takes. A thousand live runs under AWS's quotas, one run that writes as fast as it
 * can, and the publishing half by itself. Each has a goal; the exit code is 1 where one is missed.
 */
const bench = Effect.gen(function* () {
  const published = yield* publishing.pipe(Effect.scoped, Effect.provide(layerSurroundings()))
  const loudly = yield* loud.pipe(Effect.scoped, Effect.provide(layerSurroundings({ quotas: "aws" })))
  const alive = yield* live.pipe(Effect.scoped, Effect.provide(layerSurroundings({ quotas: "aws" })))
  const isGood = published && loudly && alive
  yield* Console.log(`logs: ${isGood ? "ok" : "FAILED"}`)
  return isGood
})

if (import.meta.main) runBench(bench)
