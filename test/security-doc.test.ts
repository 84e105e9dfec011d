import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { OfStream, Rights } from "#bus/Rights.ts"
import { fleetRights } from "#process/FleetRights.ts"

/** The table of docs/security.md says what the identities may do, and is made of what they may. */

const page = readFileSync(join(import.meta.dirname, "..", "docs", "security.md"), "utf8")

const listed = (names: ReadonlyArray<string>): string => names.map((name) => `\`${name}\``).join(", ")

const replayed = ({ stream, subject }: OfStream): string => (subject === ">" ? stream : `${stream} ${subject}`)

const row = ([name, rights]: readonly [string, Rights]): string => {
  const {
    publish = [],
    consume = [],
    read = [],
    replay = [],
    readBuckets = [],
    writeBuckets = [],
    writeKeys = []
  } = rights
  const reads = [...new Set([...read, ...replay.map(replayed), ...readBuckets])]
  return `| ${[name, listed(publish), listed(consume), listed(reads), listed([...writeBuckets, ...writeKeys.map(({ bucket, key }) => `${bucket} ${key}`)])].join(" | ")} |`.replaceAll(
    "|  |",
    "| |"
  )
}

const table = [
  "| user | publishes | takes messages from | reads | writes and reads buckets |",
  "|---|---|---|---|---|",
  ...Object.entries(fleetRights).map(row)
].join("\n")

describe("docs/security.md", () => {
  it("has the rights of every identity", () => {
    assert.include(page, table)
  })
})
