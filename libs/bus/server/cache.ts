import { randomUUID } from "node:crypto"
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { findPackageJSON } from "node:module"
import { dirname, join } from "node:path"
import { Duration, Effect, Schedule } from "effect"
import type { Environment } from "./attempt.ts"

/**
 * The project's cache of fetched binaries, shared by every process on the machine. A binary becomes visible by one
 * rename of a finished folder, so nobody ever sees half of one; the lock only saves several processes the same download.
 */
export const cacheFolder = (env: Environment): string =>
  join(env["FLEET_CACHE_DIR"] ?? join(projectRoot(), ".cache"), "nats-server")

/** The folder of the nearest package.json; the working directory where there is none. */
const projectRoot = (): string => {
  const manifest = findPackageJSON(import.meta.url)
  return manifest === undefined ? process.cwd() : dirname(manifest)
}

/** A failed file operation as the one line an attempt reports. */
export const attemptIo = <A>(what: string, operation: () => Promise<A>): Effect.Effect<A, string> =>
  Effect.tryPromise({
    try: operation,
    catch: (error) => `${what}: ${error instanceof Error ? error.message : String(error)}`
  })

/**
 * Lets `fill` put its files into a fresh folder and then shows that folder as `<cache>/<entry>`. When another process was
 * faster, its folder stays and ours goes. Whatever happens, the work folder is removed.
 */
export const publish = (cache: string, entry: string, fill: (work: string) => Effect.Effect<void, string>) =>
  Effect.acquireUseRelease(
    attemptIo("cache", async () => {
      await mkdir(cache, { recursive: true })
      return mkdtemp(join(cache, ".work-"))
    }),
    Effect.fnUntraced(function* (work) {
      const ready = join(work, "ready")
      yield* attemptIo("cache", () => mkdir(ready))
      yield* fill(ready)
      yield* attemptIo("cache", () => renameUnlessThere(ready, join(cache, entry)))
    }),
    (work) => Effect.promise(() => rm(work, { recursive: true, force: true }))
  )

const renameUnlessThere = async (from: string, to: string): Promise<void> => {
  try {
    await rename(from, to)
  } catch (error) {
    if (!hasCode(error, "ENOTEMPTY") && !hasCode(error, "EEXIST")) throw error
  }
}

/** Removes an entry that is there and does not work. Only under the entry's lock. */
export const discard = (cache: string, entry: string): Effect.Effect<void, string> =>
  attemptIo("cache", () => rm(join(cache, entry), { recursive: true, force: true }))

/** How long to wait for another process's fetch before fetching as well. */
export const lockWaitSeconds = 120

/** Runs `use` while holding `<cache>/.<name>.lock`; a lock whose process is gone is taken over. */
export const withLock = <A, E>(cache: string, name: string, use: Effect.Effect<A, E>): Effect.Effect<A, E | string> => {
  const file = join(cache, `.${name}.lock`)
  const token = `${process.pid} ${randomUUID()}`
  const held = Effect.uninterruptible(acquire(file, token)).pipe(
    Effect.repeat({ schedule: Schedule.spaced("100 millis"), until: (got) => got }),
    Effect.timeoutOption(Duration.seconds(lockWaitSeconds))
  )
  return attemptIo("cache", () => mkdir(cache, { recursive: true })).pipe(
    Effect.andThen(held),
    Effect.andThen(use),
    Effect.ensuring(Effect.promise(() => release(file, token)))
  )
}

const acquire = (file: string, token: string): Effect.Effect<boolean, string> =>
  attemptIo("lock", async () => {
    try {
      await writeFile(file, token, { flag: "wx" })
      return true
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error
      const holder = Number.parseInt(await readFile(file, "utf8").catch(() => ""), 10)
      if (!Number.isNaN(holder) && !isAlive(holder)) await rm(file, { force: true })
      return false
    }
  })

const release = async (file: string, token: string): Promise<void> => {
  if ((await readFile(file, "utf8").catch(() => "")) === token) await rm(file, { force: true })
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, "EPERM")
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code
