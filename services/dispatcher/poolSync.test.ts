import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Result } from "effect"
import { TestClock } from "effect/testing"
import { Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { parseJson } from "#ecs-core/Codec.ts"
import type { Json } from "#ecs-core/Json.ts"
import { BucketNames, goodKey } from "#ecs-core/Subjects.ts"
import { Health } from "#process/Health.ts"
import { crashEverywhere, inTime, layerMemoryBus, processPorts } from "#test/support/MemoryFleet.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { followPools, type Known, settle } from "./poolSync.ts"

const bucket = Effect.flatMap(Buckets, (buckets) => buckets.open(BucketNames.pools))

const stored = (key: string) =>
  Effect.map(
    Effect.flatMap(bucket, (pools) => pools.get(key)),
    Option.match({
      onNone: () => undefined,
      onSome: ({ value }): Json => Result.getOrElse(parseJson(text({ data: value })), () => ({})) as Json
    })
  )

/** Revisions grow with every write: how many there were. */
const writes = Effect.map(
  Effect.flatMap(bucket, (pools) => pools.put("counter", "{}")),
  (revision) => revision
)

const fileOf = (folder: string, name = "pools.yaml") => {
  const path = join(folder, name)
  return { path, write: (value: string) => writeFileSync(path, value) }
}

const settings = (path: string) => ({ pools: path, poolsRefreshSeconds: 30, region: "us-east-1" })

/** A replica of the dispatcher, as far as pools go: it has read its file once when this returns. */
const replica = (path: string) =>
  Effect.gen(function* () {
    const follower = yield* followPools(yield* bucket, settings(path), 86_400)
    return yield* Effect.forkScoped(follower ?? Effect.never)
  })

/** Files are read by the real disk: the clock goes on until a fact holds. */
const until = <A, E, R>(fact: Effect.Effect<A, E, R>, holds: (value: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    while (true) {
      const value = yield* fact
      if (holds(value)) return value
      yield* TestClock.adjust("30 seconds")
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
  })

const layerBus = Layer.merge(Layer.fresh(layerMemoryBus), Health.layer)
const ready = Effect.flatMap(Health, ({ report }) => report)

describe("a file of pools", () => {
  it.effect("is in the bucket before the first request is read; a change of it follows, a pool taken out goes", () =>
    Effect.gen(function* () {
      const { path, write } = fileOf(yield* tempFolder("pools"))
      yield* (yield* bucket).put("theirs", '{"image":"debian"}')
      write("pools: {a: {image: alpine}, b: {}}")
      yield* replica(path)
      assert.deepStrictEqual(yield* stored("a"), { v: 1, image: "alpine", source: "file" })
      write("pools: {a: {image: alpine, cpu: 512}}")
      yield* until(stored("a"), (pool) => pool?.["cpu"] === 512)
      yield* until(stored("b"), (pool) => pool === undefined)
      assert.deepStrictEqual(yield* stored("theirs"), { image: "debian" })
    }).pipe(Effect.provide(layerBus))
  )

  it.effect("unreadable or wrong at the start: a bad setting, with all problems", () =>
    Effect.gen(function* () {
      const { path, write } = fileOf(yield* tempFolder("pools"))
      const start = Effect.result(replica(path))
      const missing = yield* start
      assert.include(Result.isFailure(missing) ? missing.failure.message : "", "FLEET_POOLS: in ")
      write("pools: {a: {cpu: much, imgae: x}}")
      const wrong = yield* start
      assert.deepInclude(Result.isFailure(wrong) ? wrong.failure : {}, { _tag: "ConfigInvalid" })
      const { message } = Result.isFailure(wrong) ? wrong.failure : assert.fail("started")
      assert.include(message, "2 settings need attention")
      assert.include(message, 'Pool "a": Field "cpu": expected')
      assert.include(message, 'Did you mean "image"?')
      assert.isUndefined(yield* stored("a"))
    }).pipe(Effect.provide(layerBus))
  )

  it.effect("wrong later on: the last good version stays, /ready says so, and is well again with the file", () =>
    Effect.gen(function* () {
      const { path, write } = fileOf(yield* tempFolder("pools"))
      write("pools: {a: {image: alpine}}")
      yield* replica(path)
      write("pools: {a: {image: 5}}")
      const unwell = yield* until(ready, (report) => !report.ready)
      assert.include(unwell.parts[0]?.status, "the last good version is in force: ")
      assert.include(unwell.parts[0]?.status, 'Field "image"')
      assert.deepInclude(yield* stored("a"), { image: "alpine" })
      write("pools: {a: {image: debian}}")
      yield* until(stored("a"), (pool) => pool?.["image"] === "debian")
      assert.isTrue((yield* ready).ready)
    }).pipe(Effect.provide(layerBus))
  )

  it.effect("what somebody breaks or changes by hand is put right", () =>
    Effect.gen(function* () {
      const { path, write } = fileOf(yield* tempFolder("pools"))
      write("pools: {a: {image: alpine}}")
      yield* replica(path)
      const pools = yield* bucket
      yield* pools.put("a", "not json")
      assert.deepInclude(yield* until(stored("a"), (pool) => pool?.["source"] === "file"), { image: "alpine" })
      yield* pools.put("a", '{"image":"debian"}')
      assert.deepInclude(yield* until(stored("a"), (pool) => pool?.["source"] === "file"), { image: "alpine" })
    }).pipe(Effect.provide(layerBus))
  )

  it.effect("two replicas with different versions: the last start wins, and neither writes again", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder("pools")
      const [one, two] = [fileOf(folder, "one.yaml"), fileOf(folder, "two.yaml")]
      one.write("pools: {a: {image: alpine}, old: {}}")
      two.write("pools: {a: {image: debian}, new: {}}")
      const first = yield* replica(one.path)
      yield* replica(two.path)
      assert.deepInclude(yield* stored("a"), { image: "debian" })
      assert.deepStrictEqual([yield* stored("old"), (yield* stored("new"))?.["source"]], [undefined, "file"])
      const before = yield* writes
      for (let round = 0; round < 20; round++) {
        yield* TestClock.adjust("30 seconds")
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      assert.strictEqual(yield* writes, before + 1)
      yield* Fiber.interrupt(first)
      one.write("pools: {a: {image: debian}, new: {}}")
      yield* replica(one.path)
      assert.strictEqual(yield* writes, before + 2)
    }).pipe(Effect.provide(layerBus))
  )

  it.effect("two replicas that start at once with the same file write each pool once", () =>
    Effect.gen(function* () {
      const { path, write } = fileOf(yield* tempFolder("pools"))
      write(`pools: {${Array.from({ length: 20 }, (_, n) => `p${n}: {cpu: ${256 + n}}`).join(", ")}}`)
      yield* Effect.all([replica(path), replica(path), replica(path)], { concurrency: 3 })
      assert.strictEqual(yield* writes, 21)
    }).pipe(Effect.provide(layerBus))
  )
})

describe("a replica that dies between any two lines", () => {
  it.effect("is completed by the next start: every pool is there, the one taken out is gone", () =>
    Effect.gen(function* () {
      const named = new Map(Object.entries({ a: { image: "alpine" }, b: {} }))
      const known = (): Known => ({ read: { version: "1", pools: named }, isNews: true, status: "ok" })
      const places = yield* crashEverywhere((requestsMax) =>
        Effect.gen(function* () {
          const pools = yield* bucket
          yield* pools.put("old", '{"source":"file"}')
          yield* pools.put(goodKey("old"), '{"revision":1,"pool":{}}')
          const start = Effect.flatMap(bucket, (ports) => settle(ports, known()))
          const life = Effect.provide(start, processPorts(requestsMax), { local: true }).pipe(
            Effect.timeout("2 minutes")
          )
          const lived = yield* inTime(Effect.result(life))
          yield* settle(pools, known())
          assert.deepStrictEqual((yield* pools.keys()).toSorted(), ["a", "b"])
          return Result.isSuccess(lived)
        })
      )
      assert.isAbove(places, 4)
    })
  )
})
