import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { Buckets } from "#bus/Bucket.ts"
import { Messages } from "#bus/Messages.ts"
import type { Publisher } from "#bus/Publisher.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { noCounts, REBUILD_SILENT_SECONDS, RebuildCodec, type RebuildState } from "#ecs-core/RebuildState.ts"
import type { Run } from "#ecs-core/Run.ts"
import { BucketNames, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { askForRebuild, lastRebuild } from "#process/RebuildRequest.ts"
import {
  crashEverywhere,
  defaultsOf,
  inTime,
  layerMemoryFleet,
  liveRuns,
  type MemoryFleet,
  messagesOf,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import { failed, started, stopped } from "#test/support/messages.ts"
import { dispatcherConfig } from "./config.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { handleFact } from "./handle.ts"
import { rebuildRecords } from "./rebuild.ts"
import { askIfLost, rebuildIfWanted } from "./rebuildTurns.ts"
import { handleRequest } from "./requests.ts"

const settings = defaultsOf(dispatcherConfig)
const dispatcher = (requestsMax?: number) => Effect.provide(makeFleet(settings), processPorts(requestsMax))
const quietly = { bytesMax: settings.rebuildBytesMax, report: () => Effect.void }

const request = (fleet: Fleet, runId: string, body: object = {}) =>
  Effect.gen(function* () {
    const data = JSON.stringify({ image: "alpine", env: { TOKEN: "s3cret" }, ...body })
    yield* inTime(handleRequest(fleet, yield* published(Streams.inbox, Subjects.runRequested(runId), data)))
  })

const tell = (fleet: Fleet, subject: string, data: string) =>
  Effect.gen(function* () {
    yield* inTime(handleFact(fleet, yield* published(Streams.fleet, subject, data)))
  })

const start = (fleet: Fleet, id: string, attempt = 1) => {
  const fact = started(2, { runId: RunId.make(id), attempt }).message
  return tell(fleet, Subjects.taskStarted(id, attempt), Codecs.taskStarted.encode(fact))
}

const end = (fleet: Fleet, id: string, fact = stopped(9), attempt = 1) =>
  tell(
    fleet,
    Subjects.taskStopped(id, attempt),
    Codecs.taskStopped.encode({ ...fact.message, runId: RunId.make(id), attempt })
  )

const ids = ["over", "running", "refused", "again", "cancelled"]

/** Runs in several states, as one dispatcher left them. */
const history = (fleet: Fleet) =>
  Effect.gen(function* () {
    for (const id of ["over", "running", "cancelled"]) {
      yield* request(fleet, id)
      yield* start(fleet, id)
    }
    yield* end(fleet, "over")
    yield* request(fleet, "refused", { memory: 17, comand: ["true"] })
    yield* request(fleet, "again", { retry: { attempts: 1, backoffSeconds: 1, maxBackoffSeconds: 1 } })
    yield* start(fleet, "again")
    yield* end(fleet, "again", failed(9))
    yield* tell(fleet, Subjects.runCancel("cancelled"), JSON.stringify({ reason: "enough" }))
  })

/** One run that is over, one that goes on. */
const shortHistory = (fleet: Fleet) =>
  Effect.gen(function* () {
    for (const id of ["over", "running"]) yield* Effect.andThen(request(fleet, id), start(fleet, id))
    yield* end(fleet, "over")
  })

const bucket = (name: string) => Effect.orDie(Buckets.use((buckets) => buckets.open(name)))

const loseRecords = Effect.gen(function* () {
  const runs = yield* bucket(BucketNames.runs)
  for (const key of yield* runs.keys()) yield* runs.delete(key)
}).pipe(Effect.orDie)

const records = Effect.forEach(ids, recordOf)

const countOf = (stream: string) =>
  Effect.map(
    Messages.use((messages) => messages.last(stream, ">")),
    Option.match({ onNone: () => 0, onSome: ({ seq }) => seq })
  ).pipe(Effect.orDie)

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
      assert.deepInclude(counts, { created: 5, live: 3 })
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

const turn = (fleet: Fleet, owner: string) => inTime(rebuildIfWanted(fleet, settings, owner))
const whatWasLost = (runs: (fleet: Fleet) => Effect.Effect<void, unknown, Publisher | Messages> = history) =>
  Effect.gen(function* () {
    const fleet = yield* dispatcher()
    yield* Effect.orDie(runs(fleet))
    const before = yield* records
    yield* loseRecords
    yield* askForRebuild(fleet.meta, "fleet rebuild")
    return { fleet, before }
  })

describe("who rebuilds", () => {
  it.effect(
    "crash: at any request; the next dispatcher begins anew and completes it",
    () =>
      Effect.gen(function* () {
        const places = yield* crashEverywhere<unknown>(
          Effect.fnUntraced(function* (requestsMax: number): Effect.fn.Return<boolean, unknown, MemoryFleet> {
            const { fleet, before } = yield* whatWasLost(shortHistory)
            const messages = yield* countOf(Streams.fleet)
            const mortal = Effect.flatMap(dispatcher(requestsMax), (it) => rebuildIfWanted(it, settings, "mortal"))
            // Whoever reads a stream when it dies waits for ever.
            const lived = yield* inTime(Effect.exit(Effect.timeout(mortal, "60 seconds")))
            yield* TestClock.adjust(`${REBUILD_SILENT_SECONDS + 1} seconds`)
            yield* turn(fleet, "next")
            assert.deepStrictEqual(yield* records, before)
            assert.strictEqual(yield* countOf(Streams.fleet), messages)
            assert.strictEqual((yield* lastRebuild(fleet.meta))?.rebuild.state, "done")
            return lived._tag === "Success"
          })
        )
        assert.isAbove(places, 50)
      }),
    120_000
  )

  it.effect("two dispatchers at once: one does it", () =>
    Effect.gen(function* () {
      const { fleet, before } = yield* whatWasLost()
      const other = yield* dispatcher()
      yield* Effect.all([turn(fleet, "one"), turn(other, "other")], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* records, before)
      const last = yield* lastRebuild(fleet.meta)
      assert.deepInclude(last?.rebuild, { state: "done", created: 5, kept: 0, live: 3 })
      assert.strictEqual(last?.rebuild.read, last?.rebuild.total)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("two dispatchers at once, both at work: the records are the same, none is replaced", () =>
    Effect.gen(function* () {
      const { fleet, before } = yield* whatWasLost()
      const other = yield* dispatcher()
      const both = yield* inTime(
        Effect.all([rebuildRecords(fleet, quietly), rebuildRecords(other, quietly)], { concurrency: "unbounded" })
      )
      assert.strictEqual(
        both.reduce((sum, { created }) => sum + created, 0),
        5
      )
      assert.deepStrictEqual(yield* records, before)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("one that is at work is left alone for as long as it gives signs of life", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      const state: RebuildState = {
        id: "1",
        state: "running",
        at: "2026-03-01T09:00:00.000Z",
        by: "fleet rebuild",
        owner: "other",
        read: 0,
        total: 0,
        ...noCounts
      }
      yield* fleet.meta.put("rebuild", RebuildCodec.encode(state))
      yield* TestClock.adjust(`${REBUILD_SILENT_SECONDS - 1} seconds`)
      yield* turn(fleet, "next")
      assert.strictEqual((yield* lastRebuild(fleet.meta))?.rebuild.state, "running")
      yield* TestClock.adjust("2 seconds")
      yield* turn(fleet, "next")
      assert.strictEqual((yield* lastRebuild(fleet.meta))?.rebuild.state, "done")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("a new fleet asks for nothing; one that has lost its records asks once", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher()
      yield* askIfLost(fleet)
      assert.isUndefined(yield* lastRebuild(fleet.meta))
      yield* history(fleet)
      yield* askIfLost(fleet)
      assert.isUndefined(yield* lastRebuild(fleet.meta))
      yield* loseRecords
      yield* askIfLost(fleet)
      yield* askIfLost(fleet)
      const first = yield* lastRebuild(fleet.meta)
      assert.deepInclude(first?.rebuild, { state: "wanted", by: "dispatcher" })
      yield* turn(fleet, "one")
      const isEqual = (run: Run | undefined) => run !== undefined
      assert.isTrue((yield* records).every(isEqual))
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
