import { Schema } from "effect"
import { codec, Version } from "./Codec.ts"
import { launchFields } from "./RunRequest.ts"

/** Named defaults for runs, kept in the bucket `fleet-pools` under the pool's name. */
export const Pool = Schema.Struct({ v: Schema.optionalKey(Version), ...launchFields })
export type Pool = typeof Pool.Type

export const PoolCodec = codec(Pool)

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
