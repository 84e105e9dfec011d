import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { BucketNames, Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import {
  again,
  crashEverywhere,
  defaultsOf,
  inTime,
  liveRuns,
  messagesOf,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import { dispatcherConfig } from "./config.ts"
import { makeFleet } from "./Fleet.ts"
import { handleRequest } from "./requests.ts"

const dispatcher = (requestsMax?: number) =>
  Effect.provide(makeFleet(defaultsOf(dispatcherConfig)), processPorts(requestsMax))

const poolSays = (text: string) =>
  Effect.flatMap(Buckets, (buckets) =>
    Effect.flatMap(buckets.open(BucketNames.pools), (pools) => pools.put("batch", text))
  ).pipe(Effect.orDie)

const poolGoes = Effect.flatMap(Buckets, (buckets) =>
  Effect.flatMap(buckets.open(BucketNames.pools), (pools) => pools.delete("batch"))
).pipe(Effect.orDie)

const count = (subject: string) =>
  Effect.map(messagesOf(Streams.fleet, subject, Codecs.runFinished), (all) => all.length)

describe("performEffects", () => {
  it.effect("crash between any two lines, and then the pool is gone: there is an order or an end, never neither", () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          yield* poolSays(JSON.stringify({ image: "alpine" }))
          const body = JSON.stringify({ runId: "nightly", pool: "batch" })
          const delivery = yield* published(Streams.inbox, Subjects.runRequested(), body)
          const first = Effect.flatMap(dispatcher(requestsMax), (fleet) => handleRequest(fleet, delivery))
          const survived = (yield* Effect.exit(inTime(first)))._tag === "Success"
          yield* poolGoes
          yield* Effect.exit(inTime(Effect.flatMap(dispatcher(), (fleet) => handleRequest(fleet, again(delivery)))))
          const orders = (yield* messagesOf(Streams.fleet, Filters.taskdefReady, Codecs.taskdefReady)).length
          const ends = yield* count(Filters.runFinished)
          assert.strictEqual(orders + ends, 1, `after ${requestsMax} requests`)
          assert.lengthOf(yield* liveRuns, orders)
          const run = yield* recordOf("nightly")
          if (ends > 0) ended.push(`${run?.state} ${run?.problems[0]?.code}`)
          return survived
        })
      )
      assert.isAbove(places, 5)
      assert.deepStrictEqual([...new Set(ended)].toSorted(), ["crashed InternalError", "rejected InvalidRequest"])
    })
  )
})
