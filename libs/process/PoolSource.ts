import { readdir, readFile, stat } from "node:fs/promises"
import { basename, extname, join } from "node:path"
import { Effect, Result, Schema } from "effect"
import { parse as parseYaml, YAMLParseError } from "yaml"
import { parseS3Url, readS3Object, type S3Place } from "#aws/S3Object.ts"
import { digest } from "#ecs-core/Digest.ts"
import { Problem } from "#ecs-core/errors.ts"
import { type NamedPools, poolsNamed, poolsOfFile } from "#ecs-core/PoolFile.ts"

/** Bytes of all files of pools together. */
export const POOL_FILE_BYTES_MAX = 4 * 1024 * 1024

/** What the pools come from cannot be read, or is wrong. */
export class PoolsUnusable extends Schema.TaggedError<PoolsUnusable>()("PoolsUnusable", {
  /** Where from, as it was named. */
  from: Schema.String,
  problems: Schema.NonEmptyArray(Problem)
}) {
  override get message() {
    return [
      `${this.from} cannot be used:`,
      ...this.problems.map(({ message, advice }) => `  ${message} ${advice}`)
    ].join("\n")
  }
}

/** Pools as they were written, and what tells this version of them from others. */
export interface PoolsRead {
  readonly version: string
  readonly pools: NamedPools
}

export interface PoolSourceOptions {
  readonly runTimeoutSecondsMax: number
  /** Of `s3://`; absent = what the SDK finds. */
  readonly region?: string | undefined
  /** The version that is known: nothing is answered while it is that. */
  readonly version?: string | undefined
}

/**
 * Reads pools in YAML or JSON, which YAML contains: of one file (`pools: {<name>: {…}}`), of a folder (each
 * `<name>.yaml`, `.yml` or `.json` is one pool), or of an object in S3 (`s3://bucket/key`, a file). Undefined = they are
 * what is known already.
 */
export const readPoolSource = (
  from: string,
  options: PoolSourceOptions
): Effect.Effect<PoolsRead | undefined, PoolsUnusable> =>
  Effect.gen(function* () {
    const place = parseS3Url(from)
    const texts = yield* place === undefined ? localTexts(from) : s3Texts(from, place, options)
    if (texts === undefined || texts.version === options.version) return undefined
    const pools = Result.flatMap(valuesOf(texts), (values) =>
      texts.isFolder
        ? poolsNamed(Object.fromEntries(values), options.runTimeoutSecondsMax)
        : poolsOfFile(values[0]?.[1], options.runTimeoutSecondsMax)
    )
    if (Result.isFailure(pools)) return yield* unusable(from, pools.failure)
    return { version: texts.version, pools: pools.success }
  })

interface Texts {
  readonly version: string
  /** By what names the pools, or the file. */
  readonly files: ReadonlyArray<{ readonly name: string; readonly text: string }>
  readonly isFolder: boolean
}

const unusable = (from: string, [first, ...rest]: ReadonlyArray<Problem>): PoolsUnusable =>
  new PoolsUnusable({ from, problems: [first ?? problem("It is empty.", "Write pools: {}."), ...rest] })

const problem = (message: string, advice: string): Problem => ({ code: "InvalidRequest", message, advice })

const s3Texts = (from: string, place: S3Place, { region, version }: PoolSourceOptions) =>
  readS3Object(place, { region, etag: version, bytesMax: POOL_FILE_BYTES_MAX }).pipe(
    Effect.map((read): Texts | undefined =>
      read === undefined ? undefined : { version: read.etag, files: [{ name: from, text: read.text }], isFolder: false }
    ),
    Effect.mapError(({ message, advice }) => unusable(from, [problem(`${message}.`, advice)]))
  )

const ENDINGS: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"])

const localTexts = (from: string): Effect.Effect<Texts, PoolsUnusable> =>
  Effect.tryPromise({
    try: async () => {
      const isFolder = (await stat(from)).isDirectory()
      const paths = isFolder
        ? (await readdir(from))
            .filter(isPoolFile)
            .toSorted()
            .map((name) => join(from, name))
        : [from]
      const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size))
      if (sizes.reduce((sum, size) => sum + size, 0) > POOL_FILE_BYTES_MAX) throw new TooLarge()
      const files = await Promise.all(
        paths.map(async (path) => ({ name: isFolder ? nameOf(path) : path, text: await readFile(path, "utf8") }))
      )
      return { version: digest(...files.flatMap(({ name, text }) => [name, text])), files, isFolder }
    },
    catch: (cause) => unusable(from, [unreadable(from, cause)])
  })

class TooLarge extends Error {}

/** What an orchestrator keeps beside mounted files begins with a dot. */
const isPoolFile = (name: string): boolean => !name.startsWith(".") && ENDINGS.has(extname(name))

const nameOf = (path: string): string => basename(path, extname(path))

const unreadable = (from: string, cause: unknown): Problem => {
  if (cause instanceof TooLarge)
    return problem(`${from} has more than ${POOL_FILE_BYTES_MAX} bytes.`, "Make it smaller.")
  if (from.startsWith("s3:")) return problem(`${from} is no address in S3.`, "Write s3://bucket/key.")
  const code = cause instanceof Error ? String(Reflect.get(cause, "code") ?? cause.name) : "unknown"
  const why = code === "ENOENT" ? "does not exist" : `cannot be read (${code})`
  return problem(`${from} ${why}.`, "Give the path of a file or a folder, or s3://bucket/key.")
}

type Values = ReadonlyArray<readonly [string, unknown]>

const valuesOf = ({ files }: Texts): Result.Result<Values, ReadonlyArray<Problem>> => {
  const read = files.map(({ name, text }) => ({ name, value: parsePoolText(name, text) }))
  const problems = read.flatMap(({ value }) => (Result.isFailure(value) ? [value.failure] : []))
  if (problems.length > 0) return Result.fail(problems)
  const twice = read.filter(({ name }, at) => read.findIndex((other) => other.name === name) !== at)
  return twice.length === 0
    ? Result.succeed(read.map(({ name, value }) => [name, Result.getOrUndefined(value)] as const))
    : Result.fail(twice.map(({ name }) => problem(`There are two files of the pool "${name}".`, "Remove one of them.")))
}

/** The parser's own message quotes the text, which may hold secrets: what is wrong, and where, is all that is told. */
export const parsePoolText = (name: string, text: string): Result.Result<unknown, Problem> =>
  Result.try({
    try: () => parseYaml(text) as unknown,
    catch: (cause) => problem(`${name} is neither YAML nor JSON: ${syntaxOf(cause)}.`, "Correct it there.")
  })

const syntaxOf = (cause: unknown): string => {
  if (!(cause instanceof YAMLParseError)) return "an alias stands without its anchor"
  const [at] = cause.linePos ?? []
  const what = cause.code.toLowerCase().replaceAll("_", " ")
  return at === undefined ? what : `${what} at line ${at.line}, column ${at.col}`
}
