import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { chanceFrom } from "#aws/model/chance.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { isEnd, type LogMessage } from "#ecs-core/LogLine.ts"
import { handleEnd } from "#services/log-streamer/handle.ts"
import { inTime, layerMemoryFleet } from "#test/support/MemoryFleet.ts"
import { startedWith, streamed } from "#test/support/output.ts"
import { endMarkers, finishes, messages, starts, stops, streamer } from "#test/support/streamer.ts"

/**
 * What a run's containers write, against what a reader of `logs.<runId>` sees: whatever the lines are, however CloudWatch
 * pages them, shows them late or twice, and whichever log-streamer dies between any two requests.
 */

type Chance = () => number

const below = (chance: Chance, count: number): number => Math.floor(chance() * count)

const texts = [
  " ",
  "plain",
  "Grüße, 世界 😀",
  "\u001b[31mred\u001b[0m",
  "tab\tbell\u0007zero\u0000escape\u001b",
  '"quotes" and \\backslashes\\',
  "two\nlines in one event"
]

const textOf = (chance: Chance, at: number): string => {
  const text = texts[below(chance, texts.length)] ?? ""
  return chance() < 0.02 ? `${at} ${"ä😀".repeat(50_000)}` : `${at} ${text}`
}

/** What a container writes in one go: now and then a burst in one millisecond. */
const someLines = (chance: Chance, from: number): ReadonlyArray<string> =>
  Array.from({ length: below(chance, 2) === 0 ? 1 : below(chance, 30) }, (_, at) => textOf(chance, from + at))

interface Written {
  readonly message: string
  readonly timestamp: number
}

interface Container {
  readonly attempt: ReturnType<typeof startedWith>
  readonly written: Array<Written>
}

/** A log driver sends lines late at times, behind younger ones; always within the time that is looked back. */
const LATE_MILLIS = 20_000

/** PutLogEvents takes 1 MiB: three of the longest lines. */
const EVENTS_PER_CALL = 3

const write = (chance: Chance, { attempt, written }: Container) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    let timestamp = Math.max(0, now - (chance() < 0.2 ? below(chance, LATE_MILLIS) : 0))
    const events = someLines(chance, written.length).map((message) => {
      timestamp += below(chance, 2)
      return { message, timestamp }
    })
    for (let at = 0; at < events.length; at += EVENTS_PER_CALL) {
      yield* streamed(attempt, "main", events.slice(at, at + EVENTS_PER_CALL))
    }
    written.push(...events)
  })

/** In the order of their times, as CloudWatch has them. */
const inTimeOrder = (written: ReadonlyArray<Written>): ReadonlyArray<string> =>
  written.toSorted((a, b) => a.timestamp - b.timestamp).map(({ message }) => message)

/** CloudWatch as it may be: batches that can be read late, small and empty pages, events on two of them, throttles. */
const weather = (chance: Chance) =>
  Effect.gen(function* () {
    const { faults } = yield* EcsModel
    const rate = (share: number) => ({ times: 0, probability: chance() < 0.5 ? 0 : share * chance() })
    yield* faults.inject({ action: "PutLogEvents", ...rate(0.5), batch: { delaySecondsMax: 5 } })
    yield* faults.inject({ action: "FilterLogEvents", ...rate(0.5), page: { events: 1 + below(chance, 5), repeat: 2 } })
    yield* faults.inject({ action: "FilterLogEvents", ...rate(0.3), page: { events: 0 } })
    yield* faults.inject({
      action: "FilterLogEvents",
      ...rate(0.3),
      error: { name: "ThrottlingException", message: "Rate exceeded" }
    })
  })

/** A process whose requests do not arrive any more does nothing: it is not waited for. */
const whileItLives = <A, E, R>(act: Effect.Effect<A, E, R>) =>
  Effect.ignore(inTime(Effect.timeoutOption(act, "2 minutes")))

/** Reads while the containers write; each reader dies after some requests, and the next one takes over. */
const live = (chance: Chance, containers: ReadonlyArray<Container>) =>
  Effect.gen(function* () {
    let [left, reader] = [0, yield* streamer()]
    for (let step = 0; step < 40; step++) {
      const begun = containers.slice(0, step < 10 ? 1 : 2)
      if (left-- === 0) {
        left = below(chance, 8)
        reader = yield* streamer(1 + below(chance, 60))
        for (const { attempt } of begun) yield* whileItLives(reader.own(attempt))
      }
      if (step === 10) yield* whileItLives(reader.own(begun[1]?.attempt ?? startedWith(2, "main")))
      for (const [at, each] of begun.entries()) if (at === 1 || step < 20) yield* write(chance, each)
      yield* whileItLives(reader.round)
      yield* TestClock.adjust(1000 * below(chance, 4))
    }
  })

/** Every line is visible at last, in small pages; the last reader stays until all is drained. */
const drain = (containers: ReadonlyArray<Container>) =>
  Effect.gen(function* () {
    yield* TestClock.adjust("30 seconds")
    const { faults } = yield* EcsModel
    yield* faults.clear
    yield* faults.inject({ action: "FilterLogEvents", times: 0, probability: 0.5, page: { events: 7, repeat: 2 } })
    const reader = yield* streamer()
    const leases = yield* Effect.forEach(containers, ({ attempt }) =>
      Effect.andThen(stops(attempt.attempt), reader.own(attempt))
    )
    while (leases.some((ended) => ended() === undefined)) {
      yield* reader.round
      yield* TestClock.adjust("1 second")
    }
    assert.deepStrictEqual(yield* handleEnd(reader.ports, yield* finishes(2)), { _tag: "Ack" })
  })

/** The lines of an attempt as their program wrote them: pieces put together, late ones put in their places. */
const read = (all: ReadonlyArray<LogMessage>, attempt: number): ReadonlyArray<string> => {
  const lines = new Map<string, { time: string; text: string }>()
  for (const message of all) {
    if (isEnd(message) || message.attempt !== attempt) continue
    for (const { id = "", text, time } of message.lines) {
      const key = `${time} ${id}`
      lines.set(key, { time, text: (lines.get(key)?.text ?? "") + text })
    }
  }
  return [...lines.values()].toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time)).map(({ text }) => text)
}

const seeds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 }))

describe("late, twice, cut, crash: what a reader sees of a run of two attempts", () => {
  it.effect.prop(
    "is what their programs wrote, in order, and one end marker (peers 107, 108, 110, scenario 93)",
    [seeds],
    ([seed]) =>
      Effect.gen(function* () {
        const chance = chanceFrom(seed)
        const containers = [1, 2].map((attempt): Container => ({ attempt: startedWith(attempt, "main"), written: [] }))
        for (const { attempt } of containers) yield* starts(attempt)
        yield* weather(chance)
        yield* live(chance, containers)
        yield* drain(containers)
        const all = yield* messages
        for (const { attempt, written } of containers) {
          assert.deepStrictEqual(read(all, attempt.attempt), inTimeOrder(written))
        }
        const pieces = all.flatMap((message) => (isEnd(message) ? [] : message.lines)).length
        const markers = yield* endMarkers
        assert.deepStrictEqual(
          markers.map(({ end }) => [end.lines, end.complete]),
          [[pieces, true]]
        )
        assert.strictEqual(all.length - 1, all.findIndex(isEnd))
      }).pipe(Effect.provide(layerMemoryFleet(), { local: true })),
    { arbitrary: { runs: 15 } }
  )
})
