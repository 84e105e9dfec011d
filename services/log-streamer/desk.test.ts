import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { isEnd, NOTICE_CONTAINER } from "#ecs-core/LogLine.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { layerMemoryFleet, published } from "#test/support/MemoryFleet.ts"
import { broken, runId } from "#test/support/messages.ts"
import { startedWith, streamed, writes } from "#test/support/output.ts"
import {
  endMarkers,
  finishes,
  lines,
  main,
  messages,
  roundOf,
  rounds,
  settings,
  starts,
  stops,
  streamer,
  texts
} from "#test/support/streamer.ts"
import { handleEnd } from "./handle.ts"
import { look, nextClaim } from "./read.ts"

const numbered = (count: number) => Array.from({ length: count }, (_, at) => ({ message: `line ${at}`, timestamp: at }))
const fault = (fault: Parameters<(typeof EcsModel.Service)["faults"]["inject"]>[0]) =>
  Effect.flatMap(EcsModel, ({ faults }) => faults.inject(fault))
const smallPages = fault({ action: "FilterLogEvents", times: 0, page: { events: 10 } })

/** The streams of each look until nothing is due. */
const looksOf = (one: Effect.Success<ReturnType<typeof streamer>>) =>
  Effect.gen(function* () {
    const asked: Array<ReadonlyArray<string>> = []
    for (const place of one.desk.places.values()) {
      for (const stream of place.streams) stream.dueAt = 0
      for (let claim = nextClaim(place, 0); claim !== undefined; claim = nextClaim(place, 0)) {
        asked.push(claim.streams.map(({ attempt, isAlone }) => `${attempt.started.attempt}${isAlone ? " alone" : ""}`))
        yield* look(one.desk, claim)
      }
    }
    return asked
  })

describe("a loud run", () => {
  it.effect("is read alone, page by page, and the other one is read on", () =>
    Effect.gen(function* () {
      const [loud, quiet] = [main, startedWith(2, "main")]
      const one = yield* streamer(undefined, { pagesMax: 2 })
      yield* smallPages
      yield* streamed(loud, "main", numbered(60))
      yield* streamed(quiet, "main", [{ message: "quiet", timestamp: 100 }])
      yield* one.own(loud)
      yield* one.own(quiet)
      const looks = yield* looksOf(one)
      assert.deepStrictEqual(looks[0], ["1", "2"])
      assert.deepStrictEqual(looks[1], ["1 alone"])
      assert.deepStrictEqual(
        looks.slice(1).every((each) => each.join() === "1 alone"),
        true
      )
      yield* rounds(one.round, 1)
      const all = yield* texts
      assert.deepStrictEqual(
        all.filter((text) => text !== "quiet"),
        numbered(60).map(({ message }) => message)
      )
      assert.include(all, "quiet")
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect(
    "over the limit of one run: one line at its end says how many are missing, and the marker that some are",
    () =>
      Effect.gen(function* () {
        yield* starts(main)
        const one = yield* streamer(undefined, { runBytesMax: 1000 })
        yield* streamed(main, "main", numbered(50))
        yield* one.own(main)
        yield* one.round
        const kept = (yield* texts).length
        assert.isAbove(kept, 5)
        yield* writes(main, "main", { "one more": 60 })
        yield* stops(1)
        const successor = yield* streamer(undefined, { runBytesMax: 1000 })
        yield* successor.own(main)
        yield* rounds(successor.round, 10)
        const words = (yield* lines).filter(({ container }) => container === NOTICE_CONTAINER)
        assert.deepStrictEqual(
          words.map(({ text }) => text),
          [`${51 - kept} lines of container "main" are not shown: a run keeps 1000 bytes of output.`]
        )
        assert.lengthOf(yield* texts, kept + 1)
        yield* handleEnd(one.ports, yield* finishes(1))
        const [marker] = yield* endMarkers
        assert.deepInclude(marker?.end, { complete: false, lines: kept + 1 })
        assert.strictEqual(marker?.end.containers.find(({ container }) => container === "main")?.leftOut, 51 - kept)
      }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("lines that cannot be read", () => {
  it.effect("for good: the attempt is given up in time, and its last line says why (peers 109)", () =>
    Effect.gen(function* () {
      yield* fault({
        action: "FilterLogEvents",
        times: 0,
        error: { name: "AccessDeniedException", message: "not authorized to perform: logs:FilterLogEvents" }
      })
      const one = yield* streamer()
      yield* stops(1)
      const ended = yield* one.own(main)
      yield* rounds(one.round, settings.drainMaxSeconds)
      assert.isUndefined(ended())
      yield* rounds(one.round, 1)
      assert.strictEqual(ended(), "ack")
      const [only, ...more] = yield* texts
      assert.match(only ?? "", /^The output could not be read to its end: .*logs:FilterLogEvents/)
      assert.deepStrictEqual(more, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("while the credentials are rejected no time runs; afterwards every line is there (peers 109)", () =>
    Effect.gen(function* () {
      const one = yield* streamer()
      yield* writes(main, "main", "kept")
      yield* fault({ action: "*", times: 0, error: { name: "ExpiredTokenException", message: "expired" } })
      yield* stops(1)
      const ended = yield* one.own(main)
      yield* rounds(one.round, 1)
      const blind = yield* Effect.forkChild(one.round)
      yield* TestClock.adjust(`${3 * settings.drainMaxSeconds} seconds`)
      assert.deepStrictEqual([blind.pollUnsafe(), ended()], [undefined, undefined])
      yield* Effect.flatMap(EcsModel, ({ faults }) => faults.clear)
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(blind)
      yield* rounds(one.round, 12)
      assert.strictEqual(ended(), "ack")
      assert.deepStrictEqual(yield* texts, ["kept"])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("a container that never was started", () => {
  it.effect("has no log stream, which is quiet: one look at the end of the quiet time makes sure (peers 109)", () =>
    Effect.gen(function* () {
      let reads = 0
      const one = yield* streamer()
      const { logs } = one.desk
      const desk = { ...one.desk, logs: ContainerLogs.of({ read: (...call) => (reads++, logs.read(...call)) }) }
      yield* published(Streams.fleet, Subjects.taskStopped(runId, 1), Codecs.taskStopped.encode(broken(0).message))
      const ended = yield* one.own(main)
      const stream = desk.attempts.values().next().value?.streams[0]
      assert.strictEqual(stream?.dueAt, settings.drainQuietSeconds * 1000)
      yield* TestClock.adjust(stream?.dueAt ?? 0)
      yield* roundOf(desk)
      assert.deepStrictEqual([ended(), reads], ["ack", 1])
      assert.deepStrictEqual(yield* texts, [])
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("what is said of an attempt", () => {
  it.effect("notices of containers without output come once, before the first line, whoever takes over", () =>
    Effect.gen(function* () {
      const started = { ...main, logs: { ...main.logs, notices: ["There is no output of container envoy."] } }
      yield* writes(started, "main", "a")
      for (const each of [yield* streamer(), yield* streamer()]) {
        yield* each.own(started)
        yield* each.round
      }
      assert.deepStrictEqual(
        (yield* lines).map(({ container, text }) => [container, text]),
        [
          [NOTICE_CONTAINER, "There is no output of container envoy."],
          ["main", "a"]
        ]
      )
    }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect(
    "positions are repeated before the stream's age drops them: a successor still knows how far it was read",
    () =>
      Effect.gen(function* () {
        const one = yield* streamer(undefined, { logsAgeSeconds: 100 })
        yield* writes(main, "main", "a")
        yield* one.own(main)
        yield* rounds(one.round, 50)
        assert.lengthOf(yield* messages, 1)
        yield* rounds(one.round, 2)
        const [, repeated, ...more] = yield* messages
        assert(repeated !== undefined && !isEnd(repeated))
        assert.deepStrictEqual([repeated.lines, repeated.positions[0]?.lines, more], [[], 1, []])
      }).pipe(Effect.provide(layerMemoryFleet()))
  )
})

describe("the end marker", () => {
  it.effect(
    "crash before the start: it carries the last lines of a run that never was RUNNING (peers 112, scenario 57)",
    () =>
      Effect.gen(function* () {
        yield* starts(main)
        const one = yield* streamer()
        yield* writes(main, "main", "cannot open /etc/app.conf")
        yield* stops(1)
        yield* one.own(main)
        yield* rounds(one.round, 10)
        yield* handleEnd(one.ports, yield* finishes(1, { outcome: "crashed" }))
        const [marker] = yield* endMarkers
        assert.deepInclude(marker?.end, { outcome: "crashed", complete: true })
        assert.deepStrictEqual(
          marker?.end.tail?.map(({ text }) => text),
          ["cannot open /etc/app.conf"]
        )
      }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect(
    "of a run that failed: its last 20 lines, however far back; of one that succeeded: none (peers 112, scenario 57)",
    () =>
      Effect.gen(function* () {
        yield* starts(main)
        const one = yield* streamer()
        yield* one.own(main)
        for (let hour = 0; hour < 3; hour++) {
          yield* writes(
            main,
            "main",
            Object.fromEntries(numbered(9).map(({ message }) => [`${hour} ${message}`, hour * 3_600_000]))
          )
          yield* one.round
          yield* TestClock.adjust("1 hour")
        }
        yield* stops(1)
        const last = yield* streamer()
        yield* last.own(main)
        yield* rounds(last.round, 10)
        const all = yield* texts
        yield* handleEnd(one.ports, yield* finishes(1, { outcome: "failed", exitCode: 3 }))
        const [marker] = yield* endMarkers
        assert.deepStrictEqual(
          marker?.end.tail?.map(({ text }) => text),
          all.slice(-20)
        )
        assert.deepInclude(marker?.end, { outcome: "failed", exitCode: 3, lines: 27 })
      }).pipe(Effect.provide(layerMemoryFleet()))
  )

  it.effect("two attempts that are drained at the same time: all lines of both, in order within each, one marker", () =>
    Effect.gen(function* () {
      const second = startedWith(2, "main")
      const [one, other] = [yield* streamer(), yield* streamer()]
      for (const each of [main, second]) yield* starts(each)
      yield* streamed(main, "main", numbered(250))
      yield* stops(1)
      yield* one.own(main)
      yield* other.own(second)
      for (let step = 0; step < 20; step++) {
        if (step < 3) yield* writes(second, "main", `second ${step}`)
        if (step === 3) yield* stops(2)
        if (step === 3) yield* other.own(second)
        yield* Effect.all([one.round, other.round], { concurrency: 2 })
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(yield* handleEnd(one.ports, yield* finishes(2)), { _tag: "Ack" })
      const batches = (yield* messages).flatMap((each) => (isEnd(each) ? [] : [each]))
      const textsOf = (attempt: number) =>
        batches.flatMap((batch) => (batch.attempt === attempt ? batch.lines.map(({ text }) => text) : []))
      assert.deepStrictEqual(
        textsOf(1),
        numbered(250).map(({ message }) => message)
      )
      assert.deepStrictEqual(textsOf(2), ["second 0", "second 1", "second 2"])
      assert.lengthOf(yield* endMarkers, 1)
    }).pipe(Effect.provide(layerMemoryFleet()))
  )
})
