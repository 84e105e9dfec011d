import { Duration, Effect } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { type Pool, PoolCodec, PoolPauseCodec } from "#ecs-core/Pool.ts"
import { BucketNames, pauseKey } from "#ecs-core/Subjects.ts"
import type { Dice } from "./Dice.ts"
import type { World } from "./World.ts"

/** The limited pool of a seed. */
export const NARROW = "narrow"

interface Limit {
  readonly at: number
  readonly act: "limit"
  readonly maxRunning: number
  readonly maxSubmitPerSecond?: number
}

/** What an operator does with the pool; seconds from the beginning. */
export type PoolAct = Limit | { readonly at: number; readonly act: "pause" | "resume" | "unlimit" }

/** What happens to the limited pool, in order: it is there from the beginning, and never paused at the end. */
export const poolActsOf = (dice: Dice): ReadonlyArray<PoolAct> => {
  const limit = (at: number): PoolAct => ({
    at,
    act: "limit",
    maxRunning: dice.whole(1, 3),
    ...(dice.chance(0.3) ? { maxSubmitPerSecond: dice.spread(0.01, 10) } : {})
  })
  const changes = dice.chance(0.3) ? [limit(dice.spread(1, 1000))] : []
  const paused = dice.spread(0.1, 500)
  const pauses: ReadonlyArray<PoolAct> = dice.chance(0.4)
    ? [
        { at: paused, act: "pause" },
        { at: paused + dice.spread(1, 3000), act: "resume" }
      ]
    : []
  const unlimited: ReadonlyArray<PoolAct> = dice.chance(0.1) ? [{ at: dice.spread(100, 3000), act: "unlimit" }] : []
  return [limit(0), ...changes, ...pauses, ...unlimited].toSorted((a, b) => a.at - b.at)
}

/** The most runs of the pool that may ever have a task at a time; none where it is unlimited for a while. */
export const mostRunning = (acts: ReadonlyArray<PoolAct>): number =>
  Math.max(...acts.map((each) => (each.act === "limit" ? each.maxRunning : each.act === "unlimit" ? Infinity : 0)))

const limitsIn = ({ maxRunning, maxSubmitPerSecond }: Limit): Pool => ({
  maxRunning,
  ...(maxSubmitPerSecond === undefined ? {} : { maxSubmitPerSecond })
})

/** The operator at work: nothing that is done here gets lost. */
export const operate = Effect.fnUntraced(function* ({ witness, now }: World, acts: ReadonlyArray<PoolAct>) {
  const pools = yield* (yield* Buckets).open(BucketNames.pools)
  let passed = 0
  for (const each of acts) {
    yield* Effect.sleep(Duration.seconds(each.at - passed))
    passed = each.at
    witness.note(`pool ${NARROW}: ${JSON.stringify(each)}`)
    if (each.act === "pause") yield* pools.put(pauseKey(NARROW), PoolPauseCodec.encode({ at: instantOf(now()) }))
    else if (each.act === "resume") yield* pools.delete(pauseKey(NARROW))
    else if (each.act === "unlimit") yield* pools.put(NARROW, PoolCodec.encode({}))
    else if (each.act === "limit") yield* pools.put(NARROW, PoolCodec.encode(limitsIn(each)))
  }
}, Effect.orDie)
