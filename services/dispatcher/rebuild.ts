import { Effect, Option, Pull, Schema, type Scope, Stream } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import type { BusMessage } from "#bus/Message.ts"
import type { RunId } from "#ecs-core/Ids.ts"
import { noCounts, type RebuildCounts } from "#ecs-core/RebuildState.ts"
import { isFinal, isTombstone, type Run } from "#ecs-core/Run.ts"
import { Durables, Streams } from "#ecs-core/Subjects.ts"
import { readRun } from "#process/RunRecords.ts"
import type { Fleet } from "./Fleet.ts"
import { add, isUnread, type Open, opened, readTold } from "./histories.ts"
import { keepKey } from "./perform.ts"
import { foldInto, type RecordError } from "./records.ts"
import { created, goesOn, makeExist, recordFrom, wasOver } from "./recreate.ts"
import { stored } from "./requests.ts"

/**
 * Records that are missing, made again from the messages that are stored. Inbox, queues and fleet are read once, side by side in
 * the order of time; held are only the messages of runs without a record, up to `rebuildBytesMax`. Then those that are
 * over make room first; if that is not enough, no further run is begun, and a next pass reads for the rest.
 *
 * A record is created, never replaced: one that appears meanwhile was made by a handler, and stays. Facts that arrive
 * before it exists are acknowledged by handlers that find no record; so what was stored meanwhile is read once more when
 * the records are there. Only then what must exist is made to exist. Repeating all of it changes nothing.
 */

/** Ids that are known to have a record, in one pass; a run that is met again later is asked for, and counted, again. */
export const KNOWN_IDS_MAX = 100_000

/** How far a rebuild is. */
export interface Progress extends RebuildCounts {
  readonly read: number
  readonly total: number
}

/** Another dispatcher has taken the rebuild over. */
export class TakenOver extends Schema.TaggedError<TakenOver>()("TakenOver", {}) {
  override get message() {
    return "another dispatcher has taken the rebuild over"
  }
}

type RebuildError = RecordError | TakenOver

export interface RebuildOptions {
  readonly bytesMax: number
  /** Called after each message and each record; fails to give up. */
  readonly report: (progress: Progress) => Effect.Effect<void, RebuildError>
}

interface Pass {
  readonly fleet: Fleet
  readonly options: RebuildOptions
  readonly acknowledged: number
  readonly total: number
  readonly open: Map<RunId, Open>
  readonly known: Set<RunId>
  /** Runs whose record was made in this pass, and that go on. */
  readonly live: Set<RunId>
  counts: RebuildCounts
  bytes: number
  read: number
  /** The first sequence of `FLEET` that was not read. */
  nextSeq: number
  isFull: boolean
}

/** Makes all records that are missing; answers what was done. */
export const rebuildRecords = (fleet: Fleet, options: RebuildOptions): Effect.Effect<RebuildCounts, RebuildError> =>
  Effect.gen(function* () {
    let counts = noCounts
    while (true) {
      const pass = yield* onePass(fleet, options, counts)
      const isStuck = pass.counts.created === counts.created
      counts = pass.counts
      if (!pass.isFull || isStuck) return counts
    }
  })

const onePass = (fleet: Fleet, options: RebuildOptions, counts: RebuildCounts): Effect.Effect<Pass, RebuildError> =>
  Effect.gen(function* () {
    const pass: Pass = {
      fleet,
      options,
      acknowledged: Option.match(yield* fleet.topology.backlog(Streams.inbox, Durables.requests), {
        onNone: () => 0,
        onSome: ({ ackedSeq }) => ackedSeq
      }),
      total: (yield* Effect.forEach(STREAMS, (stream) => countOf(fleet, stream))).reduce((sum, each) => sum + each, 0),
      open: new Map(),
      known: new Set(),
      live: new Set(),
      counts: { ...counts, kept: 0, left: 0 },
      bytes: 0,
      read: 0,
      nextSeq: 1,
      isFull: false
    }
    yield* Effect.scoped(readAll(pass))
    yield* Effect.forEach([...pass.open.values()], (open) => settle(pass, open), { discard: true })
    yield* catchUp(pass)
    yield* Effect.forEach(pass.live, (runId) => goOn(pass, runId), { discard: true })
    // What earlier passes made was there in this one.
    pass.counts = { ...pass.counts, kept: Math.max(0, pass.counts.kept - counts.created) }
    return pass
  })

const countOf = ({ messages }: Fleet, stream: string): Effect.Effect<number, BusUnavailable> =>
  Effect.gen(function* () {
    const first = yield* messages.first(stream, ">")
    const last = yield* messages.last(stream, ">")
    return Option.isSome(first) && Option.isSome(last) ? last.value.seq - first.value.seq + 1 : 0
  })

/** Read side by side; of messages of one time those of the first stream come first. */
const STREAMS = [Streams.inbox, Streams.queues, Streams.fleet] as const

/** All streams in the order of time; the server's clock gave all times. */
const readAll = (pass: Pass): Effect.Effect<void, RebuildError, Scope.Scope> =>
  Effect.gen(function* () {
    const cursors = yield* Effect.forEach(STREAMS, (stream) => cursor(pass.fleet, stream))
    while (true) {
      const heads = yield* Effect.forEach(cursors, ({ drop, peek }) =>
        Effect.map(peek, (message) => ({ drop, message }))
      )
      const first = heads.reduce((one, other) => (isEarlier(other.message, one.message) ? other : one))
      if (first.message === undefined) return
      first.drop()
      if (first.message.stream === Streams.fleet) pass.nextSeq = first.message.seq + 1
      yield* take(pass, first.message)
    }
  })

const isEarlier = (message: BusMessage | undefined, than: BusMessage | undefined): boolean =>
  message !== undefined && (than === undefined || message.time < than.time)

interface Cursor {
  /** The next message; undefined at the end. */
  readonly peek: Effect.Effect<BusMessage | undefined, BusUnavailable>
  readonly drop: () => void
}

const cursor = ({ messages }: Fleet, stream: string): Effect.Effect<Cursor, never, Scope.Scope> =>
  Effect.map(Stream.toPull(messages.replay({ stream, subject: ">", follow: false })), (pull) => {
    let ahead: ReadonlyArray<BusMessage> = []
    let at = 0
    let isEnded = false
    const more = pull.pipe(
      Effect.map((chunk): ReadonlyArray<BusMessage> => chunk),
      Pull.catchDone(() => Effect.succeed<ReadonlyArray<BusMessage>>([]))
    )
    const peek = Effect.suspend(() => {
      if (at < ahead.length || isEnded) return Effect.succeed(ahead[at])
      return Effect.map(more, (chunk) => {
        ahead = chunk
        at = 0
        isEnded = chunk.length === 0
        return ahead[0]
      })
    })
    return { peek, drop: () => void at++ }
  })

const take = (pass: Pass, message: BusMessage): Effect.Effect<void, RebuildError> =>
  Effect.gen(function* () {
    pass.read++
    yield* reported(pass)
    const told = readTold(stored(message))
    if (told === undefined || pass.known.has(told.runId)) return
    const open = pass.open.get(told.runId) ?? (yield* begun(pass, told.runId))
    if (open === undefined) return
    add(open, told, message.seq, message.data.length)
    pass.bytes += message.data.length
    if (pass.bytes > pass.options.bytesMax) yield* makeRoom(pass)
  })

/** Begins a run that has no record. What only waits for its request is none. */
const begun = (pass: Pass, runId: RunId): Effect.Effect<Open | undefined, RebuildError> =>
  Effect.gen(function* () {
    const kept = yield* Effect.catchTag(readRun(pass.fleet.runs, runId), "RecordUnreadable", () => Effect.undefined)
    const isMissing = kept !== undefined && (kept.run === undefined || isTombstone(kept.run))
    if (isMissing && pass.isFull) return undefined
    if (isMissing) {
      const open = opened(runId)
      pass.open.set(runId, open)
      return open
    }
    know(pass, runId)
    pass.counts = { ...pass.counts, kept: pass.counts.kept + 1 }
    if (kept?.run !== undefined && !isFinal(kept.run)) yield* keepKey(pass.fleet, kept.run)
    return undefined
  })

/** The messages of a run stand near each other: the id that was met first is needed least. */
const know = ({ known }: Pass, runId: RunId): void => {
  known.add(runId)
  const [oldest] = known
  if (known.size > KNOWN_IDS_MAX && oldest !== undefined) known.delete(oldest)
}

const makeRoom = (pass: Pass): Effect.Effect<void, RebuildError> =>
  Effect.gen(function* () {
    const over = [...pass.open.values()].filter(({ isOver }) => isOver)
    yield* Effect.forEach(over, (open) => settle(pass, open), { discard: true })
    if (pass.bytes > pass.options.bytesMax / 2) pass.isFull = true
  })

/** All that is stored of the run was read: its record is made. */
const settle = (pass: Pass, open: Open): Effect.Effect<void, RebuildError> =>
  Effect.gen(function* () {
    pass.open.delete(open.runId)
    pass.bytes -= open.bytes
    know(pass, open.runId)
    const run = isUnread(open, pass.acknowledged) ? undefined : yield* recordFrom(pass.fleet, open)
    const isLost = run === undefined || (yield* wasOver(pass.fleet, run))
    if (isLost) {
      pass.counts = { ...pass.counts, left: pass.counts.left + 1 }
      return yield* reported(pass)
    }
    const isCreated = yield* created(pass.fleet, run)
    pass.counts = isCreated ? countedIn(pass.counts, run) : { ...pass.counts, kept: pass.counts.kept + 1 }
    if (isCreated && goesOn(run)) pass.live.add(run.runId)
    if (isCreated && isFinal(run)) yield* makeExist(pass.fleet, run)
    yield* reported(pass)
  })

const countedIn = (counts: RebuildCounts, run: Run): RebuildCounts => ({
  ...counts,
  created: counts.created + 1,
  live: counts.live + (goesOn(run) ? 1 : 0),
  incomplete: counts.incomplete + (run.incomplete === true ? 1 : 0)
})

/** What was stored while the records were made, and what handlers may have acknowledged without one. */
const catchUp = ({ fleet, live, nextSeq }: Pass): Effect.Effect<void, RebuildError> =>
  live.size === 0
    ? Effect.void
    : fleet.messages.replay({ stream: Streams.fleet, subject: ">", fromSeq: nextSeq, follow: false }).pipe(
        Stream.runForEach((message) => {
          const told = readTold(stored(message))
          return told !== undefined && "event" in told && live.has(told.runId)
            ? Effect.asVoid(foldInto(fleet.runs, told.runId, told.event))
            : Effect.void
        })
      )

const goOn = (pass: Pass, runId: RunId): Effect.Effect<void, RebuildError> =>
  Effect.gen(function* () {
    const { run } = yield* readRun(pass.fleet.runs, runId)
    if (run !== undefined && !isFinal(run)) yield* keepKey(pass.fleet, run)
    if (run !== undefined) yield* makeExist(pass.fleet, run)
    yield* reported(pass)
  })

const reported = ({ counts, options, read, total }: Pass): Effect.Effect<void, RebuildError> =>
  options.report({ ...counts, read, total })
