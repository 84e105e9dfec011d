import { Clock, Effect, Option, Result, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import type { BusMessage } from "#bus/Message.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import { isEnd, LogCodecs, type LogLine, type LogMessage } from "#ecs-core/LogLine.ts"
import { isFinal, type Run } from "#ecs-core/Run.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { connected } from "./connected.ts"
import { findRun } from "./findRun.ts"
import { jsonFlag, option, runArgument } from "./flags.ts"
import { LINES_END_SECONDS, logMessages } from "./follow/follow.ts"
import { Output } from "./Output.ts"
import { json, publicLine } from "./present.ts"
import { closing, lineText, type OpenLine } from "./render/lines.ts"

export interface LogsOptions {
  readonly run: string
  readonly follow: boolean
  readonly tail: Option.Option<number>
  readonly timestamps: boolean
  readonly json: boolean
}

export const logs = Command.make(
  "logs",
  {
    run: runArgument,
    follow: option("follow", "Also what is still to come, until the run is over").pipe(Flag.withAlias("f")),
    tail: Flag.Int("tail").pipe(
      Flag.optional,
      Flag.withAlias("n"),
      Flag.withDescription("Only the last N of the lines so far")
    ),
    timestamps: option("timestamps", "Begin each line with its time").pipe(Flag.withAlias("t")),
    json: jsonFlag
  },
  (options) => connected(showLogs(options))
).pipe(
  Command.withDescription("Show the output of a run"),
  Command.withExamples([
    { command: "fleet logs r-4j8x0m2kqz", description: "all lines so far" },
    { command: "fleet logs -f --tail 20 r-4j8x0m2kqz", description: "the last 20 and what follows" }
  ])
)

export const showLogs = Effect.fnUntraced(function* (options: LogsOptions) {
  const run = yield* findRun(options.run)
  const { out, err } = yield* Output
  const last = yield* Messages.use((messages) => messages.last(Streams.logs, Subjects.logs(run.runId)))
  const over = linesAreOver(run, yield* Clock.currentTimeMillis)
  if (Option.isNone(last) && (over || !options.follow)) return yield* err(noLinesText(run.runId, over))
  let open: OpenLine | undefined
  yield* linesOf(run.runId, options, last).pipe(
    Stream.runForEach((entry) => {
      if (options.json)
        return out(json({ type: "line", runId: run.runId, attempt: entry.attempt, ...publicLine(entry.line) }))
      const [shown, next] = lineText(open, options.timestamps ? stamped(entry.line) : entry.line)
      open = next
      return out(shown)
    })
  )
  yield* out(closing(open))
})

/** Nothing more can come: not even the lines that are drained after the end. */
const linesAreOver = (run: Run, nowMillis: number): boolean =>
  isFinal(run) && nowMillis - millisOf(run.finishedAt ?? run.updatedAt) > LINES_END_SECONDS * 1000

const noLinesText = (runId: string, over: boolean): string =>
  over
    ? `Run ${runId} left no output, or it is older than the logs are kept. Why it ended: fleet describe ${runId}\n`
    : `No output yet. Wait for it with: fleet logs -f ${runId}\n`

/** Only the first piece of a long line gets its time. */
const stamped = (line: LogLine): LogLine =>
  line.part === undefined || line.part === 1 ? { ...line, text: `${line.time} ${line.text}` } : line

interface Entry {
  readonly attempt: number
  readonly line: LogLine
}

/** The lines asked for: with `tail`, of those that were there at the start only the last N. */
const linesOf = (runId: string, { follow, tail }: LogsOptions, last: Option.Option<BusMessage>) => {
  const untilSeq = Option.match(last, { onNone: () => 0, onSome: ({ seq }) => seq })
  const messages = logMessages(runId, { follow }).pipe(
    Stream.map((message) => ({ seq: message.seq, decoded: LogCodecs.message.decode(text(message)) })),
    Stream.takeUntil(({ decoded }) => Result.isSuccess(decoded) && isEnd(decoded.success)),
    Stream.map(({ seq, decoded }) => ({ seq, entries: Result.isSuccess(decoded) ? entriesOf(decoded.success) : [] }))
  )
  return Option.match(tail, {
    onNone: () => Stream.flatMap(messages, ({ entries }) => Stream.fromIterable(entries)),
    onSome: (lines) =>
      messages.pipe(
        Stream.mapAccum(
          (): ReadonlyArray<Entry> => [],
          (kept, batch) => keepTail(kept, batch, untilSeq, lines)
        )
      )
  })
}

const entriesOf = (message: LogMessage): ReadonlyArray<Entry> =>
  isEnd(message) ? [] : message.lines.map((line) => ({ attempt: message.attempt, line }))

/**
 * Holds back what was there at the start until the last such message has come, then lets its last `max` lines pass;
 * later batches pass as they come.
 */
export const keepTail = <A>(
  kept: ReadonlyArray<A>,
  batch: { readonly seq: number; readonly entries: ReadonlyArray<A> },
  untilSeq: number,
  max: number
): readonly [ReadonlyArray<A>, ReadonlyArray<A>] => {
  const all = [...kept, ...batch.entries]
  if (batch.seq > untilSeq) return [[], all]
  const newest = all.slice(Math.max(0, all.length - max))
  return batch.seq < untilSeq ? [newest, []] : [[], newest]
}
