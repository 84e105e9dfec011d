import { Option, Result } from "effect"
import { millisOf } from "#ecs-core/Instant.ts"
import { isJson } from "#ecs-core/Json.ts"
import { nearest } from "#ecs-core/Nearest.ts"
import type { Run } from "#ecs-core/Run.ts"
import { isOutcome, LiveState, Outcome, type RunState } from "#ecs-core/RunState.ts"
import { ExitCodes } from "./exitCode.ts"
import { type Failure, failure } from "./Failure.ts"
import { parseSince } from "./logsOptions.ts"
import { printable } from "./render/text.ts"

/** The command line of `fleet ps`. */
export interface PsFlags {
  readonly all: boolean
  readonly json: boolean
  readonly limit: number
  readonly state: ReadonlyArray<string>
  readonly pool: Option.Option<string>
  readonly label: ReadonlyArray<string>
  readonly since: Option.Option<string>
}

/** What it asks for: runs that fit all that is given. */
export interface PsOptions {
  /** Also runs that are over. */
  readonly all: boolean
  readonly json: boolean
  readonly limit: number
  readonly filter: RunFilter
}

export interface RunFilter {
  /** In one of these states. */
  readonly states?: ReadonlyArray<RunState>
  readonly pool?: string
  /** Name and value of each label that the request has to have. */
  readonly labels?: ReadonlyArray<readonly [string, string]>
  /** Requested at this time or later, epoch milliseconds. */
  readonly sinceMillis?: number
}

const states: ReadonlyArray<RunState> = [...LiveState.literals, ...Outcome.literals]

/** Reads the flags, or says what does not fit: the flag, its value, what is allowed. */
export const psOptions = (flags: PsFlags, nowMillis: number): Result.Result<PsOptions, Failure> =>
  Result.gen(function* () {
    const given = yield* Result.all(flags.state.map(stateOf))
    const labels = yield* Result.all(flags.label.map(labelOf))
    const since = Option.getOrUndefined(flags.since)
    const sinceMillis = since === undefined ? undefined : yield* parseSince(since, nowMillis)
    const pool = Option.getOrUndefined(flags.pool)
    const filter: RunFilter = {
      ...(given.length === 0 ? {} : { states: given }),
      ...(pool === undefined ? {} : { pool }),
      ...(labels.length === 0 ? {} : { labels }),
      ...(sinceMillis === undefined ? {} : { sinceMillis })
    }
    return { all: flags.all || given.some(isOutcome), json: flags.json, limit: flags.limit, filter }
  })

const usage = (text: string): Result.Result<never, Failure> => Result.fail(failure(text, ExitCodes.usage))

const stateOf = (given: string): Result.Result<RunState, Failure> => {
  const known = states.find((state) => state === given)
  if (known !== undefined) return Result.succeed(known)
  const near = nearest(given, states)
  const advice = near === undefined ? `States are ${states.join(", ")}.` : `Did you mean ${near}?`
  return usage(`--state "${printable(given)}" is no state of a run. ${advice}`)
}

const labelOf = (given: string): Result.Result<readonly [string, string], Failure> => {
  const at = given.indexOf("=")
  if (at > 0) return Result.succeed([given.slice(0, at), given.slice(at + 1)])
  return usage(`--label "${printable(given)}" has no value. Give name and value, such as --label team=data.`)
}

/** Whether a run fits all that is asked for; labels are those of its request. */
export const fits = (run: Run, { labels = [], pool, sinceMillis, states: wanted }: RunFilter): boolean =>
  (wanted === undefined || wanted.includes(run.state)) &&
  (pool === undefined || run.pool === pool) &&
  (sinceMillis === undefined || millisOf(run.requestedAt) >= sinceMillis) &&
  labels.every(([name, value]) => labelsOf(run)[name] === value)

const labelsOf = ({ request }: Run): Readonly<Record<string, unknown>> => {
  const labels = isJson(request) ? request["labels"] : undefined
  return isJson(labels) ? labels : {}
}

/** Something is asked for that leaves runs out. */
export const isFiltered = (filter: RunFilter): boolean => Object.keys(filter).length > 0
