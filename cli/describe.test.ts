import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { aLine, aRun } from "#test/support/builders.ts"
import { at, ready, requested, runId, started, stopped } from "#test/support/messages.ts"
import { describeRun } from "./describe.ts"
import type { Signal } from "./Interrupts.ts"
import { initFleet } from "./init.ts"
import { memoryFleet, onScreen, publishEnd, publishLines, putRun, type Screen } from "./memoryFleet.ts"

const shown = <A, E, R>(command: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const screen: Screen = { out: "", err: "" }
    const signals = yield* Queue.unbounded<Signal>()
    yield* command.pipe(Effect.provide(onScreen(screen, signals)))
    return screen.out
  })

describe("describeRun", () => {
  it.effect("shows the run whose id begins so, for people and for programs", () =>
    Effect.gen(function* () {
      yield* putRun(aRun(requested(0, { request: { env: { A: "secret" } } }), ready(1), started(2)))
      const text = yield* shown(describeRun(runId.slice(0, 6), false))
      assert.include(text, `Run        ${runId}\n`)
      const json = yield* shown(describeRun(runId, true))
      assert.deepInclude(JSON.parse(json), { runId, request: { env: { A: "***" } } })
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("describeRun of a run whose lines have ended", () => {
  it.effect("shows its last lines, whole, and where some may be missing", () =>
    Effect.gen(function* () {
      yield* putRun(aRun(requested(0), ready(1), started(2), stopped(5)))
      const tail = [aLine("begin ", { part: 1 }), aLine("end", { part: 2, last: true, id: aLine("begin ").id ?? "" })]
      yield* publishLines(runId, tail)
      assert.notInclude(yield* shown(describeRun(runId, false)), "Last lines")
      assert.notProperty(JSON.parse(yield* shown(describeRun(runId, true))), "logEnd")
      yield* publishEnd(runId, { lines: 2, complete: false, tail })
      const text = yield* shown(describeRun(runId, false))
      assert.include(text, "Last lines (UTC)\n  09:00:00  begin end\n")
      assert.include(text, "Lines      The last lines may be missing")
      const { logEnd } = JSON.parse(yield* shown(describeRun(runId, true))) as { readonly logEnd: unknown }
      const line = { time: at(0), container: "main", text: "begin end" }
      assert.deepStrictEqual(logEnd, { lines: 2, containers: [], complete: false, tail: [line] })
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("initFleet", () => {
  it.effect("twice: creates what is missing, then finds everything there and the same fleet", () =>
    Effect.gen(function* () {
      const text = yield* shown(initFleet)
      assert.match(text, /^Nothing to do: everything is there\.\nFleet [0-9a-f]{8}, topology revision \d+\.\n$/)
      assert.strictEqual(yield* shown(initFleet), text)
    }).pipe(Effect.provide(memoryFleet()))
  )
})
