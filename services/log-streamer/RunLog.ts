import { Effect, Option, Result, Stream } from "effect"
import type { BusUnavailable, PublishError } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import {
  batchJson,
  isEnd,
  LogCodecs,
  type LogLine,
  type LogMessage,
  NOTICE_CONTAINER,
  type ReadPosition
} from "#ecs-core/LogLine.ts"
import { addToTail, emptyTail, linesOfTail, tailLimits } from "#ecs-core/LogTail.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { inBatches, type Piece } from "./batches.ts"
import { afterRefusal, mergePositions, positionsOf } from "./decide.ts"
import { KNOWN_MAX, type PublishedLine } from "./reading.ts"

/** What the log-streamer's handlers write to. */
export interface Ports {
  readonly publisher: typeof Publisher.Service
  readonly messages: typeof Messages.Service
}

export const makePorts = Effect.gen(function* () {
  const ports: Ports = { publisher: yield* Publisher, messages: yield* Messages }
  return ports
})

/** The last batch of a run's subject as this process saw it; its lines may be left out. */
export interface LastSeen {
  readonly sequence: number
  /** When it was stored, epoch milliseconds. */
  readonly time: number | undefined
  readonly message: LogMessage | undefined
}

export const lastOf = ({ messages }: Ports, runId: string): Effect.Effect<LastSeen, BusUnavailable> =>
  Effect.map(messages.last(Streams.logs, Subjects.logs(runId)), (found) =>
    Option.match(found, {
      onNone: () => ({ sequence: 0, time: undefined, message: undefined }),
      onSome: (stored) => ({ sequence: stored.seq, time: stored.time, message: decoded(text(stored)) })
    })
  )

const decoded = (json: string): LogMessage | undefined =>
  Result.getOrElse(LogCodecs.message.decode(json), () => undefined)

/** The clocks of server and containers may be so far apart. */
const CLOCK_SKEW_MILLIS = 60_000

/** The lines of one attempt that a successor must not publish again: those of `since` and later, the last of very many. */
export const publishedSince = (
  ports: Ports,
  runId: string,
  attempt: number,
  since: number
): Effect.Effect<ReadonlyArray<PublishedLine>, BusUnavailable> =>
  linesFrom(ports, runId, Math.max(0, since - CLOCK_SKEW_MILLIS)).pipe(
    Stream.filter((batch) => batch.attempt === attempt),
    Stream.runFold(
      (): Array<PublishedLine> => [],
      (kept, { lines }) => {
        kept.push(...lines.map(withoutText))
        if (kept.length > 2 * KNOWN_MAX) kept.splice(0, kept.length - KNOWN_MAX)
        return kept
      }
    )
  )

const withoutText = ({ text: _text, late: _late, ...line }: LogLine): PublishedLine => line

/** The batches of a run that were stored at a time or later. */
const linesFrom = ({ messages }: Ports, runId: string, fromTimeMillis: number) =>
  messages.replay({ stream: Streams.logs, subject: Subjects.logs(runId), fromTimeMillis, follow: false }).pipe(
    Stream.map((stored) => decoded(text(stored))),
    Stream.flatMap((message) => (message === undefined || isEnd(message) ? Stream.empty : Stream.succeed(message)))
  )

/** How far back the last lines are looked for, step by step: most runs have them in the last seconds. */
const TAIL_STEPS_SECONDS = [2, 60, 3600, Number.POSITIVE_INFINITY]

/** The last lines of a run, of its orchestration containers and the fleet's own. */
export const tailOfRun = (
  ports: Ports,
  runId: string,
  last: LastSeen,
  containers: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<LogLine>, BusUnavailable> =>
  Effect.gen(function* () {
    const limits = tailLimits([...containers, NOTICE_CONTAINER])
    for (const seconds of TAIL_STEPS_SECONDS) {
      const from = Math.max(0, (last.time ?? 0) - seconds * 1000)
      const tail = yield* Stream.runFold(
        linesFrom(ports, runId, from),
        () => emptyTail,
        (kept, { lines }) => addToTail(kept, lines, limits)
      )
      if (tail.own.length >= limits.linesMax || from === 0) return linesOfTail(tail, limits)
    }
    return []
  })

/** How many other writers' batches may come in between before the lines wait for the next look. */
const REBASE_MAX = 20

/** Lines of one attempt, and its positions without and with them. */
export interface Change {
  readonly pieces: ReadonlyArray<Piece>
  readonly before: ReadonlyArray<ReadPosition>
  readonly after: ReadonlyArray<ReadPosition>
}

/**
 * Appends lines of one attempt, in batches, each under the sequence of the one before. Answers the new last batch, or
 * undefined when somebody else has read this attempt further: then this process must stop.
 */
export const appendLines = (
  ports: Ports,
  runId: string,
  attempt: number,
  last: LastSeen,
  { after, before, pieces }: Change
): Effect.Effect<LastSeen | undefined, PublishError> =>
  Effect.gen(function* () {
    const batches = pieces.length === 0 ? [[]] : inBatches(pieces)
    let seen: LastSeen = last
    let reached = before
    for (const [at, batch] of batches.entries()) {
      const next = at === batches.length - 1 ? after : advance(reached, batch)
      const change = { attempt, pieces: batch, before: reached, after: next }
      const written = yield* appendBatch(ports, runId, change, seen, REBASE_MAX)
      if (written === undefined) return undefined
      seen = written
      reached = next
    }
    return seen
  })

const advance = (positions: ReadonlyArray<ReadPosition>, pieces: ReadonlyArray<Piece>): ReadonlyArray<ReadPosition> =>
  positions.map((position) => {
    const own = pieces.filter(({ container }) => container === position.container)
    const time = own.reduce((newest, piece) => Math.max(newest, piece.time), position.time)
    const bytes = own.reduce((sum, piece) => sum + piece.bytes, position.bytes ?? 0)
    return { ...position, time, lines: position.lines + own.length, ...(bytes === 0 ? {} : { bytes }) }
  })

const appendBatch = (
  ports: Ports,
  runId: string,
  batch: Change & { readonly attempt: number },
  seen: LastSeen,
  rebases: number
): Effect.Effect<LastSeen | undefined, PublishError> => {
  const { after, attempt, before, pieces } = batch
  const positions = mergePositions(positionsOf(seen.message), after)
  const json = pieces.map((piece) => piece.json)
  const outgoing = { stream: Streams.logs, subject: Subjects.logs(runId), data: batchJson(attempt, json, positions) }
  return ports.publisher.append(outgoing, seen.sequence).pipe(
    Effect.flatMap((sequence) =>
      Effect.clockWith((clock) =>
        Effect.succeed({ sequence, time: clock.currentTimeMillisUnsafe(), message: { attempt, lines: [], positions } })
      )
    ),
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
