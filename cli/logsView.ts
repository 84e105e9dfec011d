import { instantOf } from "#ecs-core/Instant.ts"
import { NOTICE_CONTAINER } from "#ecs-core/LogLine.ts"
import type { FoundLines } from "./findRun.ts"
import type { WholeLine } from "./follow/join.ts"
import type { LinesItem, LinesRead } from "./follow/lines.ts"
import type { LogsOptions } from "./logsOptions.ts"
import { jsonLine, onErr, onOut, type Shown } from "./present.ts"
import { type LineLayout, lineText, noticeText } from "./render/lines.ts"
import { type Asked, emptyText, readWarnings } from "./render/linesRead.ts"
import type { Style } from "./render/style.ts"

/** A run as `fleet logs` reads it. */
export interface ViewedRun extends FoundLines {
  /** Its end marker is there. */
  readonly hasEnd: boolean
  /** Nothing more is to be waited for: it is there, or was due long ago. A run without a record ended long ago. */
  readonly isOver: boolean
}

/** What `fleet logs` writes of its runs. */
export interface LogsView {
  readonly present: (run: ViewedRun, item: LinesItem) => Shown
  /** That the lines of a run that is over have not ended. */
  readonly overdue: (run: ViewedRun) => string
}

interface Styles {
  readonly outStyle: Style
  readonly errStyle: Style
}

/** Lines on standard output; the fleet's own words, and why nothing or not all is shown, on standard error. */
export const logsView = (
  options: LogsOptions,
  runs: ReadonlyArray<ViewedRun>,
  { outStyle, errStyle }: Styles
): LogsView => {
  const { containers, timestamps, json } = options
  const runWidth = Math.max(0, ...runs.map(({ runId }) => runId.length))
  let containerWidth = Math.max(0, ...runs.flatMap(containerNames).map((name) => name.length))
  const layoutOf = (run: ViewedRun): LineLayout => ({
    timestamps,
    ...(runs.length > 1 ? { run: { id: run.runId, width: runWidth } } : {}),
    ...(showsAll(containers, run) ? { containerWidth } : {})
  })
  const lineShown = (run: ViewedRun, line: WholeLine): Shown => {
    if (json) return onOut(jsonLine(run.runId, line))
    if (line.container === NOTICE_CONTAINER) return onErr(noticeText(errStyle, layoutOf(run), line.text))
    containerWidth = Math.max(containerWidth, line.container.length)
    return onOut(lineText(outStyle, layoutOf(run), line))
  }
  const doneShown = (run: ViewedRun, done: LinesRead): Shown => {
    const empty = options.tail === 0 ? undefined : emptyText(askedOf(options, run), done)
    const isEndMissing = run.run !== undefined && run.isOver && !run.hasEnd
    const missing = isEndMissing ? [endMissingText(run.runId)] : []
    const warnings = [...readWarnings(run.runId, done), ...missing]
    const told = warnings.map((text) => noticeText(errStyle, layoutOf(run), text)).join("")
    return onErr(`${empty === undefined ? "" : `${empty}\n`}${told}`)
  }
  return {
    present: (run, item) => (item.kind === "line" ? lineShown(run, item.line) : doneShown(run, item.done)),
    overdue: (run) => noticeText(errStyle, layoutOf(run), overdueText(run.runId))
  }
}

const endMissingText = (runId: string): string =>
  `Run ${runId} is over and its lines have not ended: a log-streamer may be missing. Look again: fleet logs ${runId}`

const overdueText = (runId: string): string =>
  `Run ${runId} is over and its lines have not ended: a log-streamer may be missing. Ctrl-C stops waiting for them.`

/** Without a record nobody knows whose lines matter: all are shown, as with `--all`. */
const showsAll = ({ kind }: LogsOptions["containers"], { run }: ViewedRun): boolean =>
  kind === "all" || (kind === "own" && run === undefined)

const containerNames = ({ run }: ViewedRun): ReadonlyArray<string> =>
  (run?.attempts ?? []).flatMap(({ logs }) => (logs ?? []).map(({ container }) => container))

const askedOf = ({ containers, wanted }: LogsOptions, { runId, isOver }: ViewedRun): Asked => ({
  runId,
  isOver,
  filters: [
    ...(wanted.sinceMillis === undefined ? [] : ["--since"]),
    ...(wanted.pattern === undefined ? [] : ["--grep"])
  ],
  ...(containers.kind === "one" ? { container: containers.name } : {}),
  ...(wanted.sinceMillis === undefined ? {} : { since: instantOf(wanted.sinceMillis) })
})
