import { Effect, Option, Result } from "effect"
import { type BucketEntry, Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import type { Json } from "#ecs-core/Json.ts"
import { nearest } from "#ecs-core/Nearest.ts"
import { DEFAULT_POOL, decodePoolEntry, encodePoolEntry, type PoolPause, PoolPauseCodec } from "#ecs-core/Pool.ts"
import { usablePool } from "#ecs-core/PoolProblems.ts"
import { BucketNames, goodKey, parsePoolKey, pauseKey } from "#ecs-core/Subjects.ts"
import { type Failure, failure } from "./Failure.ts"
import type { KeptPool } from "./render/pool.ts"

export const openPools = Buckets.use((buckets) => buckets.open(BucketNames.pools))

/** All pools by name, with their pauses. Other keys of the bucket are passed over. */
export const allPools = Effect.gen(function* () {
  const entries = yield* (yield* openPools).entries()
  const pauses = pausesIn(entries)
  return entries
    .filter(({ key }) => parsePoolKey(key)?.kind === "pool")
    .map((entry) => keptPool(entry, pauses.get(entry.key)))
    .toSorted((a, b) => a.name.localeCompare(b.name, "en"))
})

/** The pause of one pool; undefined = there is none. */
export const pauseOf = Effect.fnUntraced(function* (name: string) {
  const entry = yield* (yield* openPools).get(pauseKey(name))
  return Option.getOrUndefined(Option.map(entry, pauseIn))
})

/** By the pool's name. */
/** What cannot be read pauses all the same: only its end and its reason are unknown. */
const pausesIn = (entries: ReadonlyArray<BucketEntry>): ReadonlyMap<string, PoolPause> =>
  new Map(
    entries.flatMap((entry) => {
      const key = parsePoolKey(entry.key)
      return key?.kind === "pause" ? [[key.pool, pauseIn(entry)] as const] : []
    })
  )

const pauseIn = ({ time, value }: BucketEntry): PoolPause =>
  Result.getOrElse(PoolPauseCodec.decode(text({ data: value })), () => ({ at: new Date(time).toISOString() }))

const keptPool = ({ key, time, value }: BucketEntry, pause: PoolPause | undefined): KeptPool => {
  const stored = text({ data: value })
  const entry = Result.getOrUndefined(decodePoolEntry(stored))
  const problems = Result.match(usablePool(stored), {
    onSuccess: () => [],
    onFailure: (all) => all.map(({ message }) => message)
  })
  return { name: key, pool: entry?.pool, problems, isFromFile: entry?.isFromFile === true, time, pause }
}

/** One pool, or what to do where it is not there. */
export const poolNamed = Effect.fnUntraced(function* (name: string) {
  const pools = yield* allPools
  return pools.find((kept) => kept.name === name) ?? (yield* noPool(name, pools))
})

/** Fails unless requests can name the pool: the pool `default` need not exist. */
export const assertPool = Effect.fnUntraced(function* (name: string) {
  if (name !== DEFAULT_POOL) yield* poolNamed(name)
})

const noPool = (name: string, pools: ReadonlyArray<KeptPool>): Failure => {
  const near = nearest(
    name,
    pools.map((kept) => kept.name)
  )
  const advice = near === undefined ? "List them: fleet pool ls" : `Did you mean ${near}?`
  return failure(`There is no pool "${name}". ${advice}`)
}

/** What the dispatchers' file says is changed there: here the next look at it would undo the change. */
const ofFile = (name: string): Failure =>
  failure(`The pool "${name}" comes from the dispatchers' file (FLEET_POOLS). Change it there.`)

/** Tries of a write that others are always before. */
const WRITES_MAX = 10

export type Written = "created" | "updated" | "unchanged"

/** Stores a pool in the place of what is there, unless that is a file's. Whoever writes at the same time comes first. */
export const writePool = Effect.fnUntraced(
  function* (name: string, pool: Json) {
    const pools = yield* openPools
    const value = encodePoolEntry({ pool, isFromFile: false })
    const entry = Option.getOrUndefined(yield* pools.get(name))
    if (entry === undefined) return yield* Effect.as(pools.create(name, value), "created" as Written)
    if (keptPool(entry, undefined).isFromFile) return yield* ofFile(name)
    if (text({ data: entry.value }) === value) return "unchanged" as Written
    return yield* Effect.as(pools.update(name, value, entry.revision), "updated" as Written)
  },
  Effect.retry({ while: ({ _tag }) => _tag === "KeyExists" || _tag === "RevisionConflict", times: WRITES_MAX })
)

/** Deletes a pool, and what the dispatchers keep of it; its pause stays. */
export const deletePool = Effect.fnUntraced(
  function* (name: string) {
    const pools = yield* openPools
    const entry = Option.getOrUndefined(yield* pools.get(name))
    if (entry === undefined) return yield* poolNamed(name)
    const kept = keptPool(entry, undefined)
    if (kept.isFromFile) return yield* ofFile(name)
    yield* pools.delete(goodKey(name))
    yield* pools.deleteRevision(name, entry.revision)
    return kept
  },
  Effect.retry({ while: ({ _tag }) => _tag === "RevisionConflict", times: WRITES_MAX })
)

/** The pause that holds, and whether it is the given one. */
export const pausePool = Effect.fnUntraced(function* (name: string, pause: PoolPause) {
  const pools = yield* openPools
  const isNew = yield* pools.create(pauseKey(name), PoolPauseCodec.encode(pause)).pipe(
    Effect.as(true),
    Effect.catchTag("KeyExists", () => Effect.succeed(false))
  )
  return { isNew, pause: (yield* pauseOf(name)) ?? pause }
})

/** The pause that is over; undefined = there was none. */
export const resumePool = Effect.fnUntraced(function* (name: string) {
  const pools = yield* openPools
  const pause = yield* pauseOf(name)
  yield* pools.delete(pauseKey(name))
  return pause
})
