import { execFile } from "node:child_process"
import { Effect, Result, Schema } from "effect"
import { compareVersions, minimumVersion, parseVersion } from "./release.ts"

/** A nats-server binary that runs on this machine. */
export interface NatsBinary {
  readonly path: string
  /** e.g. `2.9.10`. */
  readonly version: string
  /** Where it came from, in words. */
  readonly source: string
}

/** One place where a binary was looked for, and what was seen there. */
export const Attempt = Schema.Struct({ source: Schema.String, result: Schema.String })
export type Attempt = typeof Attempt.Type

/** Results that need nobody's attention: nothing was there. */
export const notSet = "not set"
export const notThere = "not there"

/** No binary from one place; the next place is tried. */
export class AttemptFailed extends Schema.TaggedError<AttemptFailed>()("AttemptFailed", {
  source: Schema.String,
  message: Schema.String
}) {}

/** A place to look in: a binary, or why there is none. */
export type Source = Effect.Effect<NatsBinary, AttemptFailed>

/** The first source that has a binary; the others before it as attempts. Sources after it are not asked. */
export const firstOf = Effect.fnUntraced(function* (sources: ReadonlyArray<Source>) {
  const attempts: Array<Attempt> = []
  for (const source of sources) {
    const result = yield* Effect.result(source)
    if (Result.isSuccess(result)) return { binary: result.success, attempts }
    attempts.push({ source: result.failure.source, result: result.failure.message })
  }
  return { binary: undefined, attempts }
})

/** Variables a program sees; `undefined` = not set. */
export type Environment = Readonly<Record<string, string | undefined>>

/** How long a binary may take to print its version. */
const versionSeconds = 10

/** Asks the file for its version; refuses what does not run, is no nats-server, or is too old. */
export const probe = Effect.fnUntraced(function* (path: string, source: string) {
  const refuse = (message: string) => new AttemptFailed({ source, message })
  const printed = yield* run(path, ["--version"], { seconds: versionSeconds }).pipe(
    Effect.mapError((message) => refuse(message === notThere ? notThere : `${path} does not run: ${message}`))
  )
  const version = parseVersion(printed)
  if (version === undefined) return yield* refuse(`${path} printed no nats-server version`)
  if (compareVersions(version, minimumVersion) < 0) {
    return yield* refuse(`${path} is ${version}, older than the required ${minimumVersion}`)
  }
  return { path, version, source } satisfies NatsBinary
})

/** More output than this ends the program: lists of package addresses stay far below. */
const outputBytesMax = 16 * 1024 * 1024

/** Runs a program to its end and returns its standard output; fails with one line that says why. Killed after `seconds`. */
export const run = (
  program: string,
  args: ReadonlyArray<string>,
  options: { readonly seconds: number; readonly cwd?: string; readonly env?: Environment }
): Effect.Effect<string, string> =>
  Effect.callback<string, string>((resume) => {
    const child = execFile(
      program,
      args,
      {
        timeout: options.seconds * 1000,
        killSignal: "SIGKILL",
        cwd: options.cwd,
        env: options.env,
        maxBuffer: outputBytesMax
      },
      (error, stdout, stderr) => {
        if (error === null) return resume(Effect.succeed(stdout))
        resume(Effect.fail(explain(error, stderr, options.seconds)))
      }
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const explain = (error: Error & { code?: unknown; killed?: boolean }, stderr: string, seconds: number): string => {
  if (error.killed === true) return `no answer within ${seconds} s`
  if (error.code === "ENOENT") return notThere
  if (error.code === "EACCES") return "not executable"
  const said = stderr.trim().split("\n").at(-1)
  return said === undefined || said === "" ? `exit code ${String(error.code)}` : said
}
