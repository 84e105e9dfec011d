import { millisOf } from "#ecs-core/Instant.ts"
import { mask } from "#ecs-core/Mask.ts"
import { type AttemptRecord, isFinal, type Run, runFinished, type TimelineEntry } from "#ecs-core/Run.ts"
import { problemLines } from "./problem.ts"
import { outcomeLine, stateWord } from "./run.ts"
import type { Style } from "./style.ts"
import { printable } from "./text.ts"
import { age, lengthOf } from "./time.ts"

/** All that is known of a run, for people; environment values stay masked. */
export const describeText = (style: Style, run: Run, nowMillis: number): string => {
  const sections = [
    summary(style, run, nowMillis),
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
      run.attempts.flatMap((attempt) => attemptLines(style, attempt))
    ),
    ...section(
      style,
      "Timeline",
      run.timeline.map((entry) => timelineLine(style, run, entry))
    ),
    ...section(style, "Request", requestLines(run.request))
  ]
  return sections.map((lines) => lines.map((line) => `${line}\n`).join("")).join("\n")
}

const section = (style: Style, title: string, lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  lines.length === 0 ? [] : [[style.bold(title), ...lines]]

const summary = (style: Style, run: Run, nowMillis: number): ReadonlyArray<string> => {
  const finished = runFinished(run)
  const fields: ReadonlyArray<readonly [string, string | undefined]> = [
    ["Run", run.runId],
    ["State", finished === undefined ? stateWord(style, run.state) : outcomeLine(style, finished)],
    ["Name", run.name],
    ["Pool", run.pool],
    ["Requested", `${run.requestedAt} (${age(run.requestedAt, nowMillis)} ago)`],
    ["Started", run.startedAt],
    ["Finished", isFinal(run) ? run.finishedAt : undefined],
    ["Cancel", run.cancel === undefined ? undefined : `asked for at ${run.cancel.at}${reasonOf(run.cancel.reason)}`],
    ["Record", run.incomplete === true ? "incomplete: rebuilt when its first messages were already gone" : undefined]
  ]
  return fields.flatMap(([name, value]) =>
    value === undefined ? [] : [`${style.bold(name.padEnd(10))} ${name === "State" ? value : printable(value)}`]
  )
}

const reasonOf = (reason: string | undefined): string => (reason === undefined ? "" : `: ${reason}`)

const attemptLines = (style: Style, attempt: AttemptRecord): ReadonlyArray<string> => {
  const exitCode = attempt.exitCode === undefined ? "" : ` · exit code ${attempt.exitCode}`
  const state = attempt.outcome === undefined ? (attempt.lastStatus ?? "not launched yet") : attempt.outcome
  const waiting =
    attempt.deferred === undefined || attempt.taskArn !== undefined
      ? []
      : [
          `     waiting          ${printable(attempt.deferred.problem.message)} (next try ${attempt.deferred.nextTryAt})`
        ]
  const facts: ReadonlyArray<readonly [string, string | undefined]> = [
    ["task", attempt.taskArn],
    ["task definition", attempt.taskDefinitionArn],
    ...(attempt.logs ?? []).map(
      ({ container, logGroup, logStreamPrefix, region }) =>
        [
          "log stream",
          `${logGroup} ${logStreamPrefix}/${container}/${attempt.taskArn?.split("/").at(-1) ?? "…"} (${region})`
        ] as const
    )
  ]
  return [
    `  ${style.bold(String(attempt.attempt))}  ${state}${exitCode}`,
    ...waiting,
    ...facts.flatMap(([name, value]) => (value === undefined ? [] : [`     ${name.padEnd(16)} ${value}`]))
  ]
}

/** When, seen from the request: `+0.4 s`. */
const timelineLine = (style: Style, run: Run, entry: TimelineEntry): string => {
  const since = `+${lengthOf(millisOf(entry.at) - millisOf(run.requestedAt))}`
  const times = entry.count === undefined ? "" : style.dim(` (${entry.count} times)`)
  return `  ${style.dim(since.padStart(12))}  ${printable(entry.what)}${times}`
}

const requestLines = (request: unknown): ReadonlyArray<string> =>
  request === undefined
    ? []
    : JSON.stringify(mask(request), undefined, 2)
        .split("\n")
        .map((line) => `  ${line}`)
