import type { LogEnd } from "#ecs-core/LogLine.ts"
import { mask } from "#ecs-core/Mask.ts"
import type { QueuePlace } from "#ecs-core/QueuePlace.ts"
import { awaitsDefinition, isFinal, type Run, runFinished } from "#ecs-core/Run.ts"
import { attemptLines } from "./attempt.ts"
import { lastLines } from "./lastLines.ts"
import type { ShownLine } from "./lines.ts"
import { cutText } from "./linesRead.ts"
import { placeText } from "./place.ts"
import { problemLines } from "./problem.ts"
import { outcomeLine, stateWord } from "./run.ts"
import type { Style } from "./style.ts"
import { printable } from "./text.ts"
import { age, between } from "./time.ts"
import { timelineLines } from "./timeline.ts"

/** The end marker of a run's lines, with the last lines of a run that did not succeed. */
export interface EndShown extends Pick<LogEnd["end"], "lines" | "containers" | "complete"> {
  readonly tail?: ReadonlyArray<ShownLine>
}

/** What is known of a run beside its record. */
export interface Beside {
  /** The end marker of its lines, where it has come. */
  readonly end?: EndShown | undefined
  /** Its place in the queue, where it waits. */
  readonly place?: QueuePlace | undefined
}

/** All that is known of a run, for people, `columns` wide where lines can give way; environment values stay masked. */
export const describeText = (
  style: Style,
  run: Run,
  nowMillis: number,
  columns: number,
  { end, place }: Beside = {}
): string => {
  const sections = [
    summary(style, run, nowMillis, { end, place }),
    ...section(
      style,
      "Problems",
      run.problems.flatMap((problem) => problemLines(style, problem, run.runId))
    ),
    ...section(
      style,
      "Notices",
      run.notices.map((notice) => `  ${printable(notice)}`)
    ),
    ...section(
      style,
      "Attempts",
      run.attempts.flatMap((attempt, index) => [
        ...(index === 0 ? [] : [""]),
        ...attemptLines(style, attempt, nowMillis, columns)
      ])
    ),
    ...section(style, "Last lines (UTC)", lastLines(style, run.runId, end?.tail ?? [])),
    ...section(style, "Timeline (UTC)", timelineLines(style, run)),
    ...section(style, "Request", requestLines(run.request))
  ]
  return sections.map((lines) => lines.map((line) => `${line}\n`).join("")).join("\n")
}

const section = (style: Style, title: string, lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  lines.length === 0 ? [] : [[style.bold(title), ...lines]]

const summary = (style: Style, run: Run, nowMillis: number, { end, place }: Beside): ReadonlyArray<string> => {
  const finished = runFinished(run)
  const fields: ReadonlyArray<readonly [string, string | undefined]> = [
    ["Run", run.runId],
    ["State", finished === undefined ? stateWord(style, run.state) : outcomeLine(style, finished)],
    ["Name", run.name],
    ["Pool", run.pool],
    ["Requested", `${run.requestedAt} (${age(run.requestedAt, nowMillis)} ago)`],
    ["Queue", place === undefined ? admittedText(run) : placeText(place)],
    ["Started", run.startedAt],
    ["Finished", isFinal(run) ? run.finishedAt : undefined],
    ["Delayed", delayOf(run, nowMillis)],
    ["Cancel", run.cancel === undefined ? undefined : `asked for at ${run.cancel.at}${reasonOf(run.cancel.reason)}`],
    ["Lines", end === undefined ? undefined : cutText(end)],
    ["Record", run.incomplete === true ? "incomplete: rebuilt when its first messages were already gone" : undefined]
  ]
  return fields.flatMap(([name, value]) =>
    value === undefined ? [] : [`${style.bold(name.padEnd(10))} ${name === "State" ? value : printable(value)}`]
  )
}

const admittedText = ({ admittedAt, queuedAt }: Run): string | undefined =>
  admittedAt === undefined || queuedAt === undefined
    ? undefined
    : `its turn came at ${admittedAt}, after ${between(queuedAt, admittedAt)}`

/** Why there is no definition to launch yet; of no interest once there is one. */
const delayOf = (run: Run, nowMillis: number): string | undefined =>
  run.delayed === undefined || !awaitsDefinition(run)
    ? undefined
    : `${run.delayed.problem.message} (${age(run.delayed.at, nowMillis)} ago)`

const reasonOf = (reason: string | undefined): string => (reason === undefined ? "" : `: ${reason}`)

const requestLines = (request: unknown): ReadonlyArray<string> =>
  request === undefined
    ? []
    : JSON.stringify(mask(request), undefined, 2)
        .split("\n")
        .map((line) => `  ${line}`)
