import { Effect } from "effect"
import type { ConnectionOptions } from "#bus/Connection.ts"
import { fleetHome, readUpFile } from "./local/home.ts"

export const DEFAULT_NATS_PORT = 4222

export interface ConnectionSettings {
  readonly options: ConnectionOptions
  /** NATS_URL names the server. */
  readonly isGiven: boolean
}

/** Which NATS server to use: `NATS_URL`, else the one of the `fleet up` that runs in this folder, else the usual port. */
export const connectionSettings: Effect.Effect<ConnectionSettings> = Effect.sync(() => {
  const given = process.env["NATS_URL"]
  const isGiven = given !== undefined && given !== ""
  const local = readUpFile(fleetHome(process.env, process.cwd()))?.natsUrl
  const servers = isGiven ? given.split(",") : [local ?? `nats://127.0.0.1:${DEFAULT_NATS_PORT}`]
  return { options: { servers, name: "fleet" }, isGiven }
})
