import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Messages } from "#bus/Messages.ts"
import type { Publisher } from "#bus/Publisher.ts"
import { LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { noCounts } from "#ecs-core/RebuildState.ts"
import { BucketNames, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { inTime, layerMemoryFleet, liveRuns, messagesOf, published, recordOf } from "#test/support/MemoryFleet.ts"
import {
  bucket,
  countOf,
  dispatcher,
  end,
  history,
  loseRecords,
  quietly,
  records,
  start,
  tell
} from "./fixtures/lostRecords.ts"
import { rebuildRecords } from "./rebuild.ts"

describe("a rebuild", () => {
  it.effect("makes the same records and keys, and tells nothing twice", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* history(fleet)
      const [before, live, messages] = [yield* records, yield* liveRuns, yield* countOf(Streams.fleet)]
      yield* loseRecords
      const counts = yield* inTime(rebuildRecords(fleet, quietly))
      assert.deepStrictEqual(counts, { ...noCounts, created: 5, live: 3 })
      assert.deepStrictEqual(yield* records, before)
      assert.deepStrictEqual((yield* liveRuns).toSorted(), live.toSorted())
      assert.strictEqual(yield* countOf(Streams.fleet), messages)
      assert.notInclude(JSON.stringify(yield* records), "s3cret")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("never overwrites: a record that is there stays, and its run has its key again", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* history(fleet)
      const before = yield* records
      const live = yield* bucket(BucketNames.live)
      for (const id of ["running", "over"]) yield* live.delete(id)
      yield* fleet.runs.delete("cancelled")
      assert.deepStrictEqual(yield* inTime(rebuildRecords(fleet, quietly)), {
        ...noCounts,
        created: 1,
        kept: 4,
        live: 1
      })
      assert.deepStrictEqual(yield* records, before)
      assert.deepStrictEqual((yield* liveRuns).toSorted(), ["again", "cancelled", "running"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("twice, with a byte of room, in passes: as many records as with all of it", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* history(fleet)
      const before = yield* records
      yield* loseRecords
      const counts = yield* inTime(rebuildRecords(fleet, { ...quietly, bytesMax: 1 }))
      assert.deepInclude(counts, { created: 5, kept: 0, live: 3 })
      assert.deepStrictEqual(yield* records, before)
      assert.deepInclude(yield* inTime(rebuildRecords(fleet, quietly)), { created: 0, kept: 5 })
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("late: a fact that a handler acknowledged while there was no record is in it all the same", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* history(fleet)
      yield* loseRecords
      let told = false
      const report = () =>
        Effect.suspend(() => {
          if (told) return Effect.void
          told = true
          return Effect.orDie(Effect.provideContext(end(fleet, "running"), context))
        })
      const context = yield* Effect.context<Publisher | Messages>()
      yield* inTime(rebuildRecords(fleet, { ...quietly, report }))
      assert.strictEqual((yield* recordOf("running"))?.state, "succeeded")
      assert.lengthOf(yield* messagesOf(Streams.fleet, Subjects.runFinished("running"), Codecs.runFinished), 1)
      assert.notInclude(yield* liveRuns, "running")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("out of order: a wish that found no record of its run is part of the run", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* history(fleet)
      yield* loseRecords
      yield* tell(fleet, Subjects.runCancel("running"), "{}")
      assert.isUndefined((yield* recordOf("running"))?.requestSequence)
      yield* inTime(rebuildRecords(fleet, quietly))
      const run = yield* recordOf("running")
      assert.isDefined(run?.requestSequence)
      assert.isDefined(run?.cancel)
      assert.lengthOf(yield* messagesOf(Streams.fleet, Subjects.taskStop("running", 1), Codecs.taskStop), 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("leaves a request that nobody has read to whoever reads it", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* published(Streams.inbox, Subjects.runRequested("unread"), JSON.stringify({ image: "alpine" }))
      assert.deepStrictEqual(yield* inTime(rebuildRecords(fleet, quietly)), { ...noCounts, left: 1 })
      assert.isUndefined(yield* recordOf("unread"))
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("launches nothing on a guess: of a request that was read nothing else is left", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* published(Streams.inbox, Subjects.runRequested("trimmed"), JSON.stringify({ image: "alpine" }))
      const backlog = () => Effect.succeedSome({ waiting: 0, unacked: 0, handedOutSeq: 1, ackedSeq: 1 })
      const read = { ...fleet, topology: { ...fleet.topology, backlog } }
      const counts = yield* inTime(rebuildRecords(read, quietly))
      assert.deepStrictEqual(counts, { ...noCounts, created: 1, live: 1, incomplete: 1 })
      assert.deepInclude(yield* recordOf("trimmed"), { state: "defining", incomplete: true, attempts: [] })
      assert.strictEqual(yield* countOf(Streams.fleet), 0)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("of a run whose messages are gone, but whose lines have their end, makes none", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* start(fleet, "trimmed")
      yield* fleet.live.put("trimmed", "{}")
      const data = LogCodecs.end.encode({ end: { lines: 0, containers: [], complete: true } })
      yield* published(Streams.logs, Subjects.logs("trimmed"), data)
      assert.deepStrictEqual(yield* inTime(rebuildRecords(fleet, quietly)), { ...noCounts, left: 1 })
      assert.isUndefined(yield* recordOf("trimmed"))
      assert.deepStrictEqual(yield* liveRuns, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
