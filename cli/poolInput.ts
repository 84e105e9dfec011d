import { readFileSync, statSync } from "node:fs"
import { ConfigProvider, Effect, Result } from "effect"
import { parseS3Url } from "#aws/S3Object.ts"
import type { Problem } from "#ecs-core/errors.ts"
import { fieldProblem } from "#ecs-core/FieldProblem.ts"
import { runTimeoutSecondsMax } from "#ecs-core/FleetTopology.ts"
import { isJson, type Json } from "#ecs-core/Json.ts"
import { MASK } from "#ecs-core/Mask.ts"
import { poolsOfFile } from "#ecs-core/PoolFile.ts"
import { poolProblems } from "#ecs-core/PoolProblems.ts"
import { readAll } from "#process/ConfigReport.ts"
import { topologyConfig } from "#process/FleetSetup.ts"
import { POOL_FILE_BYTES_MAX, parsePoolText, readPoolSource } from "#process/PoolSource.ts"
import { ExitCodes } from "./exitCode.ts"
import { Ended, type Failure, failure } from "./Failure.ts"
import { Output } from "./Output.ts"
import { problemsText } from "./render/problem.ts"

/** The limit of time-outs, as the services of this environment have it. */
export const timeoutMax = Effect.map(readAll(topologyConfig, ConfigProvider.fromEnv()), ({ streamAgeSeconds }) =>
  runTimeoutSecondsMax(streamAgeSeconds)
)

/** Tells all problems on standard error and ends the command. */
export const refuse = Effect.fnUntraced(function* (what: string, problems: ReadonlyArray<Problem>) {
  const { err, errStyle } = yield* Output
  yield* err(`${errStyle.red(`✗ ${what} is not valid`)}\n${problemsText(errStyle, problems, "")}`)
  return yield* new Ended({ exitCode: ExitCodes.failed })
})

/** The value of a file in YAML or JSON; `-` is standard input. */
export const readPoolText = (path: string): Effect.Effect<unknown, Failure> =>
  Effect.try({
    try: () => readFileSync(path === "-" ? 0 : path, "utf8"),
    catch: (cause) => failure(`${path} cannot be read: ${codeOf(cause)}`, ExitCodes.usage)
  }).pipe(
    Effect.flatMap((content) =>
      content.length > POOL_FILE_BYTES_MAX
        ? Effect.fail(failure(`${path} has more than ${POOL_FILE_BYTES_MAX} characters.`, ExitCodes.usage))
        : Effect.mapError(Effect.fromResult(parsePoolText(path, content)), ({ message }) =>
            failure(message, ExitCodes.usage)
          )
    )
  )

const codeOf = (cause: unknown): string =>
  cause instanceof Error ? String(Reflect.get(cause, "code") ?? cause.message) : String(cause)

/** The pool of this name in a file: the file is that pool, or holds several by name. Refused with all its problems. */
export const readOnePool = Effect.fnUntraced(function* (name: string, path: string) {
  const value = yield* readPoolText(path)
  const pools = isJson(value) ? value["pools"] : undefined
  if (isJson(pools) && !Object.hasOwn(pools, name)) {
    const names = Object.keys(pools).join(", ")
    return yield* failure(`${path} holds no pool "${name}". It has: ${names === "" ? "none" : names}.`, ExitCodes.usage)
  }
  const pool = isJson(pools) ? pools[name] : value
  yield* assertValid(`pool ${name}`, pool)
  return isJson(pool) ? pool : {}
})

/** Ends the command with all problems of a pool that is not valid. */
export const assertValid = Effect.fnUntraced(function* (what: string, pool: unknown) {
  const problems = [...poolProblems(pool, yield* timeoutMax), ...maskedProblems(pool, [])]
  if (problems.length > 0) return yield* refuse(what, problems)
})

/** What `fleet pool get` has masked cannot be meant. */
const maskedProblems = (value: unknown, path: ReadonlyArray<string>): ReadonlyArray<Problem> => {
  if (value === MASK) {
    const field = path.join(".")
    return [fieldProblem(field, `Field "${field}" is masked.`, "Give its value, or start from: fleet pool get --raw")]
  }
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => maskedProblems(inner, [...path, name]))
}

/** Names of the pools of a file, a folder or an object in S3, which are all valid; of a single pool none. */
export const validNames = Effect.fnUntraced(function* (from: string) {
  const max = yield* timeoutMax
  if (parseS3Url(from) !== undefined || isFolder(from)) {
    const read = yield* Effect.result(readPoolSource(from, { runTimeoutSecondsMax: max }))
    if (Result.isFailure(read)) return yield* refuse(from, read.failure.problems)
    return [...(read.success?.pools.keys() ?? [])]
  }
  const value = yield* readPoolText(from)
  if (!hasPools(value)) {
    yield* assertValid(from, value)
    return []
  }
  const pools = poolsOfFile(value, max)
  return Result.isFailure(pools) ? yield* refuse(from, pools.failure) : [...pools.success.keys()]
})

const hasPools = (value: unknown): value is Json => isJson(value) && "pools" in value

const isFolder = (path: string): boolean =>
  path !== "-" && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
