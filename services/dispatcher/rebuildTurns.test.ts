import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { Messages } from "#bus/Messages.ts"
import type { Publisher } from "#bus/Publisher.ts"
import { noCounts, REBUILD_SILENT_SECONDS, RebuildCodec, type RebuildState } from "#ecs-core/RebuildState.ts"
import type { Run } from "#ecs-core/Run.ts"
import { Streams } from "#ecs-core/Subjects.ts"
import { askForRebuild, lastRebuild } from "#process/RebuildRequest.ts"
import { crashEverywhere, inTime, layerMemoryFleet, type MemoryFleet } from "#test/support/MemoryFleet.ts"
import type { Fleet } from "./Fleet.ts"
import {
  countOf,
  dispatcher,
  history,
  loseRecords,
  quietly,
  records,
  settings,
  shortHistory
} from "./fixtures/lostRecords.ts"
import { rebuildRecords } from "./rebuild.ts"
import { askIfLost, rebuildIfWanted } from "./rebuildTurns.ts"

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
