/**
 * The official release of nats-server that is fetched when the machine has none.
 *
 * Where the sums are from: the two for Linux stand in the official Docker image's recipe (nats-io/nats-docker, 2.14.x) and,
 * equal, in cashapp/hermit-packages, which copies each release's `SHA256SUMS`; the two for macOS in the latter alone. They
 * were not compared with the release page itself. An archive that does not match is refused before it is unpacked.
 */
export const pinnedRelease = {
  version: "2.14.5",
  sha256: {
    "linux-amd64": "5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355",
    "linux-arm64": "673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c",
    "darwin-amd64": "f95c98d6b6ed2b63c5681b46b092c9585c99767d547cf495730c329234625e96",
    "darwin-arm64": "ddd907854d9a2de834af133fa396915fe6442fe6d8909ae31390d1ea7a0fea50"
  } as Readonly<Record<string, string>>,
  baseUrl: "https://github.com/nats-io/nats-server/releases/download"
}

/** The oldest server that the project's JetStream use was verified on. */
export const minimumVersion = "2.9.10"

/** Which release to fetch, from where; tests point it at a server of their own. */
export type Release = typeof pinnedRelease

/** The platform part of a release archive's name, e.g. `linux-amd64`, from Node's `process.platform` and `process.arch`. */
export const platformName = (platform: string, arch: string): string => `${platform}-${arch === "x64" ? "amd64" : arch}`

/** `nats-server-v2.14.5-linux-amd64`: the archive's name without `.tar.gz`, and the folder inside it. */
export const archiveName = (version: string, platform: string): string => `nats-server-v${version}-${platform}`

/** The version in what `nats-server --version` prints, e.g. `nats-server: v2.9.10` → `2.9.10`. */
export const parseVersion = (printed: string): string | undefined =>
  /^nats-server: v?(\d+\.\d+\.\d+\S*)\s*$/m.exec(printed)?.[1]

/**
 * Negative, zero or positive as `a` is older than, as old as or newer than `b`. Of the same numbers a version with a
 * suffix (`2.15.0-RC.1`) is the older one.
 */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => version.split(/[-+]/, 1)[0]?.split(".").map(Number) ?? [])
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return Number(b.includes("-")) - Number(a.includes("-"))
}
