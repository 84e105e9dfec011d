import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { newestNatsServer, obtainNatsServer } from "#bus/server/NatsBinary.ts"
import { archiveName, compareVersions, parseVersion, pinnedRelease, platformName } from "#bus/server/release.ts"

const platform = platformName(process.platform, process.arch)

/** An empty machine: nothing on PATH, an empty cache, no release to be had. Removed with the scope. */
const emptyMachine = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "nats-binary-test-"))
    return {
      folder,
      env: { PATH: "", FLEET_CACHE_DIR: join(folder, "cache") },
      folders: [],
      release: { ...pinnedRelease, baseUrl: "http://127.0.0.1:1" }
    }
  }),
  ({ folder }) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** A program that calls itself nats-server of that version. */
const aServer = (path: string, version: string) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho "nats-server: v${version}"\n`)
  chmodSync(path, 0o755)
  return path
}

/** A release server on loopback: one archive, behind one redirect as on GitHub; counts what it sends. */
const aReleaseServer = Effect.fnUntraced(function* (folder: string, version: string) {
  const name = archiveName(version, platform)
  aServer(join(folder, "release", name, "nats-server"), version)
  const file = join(folder, "archive.tar.gz")
  execFileSync("tar", ["-czf", file, "-C", join(folder, "release"), name])
  const archive = readFileSync(file)
  const sent = { archives: 0 }
  const server = createServer((request, response) => {
    if (request.url === `/v${version}/${name}.tar.gz`)
      return void response.writeHead(302, { location: "/storage" }).end()
    if (request.url !== "/storage") return void response.writeHead(404).end()
    sent.archives += 1
    response.end(archive)
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )
  const sum = createHash("sha256").update(archive).digest("hex")
  return { sent, release: { version, sha256: { [platform]: sum }, baseUrl: `http://127.0.0.1:${port}` } }
})

describe("obtainNatsServer", () => {
  it.live("takes NATS_SERVER_BIN before anything else", () =>
    Effect.gen(function* () {
      const machine = yield* emptyMachine
      const wanted = aServer(join(machine.folder, "mine"), "2.11.0")
      aServer(join(machine.folder, "bin/nats-server"), "2.12.0")
      const env = { ...machine.env, NATS_SERVER_BIN: wanted, PATH: join(machine.folder, "bin") }
      const found = yield* obtainNatsServer({ ...machine, env })
      assert.deepStrictEqual(found, { path: wanted, version: "2.11.0", source: "NATS_SERVER_BIN" })
    })
  )

  it.live("takes the oldest version that is allowed, and skips an older one for a later place", () =>
    Effect.gen(function* () {
      const machine = yield* emptyMachine
      const old = join(machine.folder, "old")
      const good = join(machine.folder, "good")
      aServer(join(old, "nats-server"), "2.9.9")
      const path = aServer(join(good, "nats-server"), "2.9.10")
      const found = yield* obtainNatsServer({ ...machine, env: { ...machine.env, PATH: old }, folders: [good] })
      assert.deepStrictEqual(found, { path, version: "2.9.10", source: good })
    })
  )

  it.live("says every place it tried and what to do when there is none", () =>
    Effect.gen(function* () {
      const machine = yield* emptyMachine
      const old = aServer(join(machine.folder, "old"), "2.8.4")
      const failure = yield* Effect.flip(
        obtainNatsServer({ ...machine, env: { ...machine.env, NATS_SERVER_BIN: old } })
      )
      assert.deepStrictEqual(
        failure.attempts.map(({ source }) => source),
        [
          "NATS_SERVER_BIN",
          "cache",
          "cache, Debian's package",
          `release ${pinnedRelease.version} (${platform})`,
          "Debian's package"
        ]
      )
      assert.include(failure.message, `NATS_SERVER_BIN: ${old} is 2.8.4, older than the required 2.9.10`)
      assert.include(failure.message, "ECONNREFUSED")
      assert.include(failure.message, "brew install nats-server")
      assert.include(failure.message, "go install github.com/nats-io/nats-server/v2@latest")
    })
  )

  it.live("refuses a file that runs but is no nats-server, and one that does not run", () =>
    Effect.gen(function* () {
      const machine = yield* emptyMachine
      writeFileSync(join(machine.folder, "text"), "not a program")
      const attempt = (path: string) =>
        Effect.map(
          Effect.flip(obtainNatsServer({ ...machine, env: { ...machine.env, NATS_SERVER_BIN: path } })),
          (failure) => failure.attempts[0]?.result
        )
      assert.include(yield* attempt("/bin/echo"), "printed no nats-server version")
      assert.include(yield* attempt(join(machine.folder, "text")), "not executable")
    })
  )

  it.live("downloads the release once for eight who ask at once, and never again", () =>
    Effect.gen(function* () {
      const machine = yield* emptyMachine
      const { release, sent } = yield* aReleaseServer(machine.folder, "2.77.0")
      const obtain = obtainNatsServer({ ...machine, release })
      const all = yield* Effect.all(
        Array.from({ length: 8 }, () => obtain),
        { concurrency: "unbounded" }
      )
      for (const found of all) assert.strictEqual(found.version, "2.77.0")
      assert.strictEqual((yield* obtain).source, "cache")
      assert.strictEqual(sent.archives, 1)
      assert.deepStrictEqual(readdirSync(join(machine.folder, "cache/nats-server")), ["2.77.0"])
    })
  )

  it.live("refuses an archive whose sum is not the pinned one, and leaves nothing in the cache", () =>
    Effect.gen(function* () {
      const machine = yield* emptyMachine
      const { release } = yield* aReleaseServer(machine.folder, "2.77.0")
      const tampered = { ...release, sha256: { [platform]: "0".repeat(64) } }
      const failure = yield* Effect.flip(obtainNatsServer({ ...machine, release: tampered }))
      assert.include(failure.message, `expected ${"0".repeat(64)}; not used`)
      assert.deepStrictEqual(readdirSync(join(machine.folder, "cache/nats-server")), [])
    })
  )

  it.live("replaces a cached file that does not run, and a lock whose process crashed", () =>
    Effect.gen(function* () {
      const machine = yield* emptyMachine
      const { release } = yield* aReleaseServer(machine.folder, "2.77.0")
      const cache = join(machine.folder, "cache/nats-server")
      mkdirSync(join(cache, "2.77.0"), { recursive: true })
      writeFileSync(join(cache, "2.77.0/nats-server"), "half a file")
      writeFileSync(join(cache, ".2.77.0.lock"), `${deadPid()} gone`)
      const found = yield* obtainNatsServer({ ...machine, release })
      assert.strictEqual(found.version, "2.77.0")
      assert.isFalse(existsSync(join(cache, ".2.77.0.lock")))
    })
  )
})

describe("newestNatsServer", () => {
  it.live("takes NATS_SERVER_NEWEST; else says why there is none", () =>
    Effect.gen(function* () {
      const machine = yield* emptyMachine
      const path = aServer(join(machine.folder, "new"), "2.99.0")
      const named = yield* newestNatsServer({ ...machine, env: { ...machine.env, NATS_SERVER_NEWEST: path } })
      assert.deepStrictEqual(Option.getOrThrow(named.binary), { path, version: "2.99.0", source: "NATS_SERVER_NEWEST" })
      const none = yield* newestNatsServer(machine)
      assert.isTrue(Option.isNone(none.binary))
      assert.include(none.reason, "Debian sid's package")
    })
  )
})

describe("versions", () => {
  it.each([
    { a: "2.9.10", b: "2.9.9", sign: 1 },
    { a: "2.10.0", b: "2.9.25", sign: 1 },
    { a: "2.9.10", b: "2.9.10", sign: 0 },
    { a: "2.9.10", b: "3.0.0", sign: -1 },
    { a: "2.15.0-RC.1", b: "2.15.0", sign: -1 },
    { a: "2.15.0-RC.1", b: "2.14.9", sign: 1 }
  ])("$a against $b: $sign", ({ a, b, sign }) => {
    assert.strictEqual(Math.sign(compareVersions(a, b)), sign)
  })

  it.each([
    { printed: "nats-server: v2.9.10\n", version: "2.9.10" },
    { printed: "nats-server: v2.15.0-RC.1\n", version: "2.15.0-RC.1" },
    { printed: "nats-server: 2.10.27\n", version: "2.10.27" },
    { printed: "nats: 0.2.3\n", version: undefined },
    { printed: "", version: undefined }
  ])("$printed", ({ printed, version }) => {
    assert.strictEqual(parseVersion(printed), version)
  })
})

/** The id of a process that has ended. */
const deadPid = (): number => Number(execFileSync("/bin/sh", ["-c", "echo $$"], { encoding: "utf8" }))
