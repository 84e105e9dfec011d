/**
 * The pool of a request. Whoever writes to the bucket by hand may leave there what nobody can use; a run must not end
 * for that, and it must not depend on which replica it meets. So each replica that handles a request with a new version
 * of a pool keeps that version under `good.<pool>`, and all of them use what is there while the pool itself is not valid.
 * A version is kept with its revision, and only in the place of an older one: whoever is slow changes nothing.
 */
import { Effect, Option, Result } from "effect"
import type { Bucket } from "#bus/Bucket.ts"
import type { BusUnavailable } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import type { Problem } from "#ecs-core/errors.ts"
import type { Json } from "#ecs-core/Json.ts"
import { type GoodPool, GoodPoolCodec } from "#ecs-core/Pool.ts"
import { usablePool } from "#ecs-core/PoolProblems.ts"
import { invalidPool } from "#ecs-core/PoolVariables.ts"
import { goodKey } from "#ecs-core/Subjects.ts"

/** Pools of which a replica remembers what it has kept; with more, some are looked up again. */
export const POOLS_REMEMBERED_MAX = 1000

/** What a replica remembers of pools, so that it looks and warns once for each version. */
export interface PoolMemory {
  /** Revision of each pool that is known to be kept. */
  readonly kept: Map<string, number>
  /** Revision of each pool that has been warned of. */
  readonly warned: Map<string, number>
}

export const makePoolMemory = (): PoolMemory => ({ kept: new Map(), warned: new Map() })

const remember = (memory: Map<string, number>, name: string, revision: number) => {
  if (memory.size >= POOLS_REMEMBERED_MAX && !memory.has(name)) memory.clear()
  memory.set(name, revision)
}

/** The pool in force, its placeholders not filled; undefined = there is none of that name. */
export interface PoolInForce {
  readonly pool: Json | undefined
  /** What the run should know. */
  readonly notices: ReadonlyArray<string>
}

/** A pool, or what is wrong with one that nobody has ever read well. */
export type PoolOrProblems = Result.Result<PoolInForce, ReadonlyArray<Problem>>

interface Pools {
  readonly pools: Bucket
  readonly poolMemory: PoolMemory
}

/** Reads a pool; what is not valid is replaced by its last good version, and without one it is the answer. */
export const poolInForce = (
  { pools, poolMemory }: Pools,
  name: string
): Effect.Effect<PoolOrProblems, BusUnavailable> =>
  Effect.gen(function* () {
    const entry = Option.getOrUndefined(yield* pools.get(name))
    if (entry === undefined) return Result.succeed({ pool: undefined, notices: [] })
    const read = usablePool(text({ data: entry.value }))
    if (Result.isSuccess(read)) {
      const good: GoodPool = { revision: entry.revision, pool: read.success }
      if (poolMemory.kept.get(name) !== entry.revision) yield* keep(pools, poolMemory, name, good)
      return Result.succeed({ pool: read.success, notices: [] })
    }
    const problems = read.failure.map(({ message, advice }) => invalidPool(name, message, advice))
    const { good } = yield* goodOf(pools, name)
    if (poolMemory.warned.get(name) !== entry.revision) {
      remember(poolMemory.warned, name, entry.revision)
      const then = good === undefined ? "its requests are rejected" : "its last good version is used"
      yield* Effect.logError(`a pool is not valid: ${then}`, {
        pool: name,
        why: read.failure.map(({ message }) => message)
      })
    }
    return good === undefined ? Result.fail(problems) : Result.succeed({ pool: good.pool, notices: [noticeOf(name)] })
  })

const noticeOf = (name: string): string =>
  `The pool "${name}" in the bucket fleet-pools is not valid: its last good version was used.`

const goodOf = (pools: Bucket, name: string) =>
  Effect.map(pools.get(goodKey(name)), (entry) => ({
    entry: Option.getOrUndefined(entry),
    good: Option.getOrUndefined(
      Option.flatMap(entry, ({ value }) => Result.getSuccess(GoodPoolCodec.decode(text({ data: value }))))
    )
  }))

/** The run needs none of this: what fails is left to the next request. */
const keep = (pools: Bucket, memory: PoolMemory, name: string, fresh: GoodPool): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { entry, good } = yield* goodOf(pools, name)
    const value = GoodPoolCodec.encode(fresh)
    if (entry === undefined) yield* pools.create(goodKey(name), value)
    else if (good === undefined || good.revision < fresh.revision) {
      yield* pools.update(goodKey(name), value, entry.revision)
    }
    remember(memory.kept, name, fresh.revision)
  }).pipe(
    Effect.catchTags({ KeyExists: () => Effect.void, RevisionConflict: () => Effect.void }),
    Effect.catch((error) => Effect.logWarning("a pool's good version is not kept", { pool: name, why: error.message }))
  )
