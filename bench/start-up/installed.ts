import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { Effect } from "effect"
import { bytesBelow } from "#bench/resources.ts"

const root = join(import.meta.dirname, "..", "..")
const run = promisify(execFile)

/** Bundles every program as the image has them, into this folder. */
export const bundleInto = (folder: string): Effect.Effect<void> =>
  Effect.asVoid(Effect.promise(() => run(process.execPath, [join("deploy", "bundle.js"), folder], { cwd: root })))

/** What `npm ci --omit=dev` installs: the packages that `npm ls` names, without those inside of others; bytes. */
export const packagesBytes: Effect.Effect<number> = Effect.promise(async () => {
  const list = ["ls", "--omit=dev", "--omit=optional", "--all", "--parseable"]
  const { stdout } = await run("npm", list, { cwd: root })
  const folders = stdout
    .trim()
    .split("\n")
    .filter((folder) => folder.includes("node_modules"))
  const outer = folders.filter((folder) => !folders.some((other) => folder.startsWith(`${other}/`)))
  return outer.reduce((sum, folder) => sum + bytesBelow(folder), 0)
})

/** The project's own files that run. */
export const sourcesBytes = (): number =>
  ["cli", "libs", "services"].reduce((sum, folder) => sum + bytesBelow(join(root, folder)), 0)
