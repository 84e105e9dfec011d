import { homedir } from "node:os"
import { delimiter, join } from "node:path"
import { Effect, Option, Schema } from "effect"
import {
  Attempt,
  AttemptFailed,
  type Environment,
  firstOf,
  type NatsBinary,
  notSet,
  notThere,
  probe,
  type Source
} from "./attempt.ts"
import { cacheFolder, discard, withLock } from "./cache.ts"
import { fetchDebianPackage } from "./debian.ts"
import { cached, fetchRelease } from "./fetch.ts"
import { realTime } from "./realTime.ts"
import { minimumVersion, pinnedRelease, platformName, type Release } from "./release.ts"

export type { NatsBinary } from "./attempt.ts"

/**
 * No usable nats-server could be found or fetched. `attempts` has every place in the order tried, with what was seen
 * there; the message lists them and says what to do.
 */
export class NatsServerUnavailable extends Schema.TaggedError<NatsServerUnavailable>()("NatsServerUnavailable", {
  attempts: Schema.Array(Attempt)
}) {
  override get message() {
    return [
      `No nats-server (${minimumVersion} or newer) could be found or fetched. Tried:`,
      ...this.attempts.map(({ source, result }) => `  ${source}: ${result}`),
      "Install one, then try again:",
      "  macOS or Homebrew  brew install nats-server",
      "  Debian or Ubuntu   apt-get install nats-server",
      "  Go                 go install github.com/nats-io/nats-server/v2@latest",
      "  Docker             docker run -p 127.0.0.1:4222:4222 nats -js    (then point NATS_URL at it)",
      "or set NATS_SERVER_BIN to the path of a nats-server binary."
    ].join("\n")
  }
}

export interface ObtainOptions {
  /** Where `NATS_SERVER_BIN`, `NATS_SERVER_NEWEST`, `FLEET_CACHE_DIR` and `PATH` are read. Default: this process's. */
  readonly env?: Environment
  /** Folders searched after those of `PATH`. */
  readonly folders?: ReadonlyArray<string>
  /** The release to fetch. */
  readonly release?: Release
}

/** Where packages put the binary; a user's PATH often lacks the first. */
const usualFolders = ["/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin", join(homedir(), "go/bin")]

/**
 * A nats-server binary for this machine: `NATS_SERVER_BIN`; `PATH` and the usual folders; the project's cache; the pinned
 * official release, checked against its SHA-256; Debian's package, unpacked without root. The first that runs and is new
 * enough wins. What is fetched goes to `.cache/nats-server` below the project's root (or below `FLEET_CACHE_DIR`) and is
 * found there the next time. Any number of processes may ask at once.
 */
export const obtainNatsServer = (options: ObtainOptions = {}): Effect.Effect<NatsBinary, NatsServerUnavailable> =>
  realTime(obtain(options))

const obtain = Effect.fnUntraced(function* (options: ObtainOptions) {
  const from = places(options)
  const found = yield* firstOf([
    fromVariable(from, "NATS_SERVER_BIN"),
    ...fromFolders(from),
    cached(from.cache, from.release.version, "cache"),
    cached(from.cache, debianEntry, "cache, Debian's package"),
    fromRelease(from),
    fromDebian(from, debianEntry)
  ])
  if (found.binary === undefined) return yield* new NatsServerUnavailable({ attempts: found.attempts })
  yield* reportSkipped(found.attempts)
  return found.binary
})

/**
 * A nats-server as new as can be had, for tests that run on the oldest and the newest: `NATS_SERVER_NEWEST`; the cache;
 * the package of Debian's rolling suite; the pinned official release. `reason` says where it is from, or why there is none.
 */
export const newestNatsServer = (options: ObtainOptions = {}): Effect.Effect<Newest> => realTime(newest(options))

export interface Newest {
  readonly binary: Option.Option<NatsBinary>
  readonly reason: string
}

const newest = Effect.fnUntraced(function* (options: ObtainOptions) {
  const from = places(options)
  const { binary, attempts } = yield* firstOf([
    fromVariable(from, "NATS_SERVER_NEWEST"),
    cached(from.cache, rollingEntry, "cache, Debian sid's package"),
    fromDebian(from, rollingEntry, "sid"),
    cached(from.cache, from.release.version, "cache"),
    fromRelease(from)
  ])
  const missed = attempts.map(({ source, result }) => `${source}: ${result}`).join("; ")
  return { binary: Option.fromNullishOr(binary), reason: binary?.source ?? missed }
})

const debianEntry = "debian"
const rollingEntry = "debian-sid"

interface Places {
  readonly env: Environment
  readonly folders: ReadonlyArray<string>
  readonly release: Release
  readonly cache: string
}

const places = (options: ObtainOptions): Places => {
  const env = options.env ?? process.env
  return {
    env,
    folders: options.folders ?? usualFolders,
    release: options.release ?? pinnedRelease,
    cache: cacheFolder(env)
  }
}

const fromVariable = (from: Places, name: string): Source => {
  const path = from.env[name]
  return path === undefined || path === ""
    ? Effect.fail(new AttemptFailed({ source: name, message: notSet }))
    : probe(path, name)
}

const fromFolders = (from: Places): ReadonlyArray<Source> => {
  const onPath = (from.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "")
  return [...new Set([...onPath, ...from.folders])].map((folder) => probe(join(folder, "nats-server"), folder))
}

const fromRelease = (from: Places): Source => {
  const { release, cache } = from
  const platform = platformName(process.platform, process.arch)
  return fetched(
    `release ${release.version} (${platform})`,
    from,
    release.version,
    fetchRelease(release, platform, cache)
  )
}

const fromDebian = (from: Places, entry: string, suite?: string): Source => {
  const label = suite === undefined ? "Debian's package" : `Debian ${suite}'s package`
  const { cache, env } = from
  return fetched(
    label,
    from,
    entry,
    fetchDebianPackage({ cache, entry, env, ...(suite === undefined ? {} : { suite }) })
  )
}

/** Fetches unless another process has just done so; the outcome is whatever the cache then holds. */
const fetched = (source: string, from: Places, entry: string, fetch: Effect.Effect<void, string>): Source => {
  const inCache = cached(from.cache, entry, source)
  const refetch = discard(from.cache, entry).pipe(
    Effect.andThen(fetch),
    Effect.mapError((message) => new AttemptFailed({ source, message })),
    Effect.andThen(inCache)
  )
  return withLock(from.cache, entry, inCache.pipe(Effect.catch(() => refetch))).pipe(
    Effect.mapError((error) => (typeof error === "string" ? new AttemptFailed({ source, message: error }) : error))
  )
}

/** A binary that was there and could not be used is worth a line, even though another one serves. */
const reportSkipped = (attempts: ReadonlyArray<Attempt>) =>
  Effect.forEach(
    attempts.filter(({ result }) => result !== notSet && result !== notThere),
    ({ source, result }) => Effect.logWarning(`nats-server: skipped ${source}: ${result}`),
    { discard: true }
  )
