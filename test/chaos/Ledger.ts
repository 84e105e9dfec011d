import { Effect, Result, Stream } from "effect"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs, type RunFinished } from "#ecs-core/Messages.ts"
import { Filters, parseSubject, Streams } from "#ecs-core/Subjects.ts"

/** Everything that the streams said about the runs, each message once, in order. */
export interface Ledger {
  readonly finished: Map<string, Array<RunFinished>>
  readonly lines: Map<string, Array<string>>
  /** `complete` of each end marker. */
  readonly ends: Map<string, Array<boolean>>
  /** Messages read so far: as long as it rises, there is progress. */
  messages: number
}

export const makeLedger = (): Ledger => ({ finished: new Map(), lines: new Map(), ends: new Map(), messages: 0 })

/** How many runs are over, with all their output. */
export const overCount = ({ ends, finished }: Ledger): number => Math.min(ends.size, finished.size)

const note = <A>(book: Map<string, Array<A>>, runId: string, ...values: ReadonlyArray<A>): void => {
  const known = book.get(runId)
  if (known === undefined) book.set(runId, [...values])
  else known.push(...values)
}

/** Reads both streams for ever. `onEnd` is told of each run whose output is complete, once. */
export const keepLedger = (ledger: Ledger, onEnd: Effect.Effect<void>): Effect.Effect<never, unknown, Messages> =>
  Effect.andThen(
    Effect.all([readEnds(ledger), readLines(ledger, onEnd)], { concurrency: 2, discard: true }),
    Effect.never
  )

const runIdOf = (subject: string): string => {
  const parsed = parseSubject(subject)
  return parsed !== undefined && parsed.kind !== "run.requested" ? parsed.runId : subject
}

const follow = (stream: string, subject: string) =>
  Stream.unwrap(Effect.map(Messages, (messages) => messages.replay({ stream, subject, follow: true })))

const readEnds = (ledger: Ledger) =>
  Stream.runForEach(follow(Streams.fleet, Filters.runFinished), (message) =>
    Effect.sync(() => {
      ledger.messages += 1
      note(ledger.finished, runIdOf(message.subject), Result.getOrThrow(Codecs.runFinished.decode(text(message))))
    })
  )

const readLines = (ledger: Ledger, onEnd: Effect.Effect<void>) =>
  Stream.runForEach(follow(Streams.logs, Filters.logs[0]), (message) =>
    Effect.suspend(() => {
      ledger.messages += 1
      const runId = runIdOf(message.subject)
      const said = Result.getOrThrow(LogCodecs.message.decode(text(message)))
      if (!isEnd(said)) {
        note(ledger.lines, runId, ...said.lines.map((line) => line.text))
        return Effect.void
      }
      const isFirst = !ledger.ends.has(runId)
      note(ledger.ends, runId, said.end.complete)
      return isFirst ? onEnd : Effect.void
    })
  )

/** Copies of messages that could not be handled: each is one too many. */
export const deadLetters = Effect.gen(function* () {
  const { replay } = yield* Messages
  const dead = yield* Stream.runCollect(replay({ stream: Streams.dead, subject: Filters.dead[0], follow: false }))
  return dead.map((message) => `dead letter on ${message.subject}: ${text(message).slice(0, 200)}`)
})
