import { Clock, Effect, Option, Stream } from "effect"
import { Argument, Command } from "effect/cli"
import { type DeadLetter, deadLetterIn, originalOf } from "#bus/DeadLetter.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Filters, Streams } from "#ecs-core/Subjects.ts"
import { connected } from "./connected.ts"
import { failure } from "./Failure.ts"
import { jsonFlag, option } from "./flags.ts"
import { Output } from "./Output.ts"
import { json } from "./present.ts"
import { type DeadEntry, deadJson, deadTable, letterText, NOTHING_DEAD, noLetterText } from "./render/dead.ts"

/** Dead letters read by one command at most; more are there to be read when these are done with. */
export const DEAD_MAX = 1000

const letters = Argument.Int("letter").pipe(
  Argument.variadic(),
  Argument.withDescription("Number of a dead letter, as `fleet dead ls` shows it")
)
const all = option("all", "Every dead letter")

const list = Command.make("ls", { json: jsonFlag }, (options) => connected(listDead(options))).pipe(
  Command.withDescription("List messages that could not be handled, the oldest first")
)

const show = Command.make(
  "show",
  {
    letter: Argument.Int("letter").pipe(Argument.withDescription("Number of a dead letter")),
    raw: option("raw", "The body as it came: it may hold secrets"),
    json: jsonFlag
  },
  (options) => connected(showDead(options))
).pipe(Command.withDescription("Show one, with its reason, its headers and its body; environment values are masked"))

const retry = Command.make("retry", { letters, all }, (options) => connected(retryDead(options))).pipe(
  Command.withDescription("Publish the originals once more, and delete the dead letters"),
  Command.withExamples([{ command: "fleet dead retry 12 13", description: "two of them" }])
)

const remove = Command.make("rm", { letters, all }, (options) => connected(removeDead(options))).pipe(
  Command.withDescription("Delete dead letters")
)

export const dead = Command.make("dead").pipe(
  Command.withDescription("Messages that could not be handled: look at them, try them again, delete them"),
  Command.withSubcommands([list, show, retry, remove])
)

export const listDead = Effect.fnUntraced(function* (options: { readonly json: boolean }) {
  const { err, errStyle, out } = yield* Output
  const entries = yield* allDead
  if (options.json) return yield* Effect.forEach(entries, (entry) => out(json(deadJson(entry))), { discard: true })
  if (entries.length === 0) return yield* out(NOTHING_DEAD)
  yield* out(deadTable(entries, yield* Clock.currentTimeMillis))
  if (entries.length >= DEAD_MAX) yield* err(errStyle.dim(`the first ${DEAD_MAX}; there may be more\n`))
})

export const showDead = Effect.fnUntraced(function* (options: {
  readonly letter: number
  readonly raw: boolean
  readonly json: boolean
}) {
  const { out, outStyle } = yield* Output
  const { letter, subject } = yield* entryAt(options.letter)
  const entry = { subject, letter: yield* withData(letter) }
  yield* out(options.json ? json(deadJson(entry, options.raw)) : letterText(outStyle, entry, options.raw))
})

interface Chosen {
  readonly letters: ReadonlyArray<number>
  readonly all: boolean
}

export const retryDead = Effect.fnUntraced(function* (chosen: Chosen) {
  const { out } = yield* Output
  const { publish } = yield* Publisher
  const { remove } = yield* Messages
  for (const { letter } of yield* chosenEntries(chosen)) {
    yield* publish(originalOf(yield* withData(letter)))
    yield* remove(Streams.dead, letter.seq)
    yield* out(`${letter.seq}  ${letter.subject} is published again\n`)
  }
})

export const removeDead = Effect.fnUntraced(function* (chosen: Chosen) {
  const { out } = yield* Output
  const { remove } = yield* Messages
  for (const { letter } of yield* chosenEntries(chosen)) {
    yield* remove(Streams.dead, letter.seq)
    yield* out(`${letter.seq}  is deleted\n`)
  }
})

const allDead = Effect.gen(function* () {
  const { replay } = yield* Messages
  const [subject] = Filters.dead
  return yield* replay({ stream: Streams.dead, subject, follow: false }).pipe(
    Stream.map((message): DeadEntry | undefined => {
      const letter = deadLetterIn(message)
      return letter === undefined ? undefined : { subject: message.subject, letter }
    }),
    Stream.filter((entry) => entry !== undefined),
    Stream.take(DEAD_MAX),
    Stream.runCollect
  )
})

const entryAt = Effect.fnUntraced(function* (seq: number) {
  const message = Option.getOrUndefined(yield* Messages.use((messages) => messages.at(Streams.dead, seq)))
  const letter = message === undefined ? undefined : deadLetterIn(message)
  if (message === undefined || letter === undefined) return yield* failure(noLetterText(seq))
  return { subject: message.subject, letter } satisfies DeadEntry
})

/** All that are named are there, or nothing is done. */
const chosenEntries = (chosen: Chosen) => {
  if (chosen.all) return allDead
  if (chosen.letters.length === 0) {
    return Effect.fail(
      failure("Name dead letters by their numbers, or all of them with --all. List them: fleet dead ls")
    )
  }
  return Effect.forEach([...new Set(chosen.letters)], entryAt)
}

/** What was too large to be copied is read where it came from. */
const withData = Effect.fnUntraced(function* (letter: DeadLetter) {
  if (!letter.isBare) return letter
  const original = yield* Messages.use((messages) => messages.at(letter.stream, letter.sequence))
  if (Option.isSome(original)) return { ...letter, data: original.value.data, isBare: false }
  return yield* failure(
    `Dead letter ${letter.seq} was too large to be copied, and its original is gone from ${letter.stream}. Delete it: fleet dead rm ${letter.seq}`
  )
})
