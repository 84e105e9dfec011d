import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue } from "effect"
import { TestClock } from "effect/testing"
import { Buckets } from "#bus/Bucket.ts"
import { noCounts, REBUILD_KEY, RebuildCodec, type RebuildState } from "#ecs-core/RebuildState.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { lastRebuild } from "#process/RebuildRequest.ts"
import type { Signal } from "./Interrupts.ts"
import { memoryFleet, onScreen, type Screen } from "./memoryFleet.ts"
import { NOBODY_SECONDS, rebuildRecords } from "./rebuild.ts"

const meta = Buckets.use((buckets) => buckets.open(BucketNames.meta))

/** What the command writes while `dispatcher` does its part, and how it fails. */
const beside = <E, R>(
  dispatcher: (screen: Screen) => Effect.Effect<void, E, R>,
  options: { readonly detach?: boolean; readonly json?: boolean } = {}
) =>
  Effect.gen(function* () {
    const screen: Screen = { out: "", err: "" }
    const signals = yield* Queue.unbounded<Signal>()
    const command = rebuildRecords({ detach: false, json: false, ...options }).pipe(
      Effect.provide(onScreen(screen, signals)),
      Effect.as(""),
      Effect.catch(({ message }) => Effect.succeed(message))
    )
    const fiber = yield* Effect.forkChild(command)
    yield* dispatcher(screen)
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("100 millis")
    return { ...screen, failed: yield* Fiber.join(fiber) }
  })

const untilAsked = Effect.gen(function* () {
  const bucket = yield* meta
  while (true) {
    const last = yield* lastRebuild(bucket)
    if (last?.rebuild.state === "wanted") return last.rebuild
    yield* TestClock.adjust("100 millis")
  }
})

/** What a dispatcher stores, step by step; each is seen before the next. */
const dispatching = (...steps: ReadonlyArray<Partial<RebuildState>>) =>
  Effect.gen(function* () {
    const bucket = yield* meta
    let state = yield* untilAsked
    for (const step of steps) {
      state = { ...state, ...step }
      yield* bucket.put(REBUILD_KEY, RebuildCodec.encode(state))
      for (let turn = 0; turn < 20; turn++) yield* TestClock.adjust("100 millis")
    }
  })

const counts = { created: 220, kept: 3, live: 20, incomplete: 1, left: 0 }
const running = { state: "running", owner: "d1", total: 1000 } as const

describe("fleet rebuild", () => {
  it.effect("asks, shows how far it is, and what was done", () =>
    Effect.gen(function* () {
      const steps = [
        { ...running, read: 0 },
        { read: 50 },
        { read: 500, created: 100 },
        { state: "done" as const, read: 1000, ...counts }
      ]
      const { err, failed, out } = yield* beside(() => dispatching(...steps))
      assert.strictEqual(failed, "")
      assert.deepStrictEqual(err.split("\n"), [
        "● a rebuild is asked for",
        "● 0 % of 1000 messages read, 0 records made",
        "● 50 % of 1000 messages read, 100 records made",
        ""
      ])
      assert.match(out, /^✓ 220 records rebuilt from 1000 messages\nRUNS +WHOSE RECORDS\n220 +made from/)
      assert.match(out, /\n20 +of these go on\n1 +of these are incomplete.*\n3 +were there.*\n0 +have none/)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("--json prints one object; a failure is told, and ends with 1", () =>
    Effect.gen(function* () {
      const failing = dispatching({ ...running, ...noCounts }, { state: "failed", error: "no answer" })
      const { failed, out } = yield* beside(() => failing, { json: true })
      assert.deepInclude(JSON.parse(out), { state: "failed", by: "fleet rebuild" })
      assert.strictEqual(failed, "Records were not rebuilt: no answer")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("says so when no dispatcher takes it", () =>
    Effect.gen(function* () {
      const patient = (screen: Screen) =>
        Effect.gen(function* () {
          yield* untilAsked
          yield* TestClock.adjust(`${NOBODY_SECONDS} seconds`)
          assert.include(screen.err, "No dispatcher has taken it yet")
          yield* dispatching({ ...running }, { state: "done" })
        })
      assert.strictEqual((yield* beside(patient)).failed, "")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("--detach only asks; twice is once", () =>
    Effect.gen(function* () {
      const bucket = yield* meta
      const detached = beside(() => Effect.void, { detach: true })
      assert.strictEqual((yield* detached).err, "Asked to rebuild records.\n")
      const first = yield* lastRebuild(bucket)
      yield* detached
      assert.deepStrictEqual(yield* lastRebuild(bucket), first)
    }).pipe(Effect.provide(memoryFleet()))
  )
})
