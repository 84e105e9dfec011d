import { Effect, Option, Result, Stream } from "effect"
import type { BusUnavailable, PublishError } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { isEnd, LogCodecs, type LogLine, type LogMessage, type ReadPosition } from "#ecs-core/LogLine.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { afterRefusal, inBatches, mergePositions, positionsOf } from "./decide.ts"

/** What the log-streamer's handlers write to. */
export interface Ports {
  readonly publisher: typeof Publisher.Service
  readonly messages: typeof Messages.Service
}

export const makePorts = Effect.gen(function* () {
  const ports: Ports = { publisher: yield* Publisher, messages: yield* Messages }
  return ports
})

/** The last batch of a run's subject as this process saw it. */
export interface LastSeen {
  readonly sequence: number
  readonly message: LogMessage | undefined
}

export const lastOf = ({ messages }: Ports, runId: string): Effect.Effect<LastSeen, BusUnavailable> =>
  Effect.map(messages.last(Streams.logs, Subjects.logs(runId)), (found) =>
    Option.match(found, {
      onNone: () => ({ sequence: 0, message: undefined }),
      onSome: (stored) => ({
        sequence: stored.seq,
        message: Result.getOrElse(LogCodecs.message.decode(text(stored)), () => undefined)
      })
    })
  )

/** Every published line of one attempt, for the ids that a successor must not publish again. */
export const publishedLines = (
  { messages }: Ports,
  runId: string,
  attempt: number
): Effect.Effect<ReadonlyArray<LogLine>, BusUnavailable> =>
  messages.replay({ stream: Streams.logs, subject: Subjects.logs(runId), follow: false }).pipe(
    Stream.map((stored) => Result.getOrElse(LogCodecs.message.decode(text(stored)), () => undefined)),
    Stream.map((message) =>
      message === undefined || isEnd(message) || message.attempt !== attempt ? [] : message.lines
    ),
    Stream.runCollect,
    Effect.map((batches) => batches.flat())
  )

/** How many other writers' batches may come in between before the lines wait for the next round. */
const REBASE_MAX = 20

/**
 * Appends lines of one attempt, in batches, each under the sequence of the one before. `before` and `after` are the
 * attempt's positions without and with these lines. Answers the new last batch, or undefined when somebody else has
 * read this attempt further: then this process must stop.
 */
export const appendLines = (
  ports: Ports,
  runId: string,
  attempt: number,
  last: LastSeen,
  change: {
    readonly lines: ReadonlyArray<LogLine>
    readonly before: ReadonlyArray<ReadPosition>
    readonly after: ReadonlyArray<ReadPosition>
  }
): Effect.Effect<LastSeen | undefined, PublishError> =>
  Effect.gen(function* () {
    const batches = change.lines.length === 0 ? [[]] : inBatches(change.lines)
    let seen: LastSeen = last
    let before = change.before
    for (const [at, lines] of batches.entries()) {
      const after = at === batches.length - 1 ? change.after : advance(before, lines)
      const written = yield* appendBatch(ports, runId, { attempt, lines, before, after }, seen, REBASE_MAX)
      if (written === undefined) return undefined
      seen = written
      before = after
    }
    return seen
  })

const advance = (positions: ReadonlyArray<ReadPosition>, lines: ReadonlyArray<LogLine>): ReadonlyArray<ReadPosition> =>
  positions.map((position) => {
    const own = lines.filter(({ container }) => container === position.container)
    const time = own.reduce((newest, line) => Math.max(newest, Date.parse(line.time)), position.time)
    return { ...position, time, lines: position.lines + own.length }
  })

interface Batch {
  readonly attempt: number
  readonly lines: ReadonlyArray<LogLine>
  readonly before: ReadonlyArray<ReadPosition>
  readonly after: ReadonlyArray<ReadPosition>
}

const appendBatch = (
  ports: Ports,
  runId: string,
  batch: Batch,
  seen: LastSeen,
  rebases: number
): Effect.Effect<LastSeen | undefined, PublishError> => {
  const { attempt, lines, before, after } = batch
  const message = { attempt, lines, positions: mergePositions(positionsOf(seen.message), after) }
  const outgoing = { stream: Streams.logs, subject: Subjects.logs(runId), data: LogCodecs.batch.encode(message) }
  return ports.publisher.append(outgoing, seen.sequence).pipe(
    Effect.map((sequence) => ({ sequence, message: { ...message, lines: [] } })),
    Effect.catchTag("WrongLastSequence", () =>
      Effect.gen(function* () {
        const now = yield* lastOf(ports, runId)
        const ruling = afterRefusal(now.message, before)
        if (ruling._tag === "Zombie" || rebases === 0) return undefined
        return yield* appendBatch(ports, runId, batch, now, rebases - 1)
      })
    )
  )
}
