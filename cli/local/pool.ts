import { Effect, Option, Result, Schema } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { DEFAULT_POOL, type Pool, PoolCodec } from "#ecs-core/Pool.ts"
import { usablePool } from "#ecs-core/PoolProblems.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"

/**
 * The pool `default` for local-aws, where any image and any role will do: the program is a process of this machine. The
 * network is left to the launcher, which finds local-aws's default VPC.
 */
export const localPool: Pool = {
  image: "local/shell",
  executionRoleArn: "arn:aws:iam::000000000000:role/fleet-local",
  taskWatchPollIntervalSeconds: 1
}

/** The pool's record cannot be read. */
export class PoolUnreadable extends Schema.TaggedError<PoolUnreadable>()("PoolUnreadable", {
  pool: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The pool "${this.pool}" cannot be read (${this.reason}). Put a valid one there: fleet pool set ${this.pool} -f pool.yaml`
  }
}

/** The pool of this name as it is written, if there is one. */
export const readPool = Effect.fnUntraced(function* (name: string) {
  const pools = yield* Buckets.use((buckets) => buckets.open(BucketNames.pools))
  const entry = yield* pools.get(name)
  if (Option.isNone(entry)) return undefined
  const pool = usablePool(text({ data: entry.value.value }))
  if (Result.isSuccess(pool)) return pool.success
  return yield* new PoolUnreadable({ pool: name, reason: pool.failure.map(({ message }) => message).join(" ") })
})

/** Creates the pool `default` unless there is one, which may be somebody's work. */
export const createDefaultPool = Effect.gen(function* () {
  const pools = yield* Buckets.use((buckets) => buckets.open(BucketNames.pools))
  return yield* pools.create(DEFAULT_POOL, PoolCodec.encode(localPool)).pipe(
    Effect.as("created"),
    Effect.catchTag("KeyExists", () => Effect.succeed("is there"))
  )
})
