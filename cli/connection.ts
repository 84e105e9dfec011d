import { ConfigProvider, Effect } from "effect"
import type { ConnectionOptions } from "#bus/Connection.ts"
import { connectionConfig, connectionOptions, DEFAULT_NATS_URL } from "#bus/ConnectionConfig.ts"
import { type ConfigInvalid, readAll } from "#process/ConfigReport.ts"
import { fleetHome, readUpFile } from "./local/home.ts"

export const DEFAULT_NATS_PORT = Number(new URL(DEFAULT_NATS_URL).port)

export interface ConnectionSettings {
  readonly options: ConnectionOptions
  /** `NATS_URL` names the server. */
  readonly isGiven: boolean
}

/** Which NATS server to use: `NATS_URL`, else that of the `fleet up` that runs in this folder, else the usual port. */
export const connectionSettings: Effect.Effect<ConnectionSettings, ConfigInvalid> = Effect.gen(function* () {
  const options = connectionOptions(yield* readAll(connectionConfig, ConfigProvider.fromEnv()), "fleet")
  const given = process.env["NATS_URL"] ?? ""
  const running = readUpFile(fleetHome(process.env, process.cwd()))?.natsUrl
  if (given !== "" || running === undefined) return { options, isGiven: given !== "" }
  return { options: { ...options, servers: [running] }, isGiven: false }
})
