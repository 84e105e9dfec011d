import { Option, Result } from "effect"
import { ExitCodes } from "./exitCode.ts"
import { type Failure, failure } from "./Failure.ts"
import { TAIL_LINES_MAX } from "./follow/LastLines.ts"
import type { Containers, Wanted } from "./follow/select.ts"
import { printable } from "./render/text.ts"

/** `fleet logs` reads at most so many runs at a time: each has a consumer on the server and some messages read ahead. */
export const RUNS_MAX = 20

/** The command line of `fleet logs`. */
export interface LogsFlags {
  readonly runs: ReadonlyArray<string>
  readonly follow: boolean
  readonly since: Option.Option<string>
  readonly tail: Option.Option<number>
  readonly grep: Option.Option<string>
  readonly ignoreCase: boolean
  readonly all: boolean
  readonly container: Option.Option<string>
  readonly timestamps: boolean
  readonly json: boolean
}

/** What it asks for. */
export interface LogsOptions extends Pick<LogsFlags, "runs" | "follow" | "timestamps" | "json"> {
  readonly containers: Containers
  readonly wanted: Wanted
  /** Only so many of the lines that were there at the start, the last ones of each run. */
  readonly tail?: number
}

/** Reads the flags, or says what does not fit: the flag, its value, what is allowed. */
export const logsOptions = (flags: LogsFlags, nowMillis: number): Result.Result<LogsOptions, Failure> =>
  Result.gen(function* () {
    const { runs, follow, timestamps, json } = flags
    if (runs.length > RUNS_MAX) return yield* usage(tooManyRuns(runs.length))
    const since = Option.getOrUndefined(flags.since)
    const sinceMillis = since === undefined ? undefined : yield* parseSince(since, nowMillis)
    const pattern = yield* patternOf(flags)
    const tail = Option.getOrUndefined(flags.tail)
    if (tail !== undefined && (tail < 0 || tail > TAIL_LINES_MAX)) return yield* usage(tailText(tail))
    return {
      runs,
      follow,
      timestamps,
      json,
      containers: yield* containersOf(flags),
      wanted: {
        ...(sinceMillis === undefined ? {} : { sinceMillis }),
        ...(pattern === undefined ? {} : { pattern })
      },
      ...(tail === undefined ? {} : { tail })
    }
  })

const usage = (text: string): Result.Result<never, Failure> => Result.fail(failure(text, ExitCodes.usage))

const tooManyRuns = (given: number): string =>
  `fleet logs takes at most ${RUNS_MAX} runs at a time, got ${given}. Read the others with a second command.`

const tailText = (given: number): string =>
  `--tail takes 0 to ${TAIL_LINES_MAX} lines, got ${given}. Leave it out to see all lines.`

const containersOf = ({ all, container }: LogsFlags): Result.Result<Containers, Failure> => {
  if (Option.isNone(container)) return Result.succeed({ kind: all ? "all" : "own" })
  if (!all) return Result.succeed({ kind: "one", name: container.value })
  const name = printable(container.value)
  return usage(`--all shows every container and --container "${name}" one of them. Leave out one of the two.`)
}

const patternOf = ({ grep, ignoreCase }: LogsFlags): Result.Result<RegExp | undefined, Failure> => {
  if (Option.isSome(grep)) return parsePattern(grep.value, ignoreCase)
  return ignoreCase
    ? usage("--ignore-case is about --grep, which is not given. Add --grep PATTERN, or leave it out.")
    : Result.succeed(undefined)
}

/** A regular expression of JavaScript, in its strict form (`u`): an escape that means nothing is an error. */
export const parsePattern = (pattern: string, ignoreCase: boolean): Result.Result<RegExp, Failure> =>
  Result.try({
    try: () => new RegExp(pattern, ignoreCase ? "iu" : "u"),
    catch: (cause) =>
      failure(
        `--grep "${printable(pattern)}" is no regular expression: ${printable(reasonOf(cause))}. ` +
          'A character of .*+?()[]{}|^$\\/ that is meant as it is needs a backslash before it, e.g. "\\(".',
        ExitCodes.usage
      )
  })

/** `Invalid regular expression: /(/u: Unterminated group` without the expression. */
const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split(": ").at(-1) ?? "it cannot be read"

const MILLIS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const DURATION = /^(?:\d+(?:\.\d+)?[smhd])+$/
const TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?<zone>Z|[+-]\d\d:\d\d)?)?$/

/** Epoch milliseconds of a duration before now (`90s`, `10m`, `1h30m`, `2d`) or of an ISO time, in UTC unless it says otherwise. */
export const parseSince = (given: string, nowMillis: number): Result.Result<number, Failure> => {
  if (DURATION.test(given)) return Result.succeed(Math.max(0, nowMillis - durationMillis(given)))
  const time = TIME.exec(given)
  const isLocal = given.length > 10 && time?.groups?.["zone"] === undefined
  const millis = time === null ? Number.NaN : Date.parse(`${given.replace(" ", "T")}${isLocal ? "Z" : ""}`)
  if (!Number.isNaN(millis)) return Result.succeed(millis)
  return usage(
    `--since "${printable(given)}" is no time. Give a duration (90s, 10m, 2h, 1d, 1h30m) ` +
      "or an ISO time (2026-03-01T09:30:00Z, in UTC unless it says otherwise)."
  )
}

const durationMillis = (given: string): number =>
  [...given.matchAll(/([\d.]+)([smhd])/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (MILLIS[unit ?? ""] ?? 0),
    0
  )
