import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { PoolPauseCodec } from "#ecs-core/Pool.ts"
import { pauseKey, Streams, Subjects } from "#ecs-core/Subjects.ts"
import {
  defaultsOf,
  inTime,
  layerMemoryFleet,
  liveRuns,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import { at } from "#test/support/messages.ts"
import { dispatcherConfig } from "./config.ts"
import { QUEUE_MARGIN_SECONDS } from "./decide.ts"
import { makeFleet } from "./Fleet.ts"
import { lookForOld } from "./oldQueued.ts"
import { handleRequest } from "./requests.ts"

const settings = defaultsOf(dispatcherConfig)

describe("a run that queues for as long as its request lives", () => {
  it.effect("is ended an hour before, with what to do; one second earlier it still waits", () =>
    Effect.gen(function* () {
      const fleet = yield* Effect.provide(makeFleet(settings), processPorts())
      yield* fleet.pools.put(pauseKey("default"), PoolPauseCodec.encode({ at: at(0) }))
      const body = JSON.stringify({ image: "alpine" })
      const delivery = yield* published(Streams.inbox, Subjects.runRequested("old"), body)
      yield* handleRequest(fleet, delivery)
      yield* TestClock.adjust(`${settings.streamAgeSeconds - QUEUE_MARGIN_SECONDS - 1} seconds`)
      yield* inTime(lookForOld(fleet, settings))
      assert.deepInclude(yield* recordOf("old"), { state: "queued" })
      yield* TestClock.adjust("1 second")
      yield* inTime(lookForOld(fleet, settings))
      assert.deepInclude(yield* recordOf("old"), { state: "timed_out", phase: "launch" })
      assert.deepStrictEqual(yield* liveRuns, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
