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

/** What holds where neither pool nor request says anything. */
export const builtInPool = (runTimeoutSecondsMax: number) =>
  ({
    launchType: "FARGATE",
    cpu: 1024,
    memory: 2048,
    taskStartTimeoutSeconds: 300,
    launchTimeoutSeconds: Math.min(86_400, runTimeoutSecondsMax),
    runTimeoutSeconds: runTimeoutSecondsMax,
    taskWatchPollIntervalSeconds: 5,
    streamOutput: true
  }) as const satisfies Pool
