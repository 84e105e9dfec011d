import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Option, Queue } from "effect"
import { TestClock } from "effect/testing"
import { Consumer } from "#bus/Consumer.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { RunMessage } from "#ecs-core/Evolve.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Durables, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aMarker, aRun, aTaskStarted } from "#test/support/builders.ts"
import * as messages from "#test/support/messages.ts"
import { runId } from "#test/support/messages.ts"
import { type DrainOptions, drainFleet } from "./drain.ts"
import { LAST_CALLS_MILLIS } from "./drainProgress.ts"
import type { Signal } from "./Interrupts.ts"
import { memoryFleet, onScreen, putRun, type Screen } from "./memoryFleet.ts"
import { listRuns } from "./ps.ts"

const options: DrainOptions = {
  end: false,
  noWait: false,
  reason: Option.none(),
  timeoutSeconds: Option.none(),
  json: false
}

const start = Effect.fnUntraced(function* (change: Partial<DrainOptions> = {}) {
  const screen: Screen = { out: "", err: "" }
  const signals = yield* Queue.unbounded<Signal>()
  const command = drainFleet({ ...options, ...change }).pipe(Effect.provide(onScreen(screen, signals)))
  return { screen, signals, fiber: yield* Effect.forkChild(command, { startImmediately: true }) }
})

/** Lets the command's clock run until it has ended. */
const ends = <A, E>({ fiber }: { readonly fiber: Fiber.Fiber<A, E> }) =>
  Effect.gen(function* () {
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
    return yield* Fiber.join(fiber)
  })

const after = (seconds: number) => Effect.repeat(TestClock.adjust("1 second"), { times: seconds - 1 })

const publish = (subject: string, data: string) =>
  Publisher.use((publisher) => publisher.publish({ stream: Streams.fleet, subject, data }))

const started = publish(Subjects.taskStarted(runId, 1), Codecs.taskStarted.encode(aTaskStarted()))

/** A watcher that owns a task, and says at last that it has STOPPED. */
const watched = Effect.gen(function* () {
  const stopped = yield* Queue.unbounded<void>()
  const dead = { deadStream: Streams.dead, deadSubject: () => "dead.watcher.none" }
  const watcher = Consumer.use((consumer) =>
    consumer.run(
      { ...dead, stream: Streams.fleet, durable: Durables.watcher, concurrency: 1, ackWaitSeconds: 60 },
      () => Effect.as(Queue.take(stopped), Verdict.ack)
    )
  )
  yield* Effect.forkChild(watcher)
  return Queue.offer(stopped, undefined)
})

const ps = Effect.gen(function* () {
  const screen: Screen = { out: "", err: "" }
  const list = listRuns({ all: false, json: false, limit: 10, filter: {} })
  yield* list.pipe(Effect.provide(onScreen(screen, yield* Queue.unbounded<Signal>())))
  return screen.err
})

const waiting = (events: ReadonlyArray<RunMessage>, id: string = runId) =>
  putRun({ ...aRun(...events), runId: RunId.make(id) })

describe("fleet drain", () => {
  it.effect("on a fleet where nothing runs or waits: done at once, and fleet ps says so", () =>
    Effect.gen(function* () {
      const command = yield* start({ reason: Option.some("patches") })
      yield* Fiber.join(command.fiber)
      assert.strictEqual(
        command.screen.out,
        "✓ drained: no task runs, no run waits. Launch again with: fleet drain --end\n"
      )
      assert.include(yield* ps, "the fleet drains since 0s (patches): nothing is launched until fleet drain --end")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect(
    "waits until no task is left that is not STOPPED, owned or not, also of a run that is over (peers 123)",
    () =>
      Effect.gen(function* () {
        yield* started
        const command = yield* start()
        yield* after(30)
        assert.include(command.screen.err, "draining: 1 task runs, 0 runs wait")
        const stopped = yield* watched
        yield* after(30)
        assert.isUndefined(command.fiber.pollUnsafe())
        yield* stopped
        yield* ends(command)
        assert.include(command.screen.out, "✓ drained")
      }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("late: a launcher that decided before the drain may still call; waiting runs are counted", () =>
    Effect.gen(function* () {
      yield* waiting([messages.ready(1)])
      yield* waiting([], "second")
      const command = yield* start()
      yield* Effect.repeat(Effect.yieldNow, { until: () => command.screen.err.includes("0 tasks run, 2 runs wait") })
      yield* ends(command)
      assert.isAtLeast(yield* Clock.currentTimeMillis, LAST_CALLS_MILLIS)
      assert.include(command.screen.out, "no task runs, 2 runs wait for the end of the drain")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("late: a call of RunTask that is under way is waited for, until something is told of it", () =>
    Effect.gen(function* () {
      yield* waiting([messages.ready(1)])
      yield* publish(Subjects.taskLaunching(runId, 1), Codecs.taskLaunching.encode(aMarker(0).message))
      const command = yield* start()
      yield* after(40)
      assert.include(command.screen.err, "0 tasks run, 1 is being launched, 0 runs wait")
      assert.isUndefined(command.fiber.pollUnsafe())
      yield* started
      yield* after(4)
      assert.include(command.screen.err, "1 task runs")
      yield* yield* watched
      yield* ends(command)
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("Ctrl-C lets go of the waiting and says how to undo the drain, which stays", () =>
    Effect.gen(function* () {
      yield* started
      const command = yield* start()
      yield* after(2)
      yield* Queue.offer(command.signals, "SIGINT")
      const ended = yield* Effect.flip(Fiber.join(command.fiber))
      assert.deepInclude(ended, { _tag: "Ended", exitCode: 130 })
      assert.include(command.screen.err, "The drain stays in force. End it with: fleet drain --end")
      assert.include(yield* ps, "the fleet drains")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("--timeout-seconds ends the waiting with 124, at its time", () =>
    Effect.gen(function* () {
      yield* started
      const command = yield* start({ timeoutSeconds: Option.some(10) })
      yield* after(9)
      assert.isUndefined(command.fiber.pollUnsafe())
      const failure = yield* Effect.flip(ends(command))
      assert.deepInclude(failure, { _tag: "Failure", exitCode: 124 })
      assert.include(failure.message, "Not drained within 10 s: 1 task runs, 0 runs wait.")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("--end undoes it, twice is once; who still waits is told", () =>
    Effect.gen(function* () {
      yield* started
      const waits = yield* start()
      yield* after(2)
      const first = yield* start({ end: true })
      yield* Fiber.join(first.fiber)
      assert.include(first.screen.out, "the drain has ended")
      assert.strictEqual(yield* ps, "")
      assert.include((yield* Effect.flip(ends(waits))).message, "Somebody has ended the drain")
      const second = yield* start({ end: true })
      yield* Fiber.join(second.fiber)
      assert.strictEqual(second.screen.out, "The fleet does not drain.\n")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("--json: one object a line", () =>
    Effect.gen(function* () {
      yield* waiting([])
      const command = yield* start({ json: true, reason: Option.some("patches") })
      yield* ends(command)
      const lines = command.screen.out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      assert.deepStrictEqual(
        lines.map((line) => line["type"]),
        ["draining", "progress", "drained"]
      )
      assert.deepInclude(lines[0], { reason: "patches" })
      assert.deepInclude(lines[2], { tasks: 0, launching: 0, waiting: 1 })
      const end = yield* start({ json: true, end: true })
      yield* Fiber.join(end.fiber)
      assert.deepInclude(JSON.parse(end.screen.out), { type: "ended", reason: "patches" })
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect.each([
    { what: "--end with --no-wait", change: { end: true, noWait: true }, says: "--end ends the drain" },
    { what: "a limit of 0 s", change: { timeoutSeconds: Option.some(0) }, says: "--timeout-seconds 0" }
  ])("$what is refused, and nothing is changed", ({ change, says }) =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(Fiber.join((yield* start(change)).fiber))
      assert.deepInclude(failure, { _tag: "Failure", exitCode: 2 })
      assert.include(failure.message, says)
      assert.strictEqual(yield* ps, "")
    }).pipe(Effect.provide(memoryFleet()))
  )
})
