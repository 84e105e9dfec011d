import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Queue, Result } from "effect"
import { TestClock } from "effect/testing"
import { text } from "#bus/Message.ts"
import type { RunMessage } from "#ecs-core/Evolve.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aRun } from "#test/support/builders.ts"
import * as messages from "#test/support/messages.ts"
import { stored } from "#test/support/runs.ts"
import { type Answer, Confirm } from "./Confirm.ts"
import type { Signal } from "./Interrupts.ts"
import { memoryFleet, onScreen, putRun, type Screen } from "./memoryFleet.ts"
import { type StopAllOptions, stopAll, stopFilter } from "./stopAll.ts"

const named = (id: string, ...events: ReadonlyArray<RunMessage>) => ({ ...aRun(...events), runId: RunId.make(id) })

const inPool = (pool: string) => messages.requested(0, { pool })
const running = named("running-1", inPool("batch"), messages.ready(1), messages.started(2))
const launching = named("launching-1", inPool("other"), messages.ready(1))
const stopping = named("stopping-1", inPool("batch"), messages.ready(1), messages.started(2), messages.cancel(3))
const over = named("over-1", inPool("batch"), messages.ready(1), messages.started(2), messages.stopped(5))
const cancelled = (run: typeof running) => ({ ...run, state: "cancelled" as const })

const options: StopAllOptions = { filter: {}, reason: "fleet stop --all", yes: true, wait: false, json: false }

const start = Effect.fnUntraced(function* (change: Partial<StopAllOptions> = {}, answer: Answer = "nobody") {
  const screen: Screen = { out: "", err: "" }
  const questions: Array<string> = []
  const command = stopAll({ ...options, ...change }).pipe(
    Effect.provide(onScreen(screen, yield* Queue.unbounded<Signal>())),
    Effect.provide(Confirm.layerMemory(answer, questions))
  )
  return { screen, questions, fiber: yield* Effect.forkChild(command, { startImmediately: true }) }
})

const asked = Effect.map(stored(Streams.fleet, "run.cancel.*"), (all) =>
  all.map((message) => [message.subject, Result.getOrThrow(Codecs.runCancel.decode(text(message))).reason])
)

const all = [running, launching, stopping, over]

describe("fleet stop --all", () => {
  it.effect("asks for each run that is not over and was not asked to stop before, with a reason (peers 118, 123)", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(all, putRun)
      const { fiber, screen } = yield* start()
      yield* Fiber.join(fiber)
      assert.sameDeepMembers(yield* asked, [
        [Subjects.runCancel("running-1"), "fleet stop --all"],
        [Subjects.runCancel("launching-1"), "fleet stop --all"]
      ])
      assert.strictEqual(screen.out, "● asked to stop 3 runs; 1 of them before\n")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("twice, and where nothing fits: nothing is asked", () =>
    Effect.gen(function* () {
      yield* Effect.forEach([stopping, over], putRun)
      yield* Fiber.join((yield* start()).fiber)
      const { fiber, questions, screen } = yield* start({ filter: { pool: "none" }, yes: false })
      yield* Fiber.join(fiber)
      assert.deepStrictEqual([yield* asked, questions], [[], []])
      assert.strictEqual(screen.out, "No run fits: nothing to stop.\n")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("stops those that fit alone, after a person has agreed", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(all, putRun)
      const { fiber, questions } = yield* start({ filter: { pool: "other" }, yes: false, reason: "too dear" }, "yes")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(questions, ["Stop 1 run?"])
      assert.deepStrictEqual(yield* asked, [[Subjects.runCancel("launching-1"), "too dear"]])
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect.each([
    { answer: "no" as const, says: "Nothing was stopped.", exitCode: 1 },
    { answer: "nobody" as const, says: "say --yes", exitCode: 2 }
  ])("stops nothing where the answer is: $answer", ({ answer, exitCode, says }) =>
    Effect.gen(function* () {
      yield* putRun(running)
      const { fiber, questions } = yield* start({ yes: false }, answer)
      const failure = yield* Effect.flip(Fiber.join(fiber))
      assert.deepInclude(failure, { _tag: "Failure", exitCode })
      assert.include(failure.message, says)
      assert.deepStrictEqual(questions, ["Stop every run of this fleet (1 now)?"])
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("--wait shows how many are over, and at last how all of them ended", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(all, putRun)
      const { fiber, screen } = yield* start({ wait: true })
      const shows = (what: string) =>
        Effect.repeat(TestClock.adjust("1 second"), { until: () => screen.err.includes(what) })
      yield* shows("0 of 3 are over")
      yield* putRun(cancelled(running))
      yield* shows("1 of 3 are over")
      yield* Effect.forEach([cancelled(launching), { ...stopping, state: "succeeded" as const }], putRun)
      while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
      assert.strictEqual(screen.out, "✓ all 3 runs are over: 2 cancelled, 1 succeeded\n")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("--json: one object a line", () =>
    Effect.gen(function* () {
      const { fiber, screen } = yield* start({ wait: true, json: true })
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        screen.out
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as unknown),
        [
          { type: "asked", runs: 0, asked: 0 },
          { type: "over", runs: 0, outcomes: {} }
        ]
      )
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("stopFilter", () => {
  const none = { state: [], pool: Option.none(), label: [], since: Option.none() }

  it.effect("reads the flags of fleet ps", () =>
    Effect.gen(function* () {
      const filter = yield* stopFilter({ ...none, state: ["running"], pool: Option.some("batch"), label: ["a=b"] })
      assert.deepStrictEqual(filter, { states: ["running"], pool: "batch", labels: [["a", "b"]] })
    })
  )

  it.effect("refuses outcomes: what is over cannot be stopped", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(stopFilter({ ...none, state: ["failed"] }))
      assert.deepInclude(failure, { exitCode: 2 })
      assert.include(failure.message, "those runs are over")
    })
  )
})
