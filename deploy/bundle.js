/**
 * Bundles every program of the fleet for the image: `node deploy/bundle.js FOLDER` writes `FOLDER/lib/<program>.js`, with
 * what several of them need in chunks beside, and `FOLDER/bin/<program>` to call them by name. Four thousand small files
 * become fifty, which makes the image small and its programs quick to start. Nothing is minified, so that a stack names
 * lines that can be read. Plain JavaScript, for any Node.
 */
import { chmodSync, mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { build } from "esbuild"

const folder = process.argv[2]
if (folder === undefined) throw new Error("usage: node deploy/bundle.js FOLDER")

const services = ["dispatcher", "launcher", "watcher", "log-streamer", "local-aws"]
const programs = {
  fleet: "cli/main.ts",
  ...Object.fromEntries(services.map((name) => [name, `services/${name}/main.ts`]))
}

/** Packages in CommonJS ask for Node's own modules with `require`, which a module does not have. */
const requireOfModules =
  'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);'

await build({
  entryPoints: programs,
  outdir: join(folder, "lib"),
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  // Of packages that come twice, the ES modules: only of these can be left out what nobody uses.
  mainFields: ["module", "main"],
  legalComments: "linked",
  logLevel: "warning",
  banner: { js: requireOfModules }
})

mkdirSync(join(folder, "bin"), { recursive: true })
for (const name of Object.keys(programs)) {
  chmodSync(join(folder, "lib", `${name}.js`), 0o755)
  symlinkSync(`../lib/${name}.js`, join(folder, "bin", name))
}
