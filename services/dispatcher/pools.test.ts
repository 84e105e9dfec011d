import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Result } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { GoodPoolCodec } from "#ecs-core/Pool.ts"
import { BucketNames, goodKey, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { defaultsOf, layerMemoryFleet, processPorts, published, recordOf } from "#test/support/MemoryFleet.ts"
import { dispatcherConfig } from "./config.ts"
import { makeFleet } from "./Fleet.ts"
import { makePoolMemory, POOLS_REMEMBERED_MAX, poolInForce } from "./pools.ts"
import { handleRequest } from "./requests.ts"

const dispatcher = Effect.provide(makeFleet(defaultsOf(dispatcherConfig)), processPorts())

const bucket = Effect.flatMap(Buckets, (buckets) => buckets.open(BucketNames.pools))
const put = (key: string, value: string) => Effect.flatMap(bucket, (pools) => pools.put(key, value))

const good = (name: string) =>
  Effect.map(
    Effect.flatMap(bucket, (pools) => pools.get(goodKey(name))),
    Option.map(({ value }) => Result.getOrThrow(GoodPoolCodec.decode(text({ data: value }))))
  )

const request = (body: object) => published(Streams.inbox, Subjects.runRequested(), JSON.stringify(body))

/** A run of this pool, as one dispatcher or another makes it. */
const runOf = (runId: string, pool: string, by = dispatcher) =>
  Effect.gen(function* () {
    yield* handleRequest(yield* by, yield* request({ runId, pool, command: ["true"] }))
    return (yield* recordOf(runId)) ?? assert.fail("no record")
  })

describe("a pool that somebody broke by hand", () => {
  it.effect(
    "breaks no run: every replica uses its last good version, also one that never saw it, and the run says so",
    () =>
      Effect.gen(function* () {
        yield* put("nightly", '{"image":"alpine","region":"eu-central-1"}')
        assert.strictEqual((yield* runOf("one", "nightly")).state, "launching")
        for (const broken of ["{", '{"cpu":"much"}', '{"taskDefinition":{"Cpu":"1"}}', "[]"]) {
          yield* put("nightly", broken)
          const run = yield* runOf(`run${broken.length}`, "nightly")
          assert.strictEqual(run.state, "launching")
          assert.strictEqual(run.attempts[0]?.target.region, "eu-central-1")
          assert.include(JSON.stringify(run), "its last good version was used")
        }
        yield* put("nightly", '{"image":"alpine","region":"eu-west-1"}')
        const run = yield* runOf("mended", "nightly")
        assert.strictEqual(run.attempts[0]?.target.region, "eu-west-1")
        assert.notInclude(JSON.stringify(run), "last good version")
      }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("without a good version: rejected, with all that is wrong with it", () =>
    Effect.gen(function* () {
      yield* put("nightly", '{"cpu":"much","taskDefinition":{"Cpu":"1"}}')
      const run = yield* runOf("one", "nightly")
      assert.strictEqual(run.state, "rejected")
      assert.deepStrictEqual(
        run.problems?.map(({ field }) => field),
        ["pool", "pool"]
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("what only a request with values makes whole is no broken pool; a field of a later version neither", () =>
    Effect.gen(function* () {
      yield* put(
        "vpc",
        '{"image":"alpine","networkConfiguration":{"subnets":"{{ s }}"},"variables":{"s":{}},"toCome":1}'
      )
      const fleet = yield* dispatcher
      assert.isTrue(Result.isSuccess(yield* poolInForce(fleet, "vpc")))
      const run = yield* runOf("bare", "vpc")
      assert.deepStrictEqual(
        run.problems?.map(({ field }) => field),
        ["variables.s"]
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("the good version", () => {
  it.effect("is kept once for each version, and one that comes late replaces no newer one", () =>
    Effect.gen(function* () {
      const pools = yield* bucket
      const [first, late] = [
        { pools, poolMemory: makePoolMemory() },
        { pools, poolMemory: makePoolMemory() }
      ]
      yield* put("nightly", '{"cpu":256}')
      const old = Option.getOrThrow(yield* pools.get("nightly"))
      yield* put("nightly", '{"cpu":512}')
      yield* poolInForce(first, "nightly")
      const kept = Option.getOrThrow(yield* pools.get(goodKey("nightly")))
      yield* poolInForce(
        { ...late, pools: { ...pools, get: (key) => (key === "nightly" ? Effect.succeedSome(old) : pools.get(key)) } },
        "nightly"
      )
      yield* poolInForce(first, "nightly")
      assert.deepStrictEqual(Option.getOrThrow(yield* pools.get(goodKey("nightly"))), kept)
      assert.deepStrictEqual(
        Option.map(yield* good("nightly"), ({ pool }) => pool),
        Option.some({ cpu: 512 })
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("of so many pools a replica remembers that it is kept, and of no more", () =>
    Effect.gen(function* () {
      const pools = yield* bucket
      const replica = { pools, poolMemory: makePoolMemory() }
      for (let n = 0; n < POOLS_REMEMBERED_MAX; n++) replica.poolMemory.kept.set(`p${n}`, 1)
      yield* put("one-more", "{}")
      yield* poolInForce(replica, "one-more")
      assert.deepStrictEqual([...replica.poolMemory.kept.keys()], ["one-more"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
