import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { RunId } from "#ecs-core/Ids.ts"
import type { Run } from "#ecs-core/Run.ts"
import { aRun } from "#test/support/builders.ts"
import { cancel, ready, requested, started, stopped } from "#test/support/messages.ts"
import type { Signal } from "./Interrupts.ts"
import { memoryFleet, onScreen, putRun, type Screen } from "./memoryFleet.ts"
import { pausePool } from "./poolBucket.ts"
import { listRuns, PS_LIMIT } from "./ps.ts"
import type { PsOptions } from "./psOptions.ts"

const running = { ...aRun(requested(10), ready(11), started(12)), runId: RunId.make("running-1") }
const over = { ...aRun(requested(0), ready(1), started(2), stopped(5)), runId: RunId.make("over-1") }
const tombstone = { ...aRun(cancel(20)), runId: RunId.make("tombstone-1") }

const list = (options: Partial<PsOptions>) =>
  Effect.gen(function* () {
    const screen: Screen = { out: "", err: "" }
    const signals = yield* Queue.unbounded<Signal>()
    const all = { all: false, json: false, limit: PS_LIMIT, filter: {}, ...options }
    yield* listRuns(all).pipe(Effect.provide(onScreen(screen, signals)))
    return screen
  })

const ids = (screen: Screen): ReadonlyArray<string> =>
  screen.out
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(" ")[0] ?? "")

describe("listRuns", () => {
  it.effect("says the next command when there is nothing", () =>
    Effect.gen(function* () {
      assert.include((yield* list({})).out, "fleet run -- echo hello")
      assert.strictEqual((yield* list({ json: true })).out, "")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("lists what is going on, and with --all what is over; a cancel without a request is no run", () =>
    Effect.gen(function* () {
      yield* Effect.forEach([over, running, tombstone], putRun)
      assert.deepStrictEqual(ids(yield* list({ all: true })), ["running-1", "over-1"])
      assert.deepStrictEqual(ids(yield* list({})), ["running-1"])
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("lists those that fit, and says so where none does", () =>
    Effect.gen(function* () {
      yield* Effect.forEach([over, running], putRun)
      assert.deepStrictEqual(ids(yield* list({ all: true, filter: { states: ["running", "provisioning"] } })), [
        "running-1"
      ])
      assert.strictEqual((yield* list({ all: true, filter: { pool: "none" } })).out, "No run fits.\n")
      assert.include((yield* list({ filter: { pool: "none" } })).out, "add --all")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("shows the newest up to the limit and says that there are more", () =>
    Effect.gen(function* () {
      yield* Effect.forEach([over, running], putRun)
      const atLimit = yield* list({ all: true, limit: 2 })
      assert.deepStrictEqual([ids(atLimit).length, atLimit.err], [2, ""])
      const overLimit = yield* list({ all: true, limit: 1 })
      assert.deepStrictEqual(ids(overLimit), ["running-1"])
      assert.include(overLimit.err, "1 of 2; more with --limit")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("shows of a run that waits in a queue that its pool is paused", () =>
    Effect.gen(function* () {
      const queued: Run = { ...running, state: "queued", queuedAt: running.requestedAt, attempts: [], pool: "gpu" }
      yield* Effect.forEach([over, queued], putRun)
      yield* pausePool("gpu", { at: "2026-03-01T09:00:00.000Z" })
      yield* pausePool(over.pool ?? "", { at: "2026-03-01T09:00:00.000Z" })
      const { out } = yield* list({ all: true })
      assert.match(out, /running-1 .*queued, paused .* gpu /)
      assert.notMatch(out, /over-1 .*paused/)
      assert.deepInclude(JSON.parse((yield* list({ json: true })).out), { runId: "running-1", paused: true })
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("prints one object a line for programs", () =>
    Effect.gen(function* () {
      yield* putRun(running)
      const { out } = yield* list({ json: true })
      assert.deepInclude(JSON.parse(out), { runId: "running-1", state: running.state })
    }).pipe(Effect.provide(memoryFleet()))
  )
})
