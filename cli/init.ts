import { ConfigProvider, Effect } from "effect"
import { Command } from "effect/cli"
import { DEFAULT_POOL } from "#ecs-core/Pool.ts"
import { readAll } from "#process/ConfigReport.ts"
import { type FleetSetup, setUpFleet, topologyConfig } from "#process/FleetSetup.ts"
import { connected } from "./connected.ts"
import { option } from "./flags.ts"
import { createDefaultPool } from "./local/pool.ts"
import { Output } from "./Output.ts"

const local = option("local", "Create the pool default for local-aws too, where it is missing")

export const init = Command.make("init", { local }, (flags) =>
  connected(flags.local ? Effect.andThen(initFleet, initLocalPool) : initFleet)
).pipe(
  Command.withDescription(
    "Create streams, buckets, consumers and the fleet's id where they are missing, and apply changed settings"
  )
)

export const initFleet = Effect.gen(function* () {
  const setup = yield* setUpFleet(yield* readAll(topologyConfig, ConfigProvider.fromEnv()))
  yield* (yield* Output).out(initText(setup))
})

const initLocalPool = Effect.gen(function* () {
  const what = yield* createDefaultPool
  yield* (yield* Output).out(`Pool ${DEFAULT_POOL} ${what}.\n`)
})

/** What was created, updated or found. */
export const initText = ({ created, updated, revision, fleetId }: FleetSetup): string =>
  [
    ...created.map((name) => `created  ${name}`),
    ...updated.map((name) => `updated  ${name}`),
    ...(created.length + updated.length === 0 ? ["Nothing to do: everything is there."] : []),
    `Fleet ${fleetId}, topology revision ${revision}.`
  ]
    .map((line) => `${line}\n`)
    .join("")
