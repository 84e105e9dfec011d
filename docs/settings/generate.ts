import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { withTables } from "./tables.ts"

/** Writes the tables of `settings.md` beside this folder anew, into the folder given or in place. */
const beside = join(import.meta.dirname, "..")
const [, , folder = beside] = process.argv
const page = readFileSync(join(beside, "settings.md"), "utf8")
writeFileSync(join(folder, "settings.md"), Effect.runSync(withTables(page)))
