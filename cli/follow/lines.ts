import { Effect, Result, Stream } from "effect"
import type { Bucket, Buckets } from "#bus/Bucket.ts"
import type { BusUnavailable } from "#bus/BusError.ts"
import { type BusMessage, text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { isEnd, type LogBatch, LogCodecs, type LogEnd } from "#ecs-core/LogLine.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { readRun } from "#process/RunRecords.ts"
import { type Held, joinPieces, nothingHeld, releaseHeld, type WholeLine } from "./join.ts"
import { LastLines } from "./LastLines.ts"
import { openRuns } from "./records.ts"
import { type Containers, isOfContainers, isWanted, storedSince, type Wanted } from "./select.ts"

export interface LinesOptions {
  /** Also the lines still to come, until the end marker. */
  readonly follow: boolean
  readonly containers: Containers
  readonly wanted: Wanted
  /** Of the lines in messages up to this sequence only the last `lines`. */
  readonly tail?: { readonly lines: number; readonly untilSeq: number }
}

/** A line that is asked for, or, at the end of the stream, what was read. */
export type LinesItem =
  | { readonly kind: "line"; readonly line: WholeLine }
  | { readonly kind: "done"; readonly done: LinesRead }

export interface LinesRead {
  /** The end marker; absent where it has not come yet. */
  readonly end?: LogEnd["end"]
  /** Lines and pieces of lines of any container. */
  readonly read: number
  /** Names of the containers that they are of. */
  readonly containers: ReadonlyArray<string>
  /** Those of the containers that are asked for. */
  readonly ofContainers: number
  /** Lines given. */
  readonly given: number
  /** Lines given of which pieces are missing. */
  readonly partial: number
  /** Messages of which nothing could be read: a newer version wrote them. */
  readonly unreadable: number
  /** `tail` asked for more lines than could be kept. */
  readonly tailCut: boolean
}

const nothingRead: LinesRead = {
  read: 0,
  containers: [],
  ofContainers: 0,
  given: 0,
  partial: 0,
  unreadable: 0,
  tailCut: false
}

/** The lines of a run that are asked for, in the order in which they are stored, pieces joined; at the end one `done`. */
export const runLines = (
  runId: string,
  options: LinesOptions
): Stream.Stream<LinesItem, BusUnavailable, Messages | Buckets> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { replay } = yield* Messages
      const owners: Owners = { runId, runs: yield* openRuns, known: new Map() }
      const { sinceMillis } = options.wanted
      return replay({
        stream: Streams.logs,
        subject: Subjects.logs(runId),
        follow: options.follow,
        ...(sinceMillis === undefined ? {} : { fromTimeMillis: storedSince(sinceMillis) })
      }).pipe(
        Stream.mapAccumArrayEffect(
          () => beginning(options),
          (reading, messages) => readOn(options, owners, reading, messages),
          { onHalt: (reading) => endOf(options, reading, undefined) }
        ),
        Stream.takeUntil(({ kind }) => kind === "done")
      )
    })
  )

interface Reading {
  readonly held: Held
  readonly done: LinesRead
  /** Lines kept back for `tail`; undefined once they are given. */
  readonly last: LastLines | undefined
}

const beginning = ({ tail }: LinesOptions): Reading => ({
  held: nothingHeld,
  done: nothingRead,
  last: tail === undefined ? undefined : new LastLines(tail.lines)
})

const readOn = Effect.fnUntraced(function* (
  options: LinesOptions,
  owners: Owners,
  reading: Reading,
  messages: ReadonlyArray<BusMessage>
) {
  const items: Array<ReadonlyArray<LinesItem>> = []
  let now = reading
  for (const message of messages) {
    const decoded = LogCodecs.message.decode(text(message))
    if (Result.isFailure(decoded)) {
      now = { ...now, done: { ...now.done, unreadable: now.done.unreadable + 1 } }
    } else if (isEnd(decoded.success)) {
      items.push(endOf(options, now, decoded.success.end))
      return [now, items.flat()] as const
    } else {
      const batch = decoded.success
      const owner = options.containers.kind === "own" ? yield* ownerOf(owners, batch.attempt) : undefined
      const [next, found] = readBatch(options, now, batch, owner)
      const [after, given] = give(options, next, found, message.seq)
      now = after
      items.push(given)
    }
  }
  return [now, items.flat()] as const
})

/** Which lines of a batch are asked for. `owner` is the name of the attempt's orchestration container. */
const readBatch = (
  { containers, wanted }: LinesOptions,
  reading: Reading,
  { attempt, lines }: LogBatch,
  owner: string | undefined
): readonly [Reading, ReadonlyArray<WholeLine>] => {
  const asked = lines.filter(({ container }) => isOfContainers(containers, container, owner))
  const [held, whole] = joinPieces(reading.held, attempt, asked)
  const names = new Set([...reading.done.containers, ...lines.map(({ container }) => container)])
  const done = {
    ...reading.done,
    read: reading.done.read + lines.length,
    containers: names.size === reading.done.containers.length ? reading.done.containers : [...names],
    ofContainers: reading.done.ofContainers + asked.length
  }
  return [{ ...reading, held, done }, whole.filter((line) => isWanted(wanted, line))]
}

/** Gives lines on, or keeps them back for `tail` until the last message of those that were there has been read. */
const give = (
  { tail }: LinesOptions,
  reading: Reading,
  lines: ReadonlyArray<WholeLine>,
  seq: number
): readonly [Reading, ReadonlyArray<LinesItem>] => {
  if (reading.last === undefined || tail === undefined) return given(reading, lines)
  if (seq <= tail.untilSeq) reading.last.add(lines)
  if (seq < tail.untilSeq) return [reading, []]
  return seq === tail.untilSeq ? giveLast(reading, []) : giveLast(reading, lines)
}

/** The lines kept back, and those behind them. */
const giveLast = (reading: Reading, behind: ReadonlyArray<WholeLine>): readonly [Reading, ReadonlyArray<LinesItem>] => {
  const { lines, areFewer } = reading.last?.take() ?? { lines: [], areFewer: false }
  const done = { ...reading.done, tailCut: reading.done.tailCut || areFewer }
  return given({ ...reading, done, last: undefined }, [...lines, ...behind])
}

const given = (reading: Reading, lines: ReadonlyArray<WholeLine>): readonly [Reading, ReadonlyArray<LinesItem>] => {
  const partial = lines.filter((line) => line.partial === true).length
  const done = {
    ...reading.done,
    given: reading.done.given + lines.length,
    partial: reading.done.partial + partial
  }
  return [{ ...reading, done }, lines.map((line) => ({ kind: "line", line }))]
}

/** What is still held, and the sum. Unfinished lines are of the last message or of an earlier one: `tail` counts them. */
const endOf = (
  { wanted }: LinesOptions,
  reading: Reading,
  end: LogEnd["end"] | undefined
): ReadonlyArray<LinesItem> => {
  const left = releaseHeld(reading.held).filter((line) => isWanted(wanted, line))
  reading.last?.add(left)
  const [{ done }, items] = giveLast(reading, reading.last === undefined ? left : [])
  return [...items, { kind: "done", done: end === undefined ? done : { ...done, end } }]
}

/** Names of the orchestration containers of a run's attempts, as far as they were asked for. */
interface Owners {
  readonly runId: string
  readonly runs: Bucket
  readonly known: Map<number, string | undefined>
}

/**
 * The name of an attempt's orchestration container, from the run's record; undefined where the record is gone. An
 * attempt stands in the record before it is launched, so that one that is new here is found by reading it again.
 */
const ownerOf = Effect.fnUntraced(function* ({ runId, runs, known }: Owners, attempt: number) {
  if (known.has(attempt)) return known.get(attempt)
  const { run } = yield* readRun(runs, runId).pipe(
    Effect.catchTag("RecordUnreadable", () => Effect.succeed({ run: undefined }))
  )
  known.set(attempt, undefined)
  for (const { attempt, containerName } of run?.attempts ?? []) known.set(attempt, containerName)
  return known.get(attempt)
})
