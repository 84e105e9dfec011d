import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { Option, Schema } from "effect"

/** The folder where `fleet up` keeps what must survive it: `FLEET_HOME`, else `.fleet` in the working directory. */
export const fleetHome = (env: Readonly<Record<string, string | undefined>>, workingDirectory: string): string => {
  const given = env["FLEET_HOME"]
  return resolve(workingDirectory, given === undefined || given === "" ? ".fleet" : given)
}

/** What a running `fleet up` leaves for other commands in the same folder. */
export const UpFile = Schema.Struct({
  pid: Schema.Int,
  /** Who connects to this port on loopback is answered with `token`: that process is alive and it is this one. */
  port: Schema.Int,
  token: Schema.String,
  /** Where its NATS server listens; absent while it starts. */
  natsUrl: Schema.optionalKey(Schema.String)
})
export type UpFile = typeof UpFile.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(UpFile))

export const upFilePath = (home: string): string => join(home, "up.json")

/** The file of the `fleet up` that runs in this home, or of one that was killed. */
export const readUpFile = (home: string): UpFile | undefined => {
  try {
    return Option.getOrUndefined(decode(readFileSync(upFilePath(home), "utf8")))
  } catch {
    return undefined
  }
}
