import { createHash } from "node:crypto"
import { rename, rm, writeFile } from "node:fs/promises"
import { request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { join } from "node:path"
import { Effect } from "effect"
import { type AttemptFailed, type NatsBinary, probe, run } from "./attempt.ts"
import { attemptIo, publish } from "./cache.ts"
import { archiveName, type Release } from "./release.ts"

/** Connecting must succeed within this: a machine without a way out should not wait. */
const connectSeconds = 3
/** Longest silence within a download, longest download, largest archive (2.14.5 has 7 MB). */
const idleSeconds = 15
const downloadSeconds = 180
const archiveBytesMax = 100 * 1024 * 1024
/** GitHub answers with one redirect to its storage. */
const redirectsMax = 5

/**
 * Downloads the release archive for `platform`, compares its SHA-256 with the pinned one, unpacks it with the system's
 * `tar` and shows it in the cache as `<version>/nats-server`.
 */
export const fetchRelease = Effect.fnUntraced(function* (release: Release, platform: string, cache: string) {
  const expected = release.sha256[platform]
  if (expected === undefined) return yield* Effect.fail(`no sum is pinned for ${platform}`)
  const name = archiveName(release.version, platform)
  const archive = yield* download(`${release.baseUrl}/v${release.version}/${name}.tar.gz`)
  const actual = createHash("sha256").update(archive).digest("hex")
  if (actual !== expected)
    return yield* Effect.fail(`the archive's SHA-256 is ${actual}, expected ${expected}; not used`)
  yield* publish(cache, release.version, (work) => unpack(archive, name, work))
})

const unpack = Effect.fnUntraced(function* (archive: Uint8Array, name: string, work: string) {
  const file = join(work, "archive.tar.gz")
  yield* attemptIo("unpack", () => writeFile(file, archive))
  yield* run("tar", ["-xzf", file, "-C", work], { seconds: 60 }).pipe(Effect.mapError((why) => `tar: ${why}`))
  yield* attemptIo("unpack", async () => {
    await rename(join(work, name, "nats-server"), join(work, "nats-server"))
    await rm(join(work, name), { recursive: true })
    await rm(file)
  })
})

/** GET with a short time for connecting; follows redirects; fails with one line. */
export const download = (url: string): Effect.Effect<Uint8Array, string> =>
  Effect.tryPromise({
    try: (signal) => get(url, AbortSignal.any([signal, AbortSignal.timeout(downloadSeconds * 1000)]), redirectsMax),
    catch: (error) => `${url}: ${error instanceof Error ? error.message : String(error)}`
  })

const get = (url: string, signal: AbortSignal, redirects: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const open = url.startsWith("https:") ? requestHttps : requestHttp
    const request = open(url, { signal, timeout: connectSeconds * 1000 }, (response) => {
      request.setTimeout(idleSeconds * 1000)
      const next = response.headers.location
      if (next !== undefined && redirects > 0) {
        response.resume()
        return resolve(get(new URL(next, url).href, signal, redirects - 1))
      }
      if (response.statusCode !== 200) {
        response.resume()
        return reject(new Error(`answered ${response.statusCode}`))
      }
      const chunks: Array<Buffer> = []
      let size = 0
      response.on("data", (chunk: Buffer) => {
        size += chunk.length
        if (size > archiveBytesMax) request.destroy(new Error(`larger than ${archiveBytesMax} bytes`))
        chunks.push(chunk)
      })
      response.on("end", () => resolve(Buffer.concat(chunks)))
      response.on("error", reject)
    })
    request.on("timeout", () => request.destroy(new Error("no connection, or silence, for too long")))
    request.on("error", reject)
    request.end()
  })

/** The binary of a finished cache entry. */
export const cached = (cache: string, entry: string, source: string): Effect.Effect<NatsBinary, AttemptFailed> =>
  probe(join(cache, entry, "nats-server"), source)
