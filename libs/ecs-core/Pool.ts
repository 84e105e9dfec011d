import { Result, Schema } from "effect"
import { codec, parseJson, Undecodable, Version } from "./Codec.ts"
import { CredentialsName } from "./Ids.ts"
import { Instant } from "./Instant.ts"
import { isJson, type Json } from "./Json.ts"
import { fill, VARIABLE_NAME_PATTERN, VARIABLE_NAME_RULE } from "./Placeholders.ts"
import { launchFields } from "./RunRequest.ts"

/** Tasks of one pool at a time, at most: what JetStream hands out of one consumer without an acknowledgement. */
export const MAX_RUNNING_MAX = 100_000

const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** A name for which requests may give a value; the pool's fields hold it as `{{ name }}`. */
export const PoolVariable = Schema.Struct({
  /** Any JSON; absent or null = no value, unless a request gives one. */
  default: Schema.optionalKey(Schema.Unknown),
  /** For people. */
  description: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(1024)))
})

const variableName = Schema.String.check(
  Schema.isPattern(VARIABLE_NAME_PATTERN, { message: `must be ${VARIABLE_NAME_RULE}` })
)

/** What only a pool may say: it concerns all its runs together, or is not the producers' to choose. */
export const poolFields = {
  /** Runs that may have a task at a time, whichever replica launches them; the others are `queued`. Absent = any number. */
  maxRunning: optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_RUNNING_MAX }))),
  /** Runs that leave the queue per second, over all replicas. Absent = as fast as AWS's quotas allow. */
  maxSubmitPerSecond: optional(Schema.Finite.check(Schema.isBetween({ minimum: 0.01, maximum: 1000 }))),
  /** Name of a set of credentials that the services know; absent = those of the services' own process. */
  credentials: optional(CredentialsName),
  /** Placeholders of the fields that a request has too; those of this record are never filled. */
  variables: optional(Schema.Record(variableName, PoolVariable))
}

/** Named defaults for runs, kept in the bucket `fleet-pools` under the pool's name. */
export const Pool = Schema.Struct({ v: Schema.optionalKey(Version), ...launchFields, ...poolFields })
export type Pool = typeof Pool.Type

/**
 * The pool with its placeholders filled: by a request's values, else by the defaults. A pool without `variables` has no
 * placeholders. Only fields that a request may set itself are filled.
 */
export const filledPool = (pool: unknown, given: Json = {}): unknown => {
  const declared = isJson(pool) ? pool["variables"] : undefined
  if (!isJson(pool) || !isJson(declared)) return pool
  const values = Object.fromEntries(
    Object.entries(declared).map(([name, variable]) => [
      name,
      Object.hasOwn(given, name) ? given[name] : isJson(variable) ? variable["default"] : undefined
    ])
  )
  return Object.fromEntries(
    Object.entries(pool).flatMap(([field, value]) => {
      const filled = Object.hasOwn(launchFields, field) ? fill(value, values) : value
      return filled === undefined ? [] : [[field, filled]]
    })
  )
}

/** Reads an entry of the bucket as a request without values sees it: placeholders filled by their defaults. */
export const PoolCodec = codec(Pool, (value) => filledPool(value))

/** An entry as it is written: the pool's own text, and whether the dispatchers' file is where it comes from. */
export interface PoolEntry {
  readonly pool: Json
  readonly isFromFile: boolean
}

export const encodePoolEntry = ({ pool, isFromFile }: PoolEntry): string =>
  JSON.stringify({ v: 1, ...pool, ...(isFromFile ? { source: "file" } : {}) })

/** The inverse; whether the pool's fields make sense is not looked at. */
export const decodePoolEntry = (text: string): Result.Result<PoolEntry, Undecodable> =>
  Result.flatMap(parseJson(text), (value) => {
    if (!isJson(value)) return Result.fail(new Undecodable({ message: "Not a JSON object" }))
    const { source, v: _v, ...pool } = value
    return Result.succeed({ pool, isFromFile: source === "file" })
  })

/** The version of a pool that a request was last handled with, and its revision in the bucket: under `goodKey`. */
export const GoodPool = Schema.Struct({
  v: Schema.optionalKey(Version),
  revision: Schema.Int,
  pool: Schema.Record(Schema.String, Schema.Unknown)
})
export type GoodPool = typeof GoodPool.Type

export const GoodPoolCodec = codec(GoodPool)

/**
 * A pool that launches nothing for now: an entry of its own in the bucket `fleet-pools`, under `pauseKey`. To resume is
 * to delete it; whoever replaces the pool leaves it alone.
 */
export const PoolPause = Schema.Struct({
  v: Schema.optionalKey(Version),
  /** Since when. */
  at: Instant,
  /** Why, in the words of whoever paused it. */
  reason: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200)))
})
export type PoolPause = typeof PoolPause.Type

export const PoolPauseCodec = codec(PoolPause)

export const DEFAULT_POOL = "default"
export const DEFAULT_CONTAINER = "main"
export const DEFAULT_LOG_GROUP = "fleet"
/** Where neither a field nor the definition says a size: CPU units and MiB (peers 31, 32). */
export const DEFAULT_CPU = 1024
export const DEFAULT_MEMORY = 2048

/** Auto Scaling groups need minutes for an instance; ECS itself lets a task be PROVISIONING for so long. */
export const DEFAULT_PROVISIONING_TIMEOUT_SECONDS = 1800

/** What holds where neither pool nor request says anything. */
export const builtInPool = (runTimeoutSecondsMax: number) =>
  ({
    launchType: "FARGATE",
    taskStartTimeoutSeconds: 300,
    launchTimeoutSeconds: Math.min(86_400, runTimeoutSecondsMax),
    runTimeoutSeconds: runTimeoutSecondsMax,
    taskWatchPollIntervalSeconds: 5
  }) as const satisfies Pool
