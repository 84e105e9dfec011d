import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Bucket, Buckets } from "#bus/Bucket.ts"
import { RevisionConflict } from "#bus/BusError.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { aRun } from "#test/support/builders.ts"
import { inTime, keepRecord, layerMemoryFleet, recordOf } from "#test/support/MemoryFleet.ts"
import { cancel, ready, requested, runId } from "#test/support/messages.ts"
import { FOLD_TRIES_MAX, foldInto } from "./records.ts"

/** A bucket whose next updates lose against somebody else. */
const losing = (bucket: Bucket, losses: number): Bucket => {
  let left = losses
  return {
    ...bucket,
    update: (key, value, revision) =>
      left-- > 0 ? Effect.fail(new RevisionConflict({ bucket: bucket.name, key })) : bucket.update(key, value, revision)
  }
}

const runs = (losses: number) =>
  Effect.map(
    Effect.flatMap(Buckets, (buckets) => buckets.open(BucketNames.runs)),
    (bucket) => losing(bucket, losses)
  )

describe("foldInto", () => {
  it.effect("decides anew as long as others are faster", () =>
    Effect.gen(function* () {
      yield* keepRecord(aRun(requested(0), ready(1)))
      const folded = yield* inTime(foldInto(yield* runs(FOLD_TRIES_MAX), runId, cancel(2)))
      assert.isDefined(folded?.cancel)
      assert.deepStrictEqual(yield* recordOf(runId), folded)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("never: after too many lost races the message is handed back, not dead", () =>
    Effect.gen(function* () {
      yield* keepRecord(aRun(requested(0), ready(1)))
      const failure = yield* inTime(Effect.flip(foldInto(yield* runs(FOLD_TRIES_MAX + 1), runId, cancel(2))))
      assert.deepInclude(failure, { _tag: "BusUnavailable", reason: "Refused" })
      assert.isUndefined((yield* recordOf(runId))?.cancel)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
