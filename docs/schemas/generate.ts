import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { publicSchemas } from "#ecs-core/PublicSchemas.ts"

/** Writes the JSON Schemas of the public messages beside this file, or into the folder given. */
const [, , given] = process.argv
const folder = given ?? import.meta.dirname

for (const [name, schema] of Object.entries(publicSchemas())) {
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(schema, null, 2)}\n`)
}
if (given === undefined)
  execFileSync("npx", ["biome", "format", "--write", "--log-level=warn", folder], { stdio: "inherit" })
