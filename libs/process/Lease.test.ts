import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Buckets } from "#bus/Bucket.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import { holdLease, newOwner } from "./Lease.ts"

const meta = Buckets.use((buckets) => buckets.open(BucketNames.meta))

describe("a lease", () => {
  it.effect("is one process's, for as long as it renews it; then another's", () =>
    Effect.gen(function* () {
      const bucket = yield* meta
      const hold = (owner: string) => holdLease(bucket, "work", owner, 60)
      assert.isTrue(yield* hold("one"))
      assert.isFalse(yield* hold("other"))
      yield* TestClock.adjust("59 seconds")
      assert.isTrue(yield* hold("one"))
      yield* TestClock.adjust("59 seconds")
      assert.isFalse(yield* hold("other"))
      yield* TestClock.adjust("1 second")
      assert.isTrue(yield* hold("other"))
      assert.isFalse(yield* hold("one"))
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("two at once: one has it", () =>
    Effect.gen(function* () {
      const bucket = yield* meta
      const owners = [yield* newOwner, yield* newOwner, yield* newOwner]
      const held = yield* Effect.forEach(owners, (owner) => holdLease(bucket, "work", owner, 60), {
        concurrency: "unbounded"
      })
      assert.lengthOf(held.filter(Boolean), 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
