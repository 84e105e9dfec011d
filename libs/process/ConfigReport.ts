import { type Config, ConfigProvider, Effect, Result, Runtime, Schema, SchemaIssue } from "effect"
import { nearest } from "#ecs-core/Nearest.ts"

/** One thing that is wrong with one setting. Never holds the value: it may be a secret. */
export const ConfigProblem = Schema.Struct({
  /** The environment variable. */
  name: Schema.String,
  problem: Schema.String,
  advice: Schema.String
})
export type ConfigProblem = typeof ConfigProblem.Type

/** The settings cannot be used. The message has one line for each problem; the process ends with code 78 (`EX_CONFIG`). */
export class ConfigInvalid extends Schema.TaggedError<ConfigInvalid>()("ConfigInvalid", {
  problems: Schema.NonEmptyArray(ConfigProblem)
}) {
  override readonly [Runtime.errorExitCode] = configExitCode
  override get message() {
    const count = this.problems.length === 1 ? "1 setting needs" : `${this.problems.length} settings need`
    const lines = this.problems.map(({ name, problem, advice }) => `  ${name}: ${problem}. ${advice}`)
    return [`${count} attention:`, ...lines].join("\n")
  }
}

/** BSD's `EX_CONFIG`. */
export const configExitCode = 78

/** Variables of this project that are read outside a process's own record, so that they count as known everywhere. */
export const sharedNames = ["FLEET_CACHE_DIR", "FLEET_HEALTH_HOST", "FLEET_HEALTH_PORT"] as const

/** A record of settings: Effect `Config`s under the names the code uses. */
export type Settings = Readonly<Record<string, Config.Config<unknown>>>
export type Values<S extends Settings> = { readonly [K in keyof S]: Config.Success<S[K]> }

/** Environment variables; `undefined` = not set. */
export type Variables = Readonly<Record<string, string | undefined>>

export interface ReadConfigOptions {
  /** Where variables are read and where unknown ones are looked for. Default: this process's environment. */
  readonly env?: Variables
  /** Further names that are not unknown, e.g. those of the services that share this environment. */
  readonly alsoKnown?: Iterable<string>
}

/**
 * Reads every setting and reports all problems at once, where `Config.all` stops at the first. An unknown `FLEET_*`
 * variable that resembles a known one is most likely a slip: it is warned about, and part of the report when there is one.
 */
export const readConfig = Effect.fnUntraced(function* <S extends Settings>(
  settings: S,
  options: ReadConfigOptions = {}
): Effect.fn.Return<Values<S>, ConfigInvalid> {
  const env = options.env ?? process.env
  const source = options.env === undefined ? yield* ConfigProvider.ConfigProvider : fromVariables(options.env)
  const asked = new Set<string>([...sharedNames, ...(options.alsoKnown ?? [])])
  const result = yield* Effect.result(readAll(settings, recording(source, asked)))
  const slips = slipsIn(Object.keys(env), asked)
  if (Result.isFailure(result)) {
    const [first, ...rest] = result.failure.problems
    return yield* new ConfigInvalid({ problems: [first, ...rest, ...slips] })
  }
  for (const { name, problem, advice } of slips) yield* Effect.logWarning(`${name}: ${problem}. ${advice}`)
  return result.success
})

/** The same without the search for unknown variables: for settings that are only some of the process's. */
export const readAll = Effect.fnUntraced(function* <S extends Settings>(
  settings: S,
  source: ConfigProvider.ConfigProvider
): Effect.fn.Return<Values<S>, ConfigInvalid> {
  const [values, failures] = yield* Effect.partition(Object.entries(settings), ([key, config]) =>
    Effect.map(config.parse(source), (value) => [key, value] as const)
  )
  const [first, ...rest] = (yield* Effect.forEach(failures, (error) => problemsOf(error, source))).flat()
  if (first !== undefined) return yield* new ConfigInvalid({ problems: [first, ...rest] })
  return Object.fromEntries(values) as Values<S>
})

const fromVariables = (env: Variables): ConfigProvider.ConfigProvider => ConfigProvider.fromEnv({ env: defined(env) })

const defined = (env: Variables): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))

const nameOf = (path: ReadonlyArray<PropertyKey>): string => path.filter((part) => typeof part === "string").join("_")

/** The same provider, which notes every name that is asked for. */
export const recording = (source: ConfigProvider.ConfigProvider, asked: Set<string>): ConfigProvider.ConfigProvider =>
  ConfigProvider.make((path) => {
    asked.add(nameOf(path))
    return source.load(path)
  })

/** A failed `Config` in the words of the report. Several issues under one name are one problem. */
export const problemsOf = (
  error: Config.ConfigError,
  source: ConfigProvider.ConfigProvider
): Effect.Effect<ReadonlyArray<ConfigProblem>> => {
  if (error.cause._tag === "SourceError") {
    const advice = "Make the place that settings are read from readable"
    return Effect.succeed([{ name: "configuration", problem: `cannot be read: ${error.cause.message}`, advice }])
  }
  const issues = SchemaIssue.makeFormatterStandardSchemaV1()(error.cause.issue).issues
  const byName = new Map(issues.map(({ path, message }) => [nameOf(keys(path)), { path: keys(path), message }]))
  return Effect.forEach([...byName], ([name, { path, message }]) =>
    Effect.map(isSet(source, path), (set) => problemOf(name, message, set))
  )
}

const keys = (
  path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
): ReadonlyArray<PropertyKey> => (path ?? []).map((part) => (typeof part === "object" ? part.key : part))

const isSet = (source: ConfigProvider.ConfigProvider, path: ReadonlyArray<PropertyKey>): Effect.Effect<boolean> =>
  source.load(path.filter((part) => typeof part === "string")).pipe(
    Effect.map((node) => node !== undefined),
    Effect.orElseSucceed(() => true)
  )

const problemOf = (name: string, message: string, set: boolean): ConfigProblem => {
  const allowed = message.replace(/^(Expected|must be) /, "").replace(/^string$/, "a text")
  return set
    ? {
        name,
        problem: `has a value that is not allowed; it must be ${allowed}`,
        advice: `Correct ${name}, or unset it for its default`
      }
    : { name, problem: `is not set; it must be ${allowed}`, advice: `Set ${name} in the environment` }
}

/** Unknown `FLEET_*` names that resemble a known one. */
export const slipsIn = (names: Iterable<string>, known: ReadonlySet<string>): ReadonlyArray<ConfigProblem> =>
  [...names]
    .filter((name) => name.startsWith("FLEET_") && !known.has(name))
    .flatMap((name) => {
      const meant = nearest(name, known)
      return meant === undefined ? [] : [{ name, problem: "is not a setting", advice: `Did you mean ${meant}?` }]
    })
