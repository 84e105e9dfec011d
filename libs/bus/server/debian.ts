import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { type Environment, run } from "./attempt.ts"
import { attemptIo, publish } from "./cache.ts"

/**
 * nats-server from Debian's own package, unpacked and not installed, so that no root is needed: `apt-get download` in a
 * folder of our own, then `dpkg-deb -x`. The mirror, proxies and keys are those of the machine's own apt configuration;
 * signatures are checked by apt. Where package lists are missing (fresh images delete them) or another suite is wanted,
 * apt gets private lists in the same folder, which goes away with it.
 */
export const fetchDebianPackage = (options: {
  readonly cache: string
  /** The cache entry to show it as. */
  readonly entry: string
  /** e.g. `sid`; absent = what the machine's own apt configuration offers. */
  readonly suite?: string
  readonly env: Environment
}): Effect.Effect<void, string> =>
  publish(options.cache, options.entry, (ready) =>
    Effect.acquireUseRelease(
      attemptIo("temp folder", () => mkdtemp(join(tmpdir(), "nats-server-deb-"))),
      Effect.fnUntraced(function* (work) {
        const deb = yield* downloadPackage(work, options)
        yield* dpkg(["-x", deb, join(work, "unpacked")], options.env)
        yield* attemptIo("unpack", () =>
          copyFile(join(work, "unpacked/usr/sbin/nats-server"), join(ready, "nats-server"))
        )
      }),
      (work) => Effect.promise(() => rm(work, { recursive: true, force: true }))
    )
  )

/** `apt-get update` may have to fetch 10 MB of lists; the package has 4 MB. */
const updateSeconds = 120
const downloadSeconds = 60

const apt = (args: ReadonlyArray<string>, env: Environment, seconds: number, cwd?: string) =>
  run("apt-get", [...everyCall, ...args], {
    seconds,
    env: { ...env, LC_ALL: "C" },
    ...(cwd === undefined ? {} : { cwd })
  }).pipe(Effect.mapError((why) => `apt-get ${args.at(-1)}: ${why}`))

const dpkg = (args: ReadonlyArray<string>, env: Environment) =>
  run("dpkg-deb", args, { seconds: 60, env }).pipe(Effect.mapError((why) => `dpkg-deb: ${why}`))

/** Root's apt would otherwise hand downloads to a user who may not write to our folder. */
const everyCall = [
  "-o",
  "APT::Sandbox::User=root",
  "-o",
  "Acquire::Retries=1",
  "-o",
  "Acquire::http::Timeout=10",
  "-o",
  "Acquire::https::Timeout=10"
]

const downloadPackage = Effect.fnUntraced(function* (work: string, options: { suite?: string; env: Environment }) {
  const into = join(work, "download")
  yield* attemptIo("temp folder", () => mkdir(into))
  const download = (aptOptions: ReadonlyArray<string>) =>
    apt([...aptOptions, "download", "nats-server"], options.env, downloadSeconds, into)
  const downloadPrivately = Effect.gen(function* () {
    const own = [...(yield* privateLists(work)), ...(yield* suiteSource(work, options))]
    yield* apt([...own, "update"], options.env, updateSeconds)
    yield* download(own)
  })
  yield* options.suite === undefined ? download([]).pipe(Effect.catch(() => downloadPrivately)) : downloadPrivately
  const [deb] = yield* attemptIo("download", () => readdir(into))
  if (deb === undefined) return yield* Effect.fail("apt-get download left no file")
  return join(into, deb)
})

/** Options that give apt lists and caches of its own below `work`. */
const privateLists = Effect.fnUntraced(function* (work: string) {
  const [lists, cache] = [join(work, "lists"), join(work, "cache")]
  yield* attemptIo("temp folder", async () => {
    await mkdir(join(lists, "partial"), { recursive: true })
    await mkdir(join(cache, "archives/partial"), { recursive: true })
  })
  return ["-o", `Dir::State::Lists=${lists}`, "-o", `Dir::Cache=${cache}`, "-o", "Acquire::Languages=none"]
})

/** Options that make apt see the wanted suite of the machine's own mirror, and nothing else. */
const suiteSource = Effect.fnUntraced(function* (work: string, options: { suite?: string; env: Environment }) {
  if (options.suite === undefined) return []
  const mirror = debianMirror(yield* apt([...(yield* privateLists(work)), "update", "--print-uris"], options.env, 10))
  if (mirror === undefined) return yield* Effect.fail("apt is not configured for a Debian mirror")
  const file = join(work, "sources.list")
  yield* attemptIo("temp folder", () =>
    writeFile(file, `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${options.suite} main\n`)
  )
  return [
    "-o",
    `Dir::Etc::SourceList=${file}`,
    "-o",
    "Dir::Etc::SourceParts=/dev/null",
    "-o",
    "APT::Update::Error-Mode=any"
  ]
})

/** The Debian archive's address in what `apt-get update --print-uris` prints: `'<mirror>/dists/<suite>/InRelease' …`. */
export const debianMirror = (printed: string): string | undefined =>
  /^'([^']+\/debian)\/+dists\/[^/']+\/InRelease'/m.exec(printed)?.[1]
