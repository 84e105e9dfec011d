import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { debianMirror } from "#bus/server/debian.ts"
import { newestNatsServer, obtainNatsServer } from "#bus/server/NatsBinary.ts"
import { pinnedRelease } from "#bus/server/release.ts"

const tools = ["apt-get", "dpkg", "dpkg-deb", "tar", "gzip", "xz", "sh"]
const toolPath = (tool: string) => ["/usr/bin", "/bin"].map((folder) => join(folder, tool)).find(existsSync)
const noDebian = tools.some((tool) => toolPath(tool) === undefined)

/** A Debian archive in a folder: the package nats-server in two suites, 2.10.1 in `stable`, 2.88.0 in `sid`. Unsigned. */
const archive = (folder: string) => {
  const root = join(folder, "debian")
  const arch = execFileSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).trim()
  for (const [suite, version] of [
    ["stable", "2.10.1"],
    ["sid", "2.88.0"]
  ] as const) {
    const deb = aPackage(join(folder, suite), version)
    const bytes = readFileSync(deb)
    const pool = `pool/nats-server_${version}_all.deb`
    mkdirSync(join(root, "pool"), { recursive: true })
    writeFileSync(join(root, pool), bytes)
    const packages = `Package: nats-server
Version: ${version}
Architecture: all
Maintainer: nobody <nobody@localhost>
Filename: ${pool}
Size: ${bytes.length}
SHA256: ${sha256(bytes)}
Description: test
`
    const index = `main/binary-${arch}/Packages`
    mkdirSync(join(root, "dists", suite, `main/binary-${arch}`), { recursive: true })
    writeFileSync(join(root, "dists", suite, index), packages)
    const release = `Suite: ${suite}
Codename: ${suite}
Architectures: ${arch}
Components: main
Date: Sat, 01 Jan 2022 00:00:00 UTC
SHA256:
 ${sha256(packages)} ${packages.length} ${index}
`
    writeFileSync(join(root, "dists", suite, "Release"), release)
  }
  return root
}

const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex")

const aPackage = (folder: string, version: string): string => {
  mkdirSync(join(folder, "DEBIAN"), { recursive: true })
  mkdirSync(join(folder, "usr/sbin"), { recursive: true })
  const control = `Package: nats-server\nVersion: ${version}\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: test\n`
  writeFileSync(join(folder, "DEBIAN/control"), control)
  writeFileSync(join(folder, "usr/sbin/nats-server"), `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 })
  execFileSync("dpkg-deb", ["--build", "--root-owner-group", folder, `${folder}.deb`])
  return `${folder}.deb`
}

/** A machine whose apt knows only that archive and has no package lists, as fresh images are. */
const debianMachine = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "debian-test-"))
    const bin = join(folder, "bin")
    for (const place of [bin, join(folder, "lists/partial"), join(folder, "cache/archives/partial")]) {
      mkdirSync(place, { recursive: true })
    }
    for (const tool of tools) symlinkSync(toolPath(tool) ?? tool, join(bin, tool))
    writeFileSync(join(folder, "sources.list"), `deb [trusted=yes] file:${archive(folder)} stable main\n`)
    const settings = [
      `Dir::Etc::SourceList "${folder}/sources.list"; Dir::Etc::SourceParts "/dev/null";`,
      `Dir::State::Lists "${folder}/lists"; Dir::Cache "${folder}/cache";`,
      `Acquire::AllowInsecureRepositories "true"; APT::Get::AllowUnauthenticated "true";`
    ]
    writeFileSync(join(folder, "apt.conf"), settings.join("\n"))
    return {
      folder,
      folders: [],
      env: { PATH: bin, FLEET_CACHE_DIR: join(folder, "fleet"), APT_CONFIG: join(folder, "apt.conf") },
      release: { ...pinnedRelease, baseUrl: "http://127.0.0.1:1" }
    }
  }),
  ({ folder }) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

describe("Debian's package", () => {
  it.live.skipIf(noDebian)("is unpacked where apt has no package lists, then found in the cache (needs apt-get)", () =>
    Effect.gen(function* () {
      const machine = yield* debianMachine
      const found = yield* obtainNatsServer(machine)
      assert.strictEqual(found.version, "2.10.1")
      assert.strictEqual(found.source, "Debian's package")
      assert.strictEqual((yield* obtainNatsServer(machine)).source, "cache, Debian's package")
    })
  )

  it.live.skipIf(noDebian)(
    "is taken from the rolling suite of the machine's own mirror as the newest (needs apt-get)",
    () =>
      Effect.gen(function* () {
        const machine = yield* debianMachine
        const newest = yield* newestNatsServer(machine)
        assert.strictEqual(Option.getOrThrow(newest.binary).version, "2.88.0")
        assert.strictEqual(newest.reason, "Debian sid's package")
      })
  )

  it.live.skipIf(noDebian)("is reported missing where the mirror has none (needs apt-get)", () =>
    Effect.gen(function* () {
      const machine = yield* debianMachine
      rmSync(join(machine.folder, "debian"), { recursive: true })
      const failure = yield* Effect.flip(obtainNatsServer(machine))
      assert.match(failure.message, /Debian's package: apt-get /)
    })
  )
})

describe("debianMirror", () => {
  it.each([
    {
      printed: "'http://mirror.example/debian/dists/bookworm/InRelease' m 0",
      mirror: "http://mirror.example/debian"
    },
    { printed: "'http://a.example/debian-security/dists/x-security/InRelease' a 0", mirror: undefined },
    {
      printed: "'http://a.example/debian-security/dists/x/InRelease' a\n'https://b.example/debian/dists/y/InRelease' b",
      mirror: "https://b.example/debian"
    },
    { printed: "'http://archive.example/ubuntu/dists/noble/InRelease' u 0", mirror: undefined },
    { printed: "", mirror: undefined }
  ])("$mirror", ({ printed, mirror }) => {
    assert.strictEqual(debianMirror(printed), mirror)
  })
})
