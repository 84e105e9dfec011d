import { assert } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Queue, Stream } from "effect"
import type { Bucket, BucketEntry } from "#bus/Bucket.ts"
import { Buckets } from "#bus/Bucket.ts"
import { as, type BusIt, openBucket, openRoom, startClient, storedIn } from "./bus.facts.ts"

const text = (entry: BucketEntry) => new TextDecoder().decode(entry.value)

const valueOf = (bucket: Bucket, key: string) =>
  Effect.map(bucket.get(key), (entry) => Option.getOrUndefined(Option.map(entry, text)))

const bucketOfARoom = Effect.flatMap(openRoom(), openBucket)

export const bucketSuite = (it: BusIt): void => {
  it.effect("create, get, update, put, delete", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketOfARoom
      assert.isTrue(Option.isNone(yield* bucket.get("k")))
      const first = yield* bucket.create("k", "1")
      const entry = Option.getOrThrow(yield* bucket.get("k"))
      assert.deepInclude(entry, { key: "k", revision: first })
      const second = yield* bucket.update("k", "2", first)
      assert.isAbove(second, first)
      assert.strictEqual(yield* valueOf(bucket, "k"), "2")
      const third = yield* bucket.put("k", "3")
      assert.strictEqual(Option.getOrThrow(yield* bucket.get("k")).revision, third)
      yield* bucket.delete("k")
      yield* bucket.delete("k")
      yield* bucket.delete("never")
      assert.isTrue(Option.isNone(yield* bucket.get("k")))
    })
  )

  it.effect("create refuses a key that exists, and takes one that was deleted", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketOfARoom
      yield* bucket.create("k", "1")
      const refused = yield* Effect.flip(bucket.create("k", "1"))
      assert.deepInclude(refused, { _tag: "KeyExists", bucket: bucket.name, key: "k" })
      yield* bucket.delete("k")
      yield* bucket.create("k", "2")
      assert.strictEqual(yield* valueOf(bucket, "k"), "2")
    })
  )

  it.effect("update refuses a revision that is not the last one, a deleted and an unknown key", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketOfARoom
      const first = yield* bucket.create("k", "1")
      const second = yield* bucket.update("k", "2", first)
      const late = yield* Effect.flip(bucket.update("k", "late", first))
      yield* bucket.delete("k")
      const deleted = yield* Effect.flip(bucket.update("k", "deleted", second))
      const unknown = yield* Effect.flip(bucket.update("unknown", "x", 7))
      assert.deepStrictEqual(
        [late, deleted, unknown].map(({ _tag }) => _tag),
        ["RevisionConflict", "RevisionConflict", "RevisionConflict"]
      )
      assert.deepStrictEqual(yield* bucket.keys(), [])
    })
  )

  it.effect("deleteRevision takes away the value of that revision, and no other", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketOfARoom
      const first = yield* bucket.create("k", "1")
      const second = yield* bucket.update("k", "2", first)
      const late = yield* Effect.flip(bucket.deleteRevision("k", first))
      const unknown = yield* Effect.flip(bucket.deleteRevision("unknown", 7))
      assert.deepStrictEqual([late._tag, unknown._tag], ["RevisionConflict", "RevisionConflict"])
      assert.strictEqual(yield* valueOf(bucket, "k"), "2")
      yield* bucket.deleteRevision("k", second)
      assert.deepStrictEqual(yield* bucket.entries(), [])
      yield* bucket.create("k", "3")
      assert.strictEqual(yield* valueOf(bucket, "k"), "3")
    })
  )

  it.effect.each(["request", "answer"] as const)(
    "create and update whose %s is lost are done once and know it was them",
    (what) =>
      Effect.gen(function* () {
        const room = yield* openRoom()
        const client = yield* startClient
        const bucket = yield* openBucket(room).pipe(as(client))
        client.lose(what, 1)
        const first = yield* bucket.create("k", "1")
        client.lose(what, 1)
        const second = yield* bucket.update("k", "2", first)
        assert.deepInclude(Option.getOrThrow(yield* bucket.get("k")), { revision: second })
        assert.strictEqual(yield* valueOf(bucket, "k"), "2")
      })
  )

  it.effect("compare-and-set by eight writers at once loses no update", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const bucket = yield* openBucket(room)
      yield* bucket.create("n", "0")
      const increment = Effect.gen(function* () {
        const bucket = yield* openBucket(room)
        const entry = Option.getOrThrow(yield* bucket.get("n"))
        yield* bucket.update("n", String(Number(text(entry)) + 1), entry.revision)
      }).pipe(Effect.retry({ while: (error) => error._tag === "RevisionConflict" }))
      const writers = yield* Effect.all(Array.from({ length: 8 }, () => startClient))
      yield* Effect.forEach(writers, (client) => Effect.repeat(increment, { times: 9 }).pipe(as(client)), {
        concurrency: "unbounded"
      })
      assert.strictEqual(yield* valueOf(bucket, "n"), "80")
    })
  )

  it.effect("keys and entries: of an empty bucket, of many, without the deleted ones", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketOfARoom
      assert.deepStrictEqual(yield* Effect.all([bucket.keys(), bucket.entries()]), [[], []])
      const names = Array.from({ length: 600 }, (_, i) => `run.${i}`)
      yield* Effect.forEach(names, (key) => bucket.create(key, key), { concurrency: 50 })
      yield* bucket.put("run.7", "new")
      yield* bucket.delete("run.8")
      const kept = names.filter((key) => key !== "run.8")
      assert.deepStrictEqual((yield* bucket.keys()).toSorted(), kept.toSorted())
      const entries = new Map((yield* bucket.entries()).map((entry) => [entry.key, text(entry)]))
      assert.strictEqual(entries.size, 599)
      assert.deepStrictEqual([entries.get("run.7"), entries.get("run.9")], ["new", "run.9"])
    })
  )

  it.effect("entries while the keys are being written has every key that was there all the time", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketOfARoom
      const names = Array.from({ length: 100 }, (_, i) => `k${i}`)
      yield* Effect.forEach(names, (key) => bucket.put(key, "0"), { concurrency: 50 })
      const churn = yield* Effect.forkChild(
        Effect.forever(Effect.forEach(names, (key) => bucket.put(key, "1"), { concurrency: 4 }))
      )
      for (let n = 0; n < 5; n++) {
        const keys = (yield* bucket.entries()).map(({ key }) => key)
        assert.deepStrictEqual(keys.toSorted(), names.toSorted())
      }
      yield* Fiber.interrupt(churn)
    })
  )

  it.effect("watch gives the current value, then each change", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketOfARoom
      yield* bucket.put("k", "1")
      yield* bucket.put("other", "x")
      const begun = yield* Deferred.make<void>()
      const watching = yield* bucket.watch("k").pipe(
        Stream.map(text),
        Stream.tap(() => Deferred.succeed(begun, undefined)),
        Stream.takeUntil((value) => value === "4"),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* Deferred.await(begun)
      yield* bucket.put("k", "2")
      yield* bucket.put("k", "3")
      yield* bucket.delete("k")
      yield* bucket.put("k", "4")
      const values = yield* Fiber.join(watching)
      assert.deepStrictEqual([values.at(0), values.at(-1)], ["1", "4"])
      assert.deepStrictEqual(values, values.toSorted())
    })
  )

  it.effect("changes tell which keys changed, from now on", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketOfARoom
      yield* bucket.put("before", "1")
      const seen = yield* Queue.unbounded<string>()
      yield* Effect.forkScoped(Stream.runForEach(bucket.changes(), (key) => Queue.offer(seen, key)))
      assert.strictEqual(yield* Queue.take(seen), "before")
      yield* bucket.put("paused.a", "1")
      yield* bucket.put("a", "1")
      assert.deepStrictEqual(yield* Queue.takeN(seen, 2), ["paused.a", "a"])
    }).pipe(Effect.scoped)
  )

  it.effect("a deleted key leaves nothing behind that later reads would have to skip", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const bucket = yield* openBucket(room)
      yield* bucket.put("k", "1")
      yield* bucket.delete("k")
      assert.deepStrictEqual(yield* storedIn(`KV_${room.bucket}`), [])
    })
  )

  it.effect("an unknown bucket and a key that is none are refused with advice", () =>
    Effect.gen(function* () {
      const buckets = yield* Buckets
      const missing = yield* Effect.flip(buckets.open("no-such-bucket"))
      assert.deepInclude(missing, { reason: "Missing" })
      assert.include(missing.message, "no-such-bucket")
      const bucket = yield* bucketOfARoom
      const bad = yield* Effect.forEach(["", ".a", "a.", "a b", "a*", "a..b"], (key) =>
        Effect.flip(bucket.put(key, "x"))
      )
      assert.deepStrictEqual(new Set(bad.map(({ _tag }) => _tag)), new Set(["BusUnavailable"]))
      assert.deepStrictEqual(yield* bucket.keys(), [])
    })
  )
}
