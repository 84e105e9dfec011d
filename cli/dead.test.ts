import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Queue, Stream } from "effect"
import { DeadHeaders } from "#bus/DeadLetter.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Filters, Streams } from "#ecs-core/Subjects.ts"
import { listDead, removeDead, retryDead, showDead } from "./dead.ts"
import type { Signal } from "./Interrupts.ts"
import { memoryFleet, onScreen, type Screen } from "./memoryFleet.ts"
import type { Output } from "./Output.ts"

const reason = 'Field "comand" is not known; did you mean "command"?'
const body = { image: "alpine", comand: ["true"], env: { API_KEY: "s3cret" } }

/** A dead letter of the dispatcher, as its consumer leaves it; its number. */
const bury = (runId: string, data: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const { publish } = yield* Publisher
    const original = { stream: Streams.inbox, subject: `run.requested.${runId}`, data }
    const { seq } = yield* publish(original)
    const copy = yield* publish({
      stream: Streams.dead,
      subject: `dead.dispatcher.${runId}`,
      data,
      headers: {
        traceparent: "00-1",
        [DeadHeaders.reason]: reason,
        [DeadHeaders.subject]: original.subject,
        [DeadHeaders.stream]: original.stream,
        [DeadHeaders.sequence]: String(seq),
        [DeadHeaders.deliveries]: "3",
        ...headers
      }
    })
    return copy.seq
  })

/** What the command writes, or how it fails. */
const on = <A, E extends { readonly message: string }, R>(command: Effect.Effect<A, E, R | Output>) =>
  Effect.gen(function* () {
    const screen: Screen = { out: "", err: "" }
    const signals = yield* Queue.unbounded<Signal>()
    const failed = yield* command.pipe(
      Effect.provide(onScreen(screen, signals)),
      Effect.as(""),
      Effect.catch(({ message }) => Effect.succeed(message))
    )
    return { ...screen, failed }
  })

const list = (json = false) => on(listDead({ json }))
const show = (letter: number, raw = false) => on(showDead({ letter, raw, json: false }))
const stored = (stream: string, subject: string) =>
  Effect.flatMap(Messages, ({ replay }) => Stream.runCollect(replay({ stream, subject, follow: false })))

describe("fleet dead ls", () => {
  it.effect("says that there is nothing; lists what there is, for people and for programs", () =>
    Effect.gen(function* () {
      assert.match((yield* list()).out, /^No dead letters/)
      assert.strictEqual((yield* list(true)).out, "")
      const letter = yield* bury("nightly", JSON.stringify(body))
      const [header, row = ""] = (yield* list()).out.split("\n")
      assert.match(header ?? "", /^LETTER +AGE +SERVICE +RUN +SUBJECT +REASON$/)
      assert.match(row, new RegExp(`^${letter} +\\d+s +dispatcher +nightly +run\\.requested\\.nightly +Field "comand"`))
      assert.deepInclude(JSON.parse((yield* list(true)).out), {
        letter,
        service: "dispatcher",
        runId: "nightly",
        reason
      })
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("fleet dead show", () => {
  it.effect("shows reason, origin and body, its environment masked; with --raw as it came", () =>
    Effect.gen(function* () {
      const letter = yield* bury("nightly", JSON.stringify(body))
      const { out } = yield* show(letter)
      for (const part of [
        reason,
        "run.requested.nightly, FLEET_IN 1, delivered 3 times",
        "traceparent: 00-1",
        '"API_KEY": "***"'
      ])
        assert.include(out, part)
      assert.notInclude(out, "s3cret")
      assert.include((yield* show(letter, true)).out, "s3cret")
      const { out: programs } = yield* on(showDead({ letter, raw: false, json: true }))
      assert.deepInclude(JSON.parse(programs), { body: { ...body, env: { API_KEY: "***" } }, deliveries: 3 })
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("what is no JSON is shown with --raw alone: nobody knows where its secrets are", () =>
    Effect.gen(function* () {
      const letter = yield* bury("nightly", '{"env":{"API_KEY":"s3cret"')
      const { out } = yield* show(letter)
      assert.notInclude(out, "s3cret")
      assert.include(out, "--raw")
      assert.include((yield* show(letter, true)).out, "s3cret")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("a number that is none says how to find one", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* show(7)).failed, "There is no dead letter 7. List them with: fleet dead ls")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("what was too large for a copy is read where it came from, or is said to be gone", () =>
    Effect.gen(function* () {
      const kept = yield* bury("kept", JSON.stringify(body), { [DeadHeaders.data]: "left out, too large" })
      assert.include((yield* show(kept)).out, '"image": "alpine"')
      const gone = yield* bury("gone", "{}", {
        [DeadHeaders.data]: "left out, too large",
        [DeadHeaders.sequence]: "99"
      })
      assert.match((yield* show(gone)).failed, /its original is gone from FLEET_IN\. Delete it: fleet dead rm 2$/)
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("fleet dead retry", () => {
  it.effect("publishes the original as it came, and the letter is gone; another one stays", () =>
    Effect.gen(function* () {
      const letter = yield* bury("nightly", JSON.stringify(body))
      const other = yield* bury("other", "{}")
      const { out } = yield* on(retryDead({ letters: [letter, letter], all: false }))
      assert.strictEqual(out, `${letter}  run.requested.nightly is published again\n`)
      const [, again, ...more] = yield* stored(Streams.inbox, "run.requested.nightly")
      assert.deepStrictEqual([again && text(again), more], [JSON.stringify(body), []])
      assert.deepStrictEqual(again?.headers["traceparent"], "00-1")
      assert.isUndefined(again?.headers[DeadHeaders.reason])
      const left = yield* stored(Streams.dead, Filters.dead[0])
      assert.deepStrictEqual(
        left.map(({ seq }) => seq),
        [other]
      )
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("one of the numbers is none: nothing is done; none is named: says so", () =>
    Effect.gen(function* () {
      const letter = yield* bury("nightly", "{}")
      assert.include((yield* on(retryDead({ letters: [letter, 9], all: false }))).failed, "no dead letter 9")
      assert.include((yield* on(retryDead({ letters: [], all: false }))).failed, "--all")
      assert.lengthOf(yield* stored(Streams.inbox, "run.requested.nightly"), 1)
      assert.isTrue(Option.isSome(yield* Messages.use(({ at }) => at(Streams.dead, letter))))
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("fleet dead rm", () => {
  it.effect("deletes those that are named, or all", () =>
    Effect.gen(function* () {
      const letters = yield* Effect.forEach(["a", "b", "c"], (runId) => bury(runId, "{}"))
      yield* on(removeDead({ letters: letters.slice(0, 1), all: false }))
      assert.lengthOf(yield* stored(Streams.dead, Filters.dead[0]), 2)
      assert.strictEqual((yield* on(removeDead({ letters: [], all: true }))).out, "2  is deleted\n3  is deleted\n")
      assert.match((yield* list()).out, /^No dead letters/)
    }).pipe(Effect.provide(memoryFleet()))
  )
})
