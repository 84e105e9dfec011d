import { Clock, Effect, Option, Result, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type BusMessage, text } from "#bus/Message.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { isFinal, type Run } from "#ecs-core/Run.ts"
import { connected } from "./connected.ts"
import { type FoundLines, findLines, lastLines } from "./findRun.ts"
import { jsonFlag, option, runArgument } from "./flags.ts"
import { LINES_END_SECONDS, outcome } from "./follow/follow.ts"
import { inOrder } from "./follow/inOrder.ts"
import { type LinesItem, runLines } from "./follow/lines.ts"
import { type LogsOptions, logsOptions } from "./logsOptions.ts"
import { type LogsView, logsView, type ViewedRun } from "./logsView.ts"
import { Output } from "./Output.ts"
import { inWrites } from "./present.ts"
import { noLinesText } from "./render/linesRead.ts"

export const logs = Command.make(
  "logs",
  {
    runs: runArgument.pipe(Argument.variadic({ min: 1 })),
    follow: option("follow", "Also what is still to come, until every run is over").pipe(Flag.withAlias("f")),
    since: Flag.String("since").pipe(
      Flag.optional,
      Flag.withMetavar("time"),
      Flag.withDescription("Only lines that are not older: 90s, 10m, 2h, 1d, or 2026-03-01T09:30:00Z")
    ),
    tail: Flag.Int("tail").pipe(
      Flag.optional,
      Flag.withAlias("n"),
      Flag.withMetavar("number"),
      Flag.withDescription("Only the last N of the lines so far, of each run")
    ),
    grep: Flag.String("grep").pipe(
      Flag.optional,
      Flag.withMetavar("pattern"),
      Flag.withDescription("Only lines whose text matches this regular expression")
    ),
    ignoreCase: option("ignore-case", "--grep takes no notice of capitals").pipe(Flag.withAlias("i")),
    all: option("all", "Lines of all containers, each with the name of its own").pipe(Flag.withAlias("a")),
    container: Flag.String("container").pipe(
      Flag.optional,
      Flag.withAlias("c"),
      Flag.withMetavar("name"),
      Flag.withDescription("Only lines of this container; by default those of the one that decides the outcome")
    ),
    timestamps: option("timestamps", "Begin each line with its time").pipe(Flag.withAlias("t")),
    json: jsonFlag
  },
  Effect.fn(function* (flags) {
    const options = yield* Effect.fromResult(logsOptions(flags, yield* Clock.currentTimeMillis))
    yield* connected(showLogs(options))
  })
).pipe(
  Command.withDescription("Show the output of runs"),
  Command.withExamples([
    { command: "fleet logs r-4j8x0m2kqz", description: "all lines so far" },
    { command: "fleet logs -f --tail 20 r-4j8x0m2kqz", description: "the last 20 and what follows" },
    { command: "fleet logs --since 10m --grep 'error|warn' -i r-4j8x0m2kqz", description: "what went wrong lately" },
    { command: "fleet logs -f r-4j8x0m2kqz r-7c1v9q3n5t", description: "two runs at once" }
  ])
)

/** Shows the lines asked for. Replayed, several runs come in the order of time; followed, as their lines come. */
export const showLogs = Effect.fnUntraced(function* (options: LogsOptions) {
  const { out, err } = yield* Output
  const found = distinct(yield* Effect.forEach(options.runs, findLines))
  const nowMillis = yield* Clock.currentTimeMillis
  const runs = found.map((run) => viewed(run, nowMillis))
  const view = logsView(options, runs, yield* Output)
  const [silent, readable] = [runs.filter(hasNothing(options)), runs.filter((run) => !hasNothing(options)(run))]
  for (const run of silent) yield* err(`${noLinesText(run)}\n`)
  yield* Effect.scoped(
    Effect.gen(function* () {
      if (options.follow) yield* Effect.forEach(readable, (run) => Effect.forkScoped(tellOverdue(view, run)))
      yield* readAll(options, readable).pipe(
        Stream.runForEachArray((items) =>
          Effect.forEach(
            inWrites(items.map(({ run, item }) => view.present(run, item))),
            (text) => Effect.andThen(out(text.out), err(text.err)),
            { discard: true }
          )
        )
      )
    })
  )
})

/** The same run may be named twice, once by the beginning of its id. */
const distinct = (found: ReadonlyArray<FoundLines>): ReadonlyArray<FoundLines> => [
  ...new Map(found.map((run) => [run.runId, run])).values()
]

const viewed = (found: FoundLines, nowMillis: number): ViewedRun => {
  const { run, last } = found
  const hasEnd = hasEnded(last)
  return { ...found, hasEnd, isOver: hasEnd || run === undefined || isLongOver(run, nowMillis) }
}

/** Not even the lines that are drained after the end can still come. */
const isLongOver = (run: Run, nowMillis: number): boolean =>
  isFinal(run) && nowMillis - millisOf(run.finishedAt ?? run.updatedAt) > LINES_END_SECONDS * 1000

/** The message is an end marker. */
const hasEnded = (last: Option.Option<BusMessage>): boolean =>
  Option.exists(last, (message) =>
    Result.match(LogCodecs.message.decode(text(message)), { onSuccess: isEnd, onFailure: () => false })
  )

/** There is no line to show and none to wait for. */
const hasNothing =
  ({ follow }: LogsOptions) =>
  ({ last, isOver }: ViewedRun): boolean =>
    Option.isNone(last) && (isOver || !follow)

interface ItemOfRun {
  readonly run: ViewedRun
  readonly item: LinesItem
}

const readAll = (options: LogsOptions, runs: ReadonlyArray<ViewedRun>) => {
  const streams = runs.map((run) => linesOf(options, run).pipe(Stream.map((item): ItemOfRun => ({ run, item }))))
  return options.follow
    ? Stream.mergeAll(streams, { concurrency: "unbounded" })
    : inOrder(streams, ({ item }) => (item.kind === "line" ? millisOf(item.line.time) : Number.NEGATIVE_INFINITY))
}

const linesOf = ({ follow, containers, wanted, tail }: LogsOptions, { runId, last, isOver }: ViewedRun) =>
  runLines(runId, {
    follow: follow && !isOver,
    containers,
    wanted,
    ...(tail === undefined
      ? {}
      : { tail: { lines: tail, untilSeq: Option.match(last, { onNone: () => 0, onSome: ({ seq }) => seq }) } })
  })

/** Says once that a run is over and its lines have not ended: then something is wrong, and Ctrl-C is the way out. */
const tellOverdue = Effect.fnUntraced(
  function* (view: LogsView, run: ViewedRun) {
    if (run.isOver) return
    yield* Stream.runDrain(outcome(run.runId))
    yield* Effect.sleep(`${LINES_END_SECONDS} seconds`)
    if (!hasEnded(yield* lastLines(run.runId))) yield* (yield* Output).err(view.overdue(run))
  },
  (effect) => Effect.ignore(effect)
)
