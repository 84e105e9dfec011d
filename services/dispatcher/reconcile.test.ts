import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { MemoryServer } from "#bus/MemoryServer.ts"
import { Messages } from "#bus/Messages.ts"
import { WireError } from "#bus/wire/Wire.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { lastRebuild } from "#process/RebuildRequest.ts"
import {
  defaultsOf,
  inTime,
  layerMemoryFleet,
  liveRuns,
  messagesOf,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import { started, stopped } from "#test/support/messages.ts"
import { dispatcherConfig } from "./config.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { handleFact } from "./handle.ts"
import { rebuildIfWanted } from "./rebuildTurns.ts"
import { nextOf, nothingSeen, reconcile } from "./reconcile.ts"
import { GIVE_UP_SECONDS, QUIET_SECONDS } from "./reconcileDecide.ts"
import { handleRequest } from "./requests.ts"

const settings = defaultsOf(dispatcherConfig)
const dispatcher = Effect.provide(makeFleet(settings), processPorts())
const quiet = TestClock.adjust(`${QUIET_SECONDS} seconds`)

const request = (fleet: Fleet, id: string) =>
  Effect.gen(function* () {
    const data = JSON.stringify({ image: "alpine" })
    yield* inTime(handleRequest(fleet, yield* published(Streams.inbox, Subjects.runRequested(id), data)))
  })

/** A fact that is stored, and that its handler lost. */
const start = (id: string) =>
  published(
    Streams.fleet,
    Subjects.taskStarted(id, 1),
    Codecs.taskStarted.encode(started(2, { runId: RunId.make(id) }).message)
  )
const end = (id: string) =>
  published(
    Streams.fleet,
    Subjects.taskStopped(id, 1),
    Codecs.taskStopped.encode(stopped(9, { runId: RunId.make(id) }).message)
  )

const sweep = (fleet: Fleet, memory = nothingSeen()) => inTime(reconcile(fleet, settings, memory))

/** An operator purges the stream. */
const purge = Effect.map(MemoryServer, ({ state }) => {
  const stream = state.stream(Streams.fleet)
  if (stream instanceof WireError) return
  for (let seq = 1; seq <= stream.lastSeq; seq++) stream.remove(seq)
})

describe("the sweep over records", () => {
  it.effect("never: facts that were lost are folded from the stream, and the run ends, once", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher
      yield* request(fleet, "lost")
      yield* start("lost")
      yield* end("lost")
      yield* sweep(fleet)
      assert.strictEqual((yield* recordOf("lost"))?.state, "launching")
      yield* quiet
      yield* sweep(fleet)
      yield* sweep(fleet)
      assert.strictEqual((yield* recordOf("lost"))?.state, "succeeded")
      assert.lengthOf(yield* messagesOf(Streams.fleet, Subjects.runFinished("lost"), Codecs.runFinished), 1)
      assert.deepStrictEqual(yield* liveRuns, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("never: an order that was lost with all else is not published again; its run ends as OutcomeUnknown", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher
      const memory = nothingSeen()
      yield* request(fleet, "purged")
      yield* TestClock.adjust("10 seconds")
      yield* purge
      yield* quiet
      yield* sweep(fleet, memory)
      assert.deepStrictEqual(
        yield* messagesOf(Streams.fleet, Subjects.taskdefReady("purged", 1), Codecs.taskdefReady),
        []
      )
      assert.strictEqual((yield* recordOf("purged"))?.state, "launching")
      yield* TestClock.adjust(`${GIVE_UP_SECONDS} seconds`)
      yield* sweep(fleet, memory)
      const run = yield* recordOf("purged")
      assert.strictEqual(run?.state, "crashed")
      assert.strictEqual(run?.problems[0]?.code, "OutcomeUnknown")
      assert.lengthOf(yield* messagesOf(Streams.fleet, Subjects.runFinished("purged"), Codecs.runFinished), 1)
      assert.deepStrictEqual(
        yield* messagesOf(Streams.fleet, Subjects.taskdefReady("purged", 1), Codecs.taskdefReady),
        []
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("keys of live runs: made where one is missing, removed where nothing is left of a run", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher
      const memory = nothingSeen()
      yield* request(fleet, "alive")
      yield* fleet.live.delete("alive")
      yield* fleet.live.put("nobody", "{}")
      yield* sweep(fleet, memory)
      assert.deepStrictEqual(yield* liveRuns, ["alive"])
      yield* request(fleet, "later")
      yield* fleet.live.delete("later")
      yield* sweep(fleet, memory)
      assert.deepStrictEqual((yield* liveRuns).toSorted(), ["alive", "later"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("a record that is over is left as it is", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher
      yield* request(fleet, "over")
      yield* handleFact(fleet, yield* start("over"))
      yield* handleFact(fleet, yield* end("over"))
      const revision = Effect.map(
        fleet.runs.get("over"),
        Option.map((entry) => entry.revision)
      )
      const before = yield* revision
      yield* fleet.live.put("over", "{}")
      yield* quiet
      yield* sweep(fleet)
      assert.deepStrictEqual(yield* revision, before)
      assert.deepStrictEqual(yield* liveRuns, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect(
    "never: a run whose record is lost has it made by a rebuild, asked for once; what cannot be made is dropped",
    () =>
      Effect.gen(function* () {
        const fleet = yield* dispatcher
        const memory = nothingSeen()
        yield* request(fleet, "kept")
        yield* request(fleet, "lost")
        yield* fleet.runs.delete("lost")
        yield* handleFact(fleet, yield* start("lost"))
        assert.include(yield* liveRuns, "lost")
        yield* sweep(fleet, memory)
        const asked = yield* lastRebuild(fleet.meta)
        assert.strictEqual(asked?.rebuild.state, "wanted")
        yield* sweep(fleet, memory)
        assert.deepStrictEqual(yield* lastRebuild(fleet.meta), asked)
        yield* inTime(rebuildIfWanted(fleet, settings, "one"))
        assert.strictEqual((yield* recordOf("lost"))?.state, "provisioning")
        yield* published(Streams.fleet, Subjects.taskStop("hopeless", 1), "{}")
        yield* fleet.live.put("hopeless", "{}")
        yield* sweep(fleet, memory)
        yield* inTime(rebuildIfWanted(fleet, settings, "one"))
        yield* sweep(fleet, memory)
        assert.deepStrictEqual((yield* liveRuns).toSorted(), ["kept", "lost"])
        assert.isTrue(
          Option.isSome(yield* Messages.use((all) => all.last(Streams.fleet, Subjects.taskStop("hopeless", 1))))
        )
      }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("one run that cannot be read holds up no other", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher
      yield* request(fleet, "a-broken")
      yield* request(fleet, "lost")
      yield* start("lost")
      yield* fleet.runs.put("a-broken", "{}")
      yield* quiet
      yield* sweep(fleet)
      assert.strictEqual((yield* recordOf("lost"))?.state, "provisioning")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("with more live runs than one sweep looks at", () => {
  it.each([
    [["a", "b", "c"], "", 2, ["a", "b"]],
    [["a", "b", "c"], "b", 2, ["c", "a"]],
    [["a", "b", "c"], "c", 2, ["a", "b"]],
    [["a", "c"], "b", 1, ["c"]],
    [["a"], "a", 5, ["a"]],
    [[], "a", 5, []]
  ])("%j, after %j, at most %i: %j", (sorted, last, max, due) => {
    assert.deepStrictEqual(nextOf(sorted, last, max), due)
  })
})
