import { Schema } from "effect"
import { codec, Version } from "./Codec.ts"
import { CredentialsName } from "./Ids.ts"
import { Instant } from "./Instant.ts"
import { launchFields } from "./RunRequest.ts"

/** Tasks of one pool at a time, at most: what JetStream hands out of one consumer without an acknowledgement. */
export const MAX_RUNNING_MAX = 100_000

const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** What only a pool may say: it concerns all its runs together, or is not the producers' to choose. */
export const poolFields = {
  /** Runs that may have a task at a time, whichever replica launches them; the others are `queued`. Absent = any number. */
  maxRunning: optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_RUNNING_MAX }))),
  /** Runs that leave the queue per second, over all replicas. Absent = as fast as AWS's quotas allow. */
  maxSubmitPerSecond: optional(Schema.Finite.check(Schema.isBetween({ minimum: 0.01, maximum: 1000 }))),
  /** Name of a set of credentials that the services know; absent = those of the services' own process. */
  credentials: optional(CredentialsName)
}

/** Named defaults for runs, kept in the bucket `fleet-pools` under the pool's name. */
export const Pool = Schema.Struct({ v: Schema.optionalKey(Version), ...launchFields, ...poolFields })
export type Pool = typeof Pool.Type

export const PoolCodec = codec(Pool)

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
