#!/usr/bin/env node
/*
 * Run after every `npm install`: `node .ci/complete-lock.js`.
 *
 * Tools with native binaries name one optional package for each platform. npm leaves those out of the lockfile that the
 * registry at hand does not serve, and `npm ci` then refuses the lockfile. This adds the missing entries, guarded by
 * platform; they have no integrity, because nobody here has seen them.
 */
import { readFileSync, writeFileSync } from "node:fs"

const file = process.argv[2] ?? "package-lock.json"
const systems = ["android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "aix", "win32"]
const processors = ["arm64", "x64", "ia32", "arm", "ppc64", "riscv64", "s390x", "loong64", "mips64el"]

const lock = JSON.parse(readFileSync(file, "utf8"))
const has = (where, name) =>
  lock.packages[`node_modules/${name}`] !== undefined || lock.packages[`${where}/node_modules/${name}`] !== undefined

const libcOf = (words) => (words.includes("musl") ? ["musl"] : words.includes("gnu") ? ["glibc"] : undefined)

const entryOf = (name, version, owner) => {
  const words = name.split("/").at(-1).split("-")
  const os = systems.find((system) => words.includes(system))
  const cpu = processors.find((processor) => words.includes(processor))
  if (os === undefined || cpu === undefined || !/^\d/.test(version)) return undefined
  const libc = os === "linux" ? libcOf(words) : undefined
  return {
    version,
    cpu: [cpu],
    ...(owner.dev ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc }),
    license: owner.license,
    optional: true,
    os: [os]
  }
}

let added = 0
for (const [where, owner] of Object.entries(lock.packages)) {
  if (where === "") continue
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const entry = has(where, name) ? undefined : entryOf(name, version, owner)
    if (entry === undefined) continue
    lock.packages[`node_modules/${name}`] = entry
    added += 1
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} entries added to ${file}`)
