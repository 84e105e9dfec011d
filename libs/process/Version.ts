import { readFileSync } from "node:fs"
import { findPackageJSON } from "node:module"
import { Option, Schema } from "effect"

const decodeManifest = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ version: Schema.NonEmptyString }))
)

const readVersion = (): string => {
  const manifest = findPackageJSON(import.meta.url)
  const decoded = manifest === undefined ? Option.none() : decodeManifest(readFileSync(manifest, "utf8"))
  return Option.match(decoded, { onNone: () => "unknown", onSome: ({ version }) => version })
}

/** The project's version, from the package.json nearest to this file; `unknown` where there is none. */
export const version: string = readVersion()
