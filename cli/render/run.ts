import type { Problem } from "#ecs-core/errors.ts"
import type { Phase, RunFinished } from "#ecs-core/Messages.ts"
import type { QueuePlace } from "#ecs-core/QueuePlace.ts"
import { isOutcome, type Outcome, type RunState } from "#ecs-core/RunState.ts"
import { aheadText } from "./place.ts"
import { problemsText } from "./problem.ts"
import type { Style } from "./style.ts"
import { printable } from "./text.ts"
import { between } from "./time.ts"

type Paint = (style: Style, text: string) => string

const green: Paint = (style, text) => style.green(text)
const red: Paint = (style, text) => style.red(text)
const yellow: Paint = (style, text) => style.yellow(text)
const cyan: Paint = (style, text) => style.cyan(text)

const outcomeMarks: Readonly<Record<Outcome, readonly [string, Paint]>> = {
  succeeded: ["✓", green],
  failed: ["✗", red],
  crashed: ["✗", red],
  rejected: ["✗", red],
  timed_out: ["✗", red],
  cancelled: ["■", yellow]
}

const paintOf = (state: RunState): Paint => {
  if (isOutcome(state)) return outcomeMarks[state][1]
  return state === "waiting" || state === "stopping" ? yellow : cyan
}

/** A state as one word, coloured by what it means. */
export const stateWord = (style: Style, state: RunState): string => paintOf(state)(style, state)

/** `● launching`; `● waiting: no capacity (next try 09:30:12)`; from the second attempt on with its number. */
export const stateLine = (
  style: Style,
  change: {
    readonly state: RunState
    readonly attempt: number
    readonly waitingFor?: { readonly problem: Problem; readonly nextTryAt: string } | undefined
    readonly place?: QueuePlace | undefined
  }
): string => {
  const mark = isOutcome(change.state) ? outcomeMarks[change.state][0] : "●"
  const attempt = change.attempt > 1 ? style.dim(` (attempt ${change.attempt})`) : ""
  const why =
    change.waitingFor === undefined
      ? ""
      : `: ${printable(change.waitingFor.problem.message)}${style.dim(` (next try ${change.waitingFor.nextTryAt})`)}`
  const place = change.place === undefined ? "" : style.dim(aheadText(change.place))
  return `${paintOf(change.state)(style, mark)} ${change.state}${attempt}${place}${why}`
}

const phaseWords: Readonly<Record<Phase, string>> = {
  launch: "while waiting to launch",
  start: "before the program started",
  run: "while the program ran"
}

/** `✗ failed · exit code 3 · 1.9 s`. */
export const outcomeLine = (style: Style, finished: RunFinished): string => {
  const [mark, paint] = outcomeMarks[finished.outcome]
  const exitCode = finished.exitCode === undefined ? [] : [`exit code ${finished.exitCode}`]
  const phase = finished.phase === undefined ? [] : [phaseWords[finished.phase]]
  const length = style.dim(between(finished.requestedAt, finished.finishedAt))
  return [paint(style, `${mark} ${finished.outcome}`), ...phase, ...exitCode, length].join(" · ")
}

/** The end of a run for people: the outcome, and for each problem what happened and what to do. */
export const finishedText = (style: Style, finished: RunFinished): string =>
  `${outcomeLine(style, finished)}\n${problemsText(style, problemsOf(finished), finished.runId)}`

/** All problems but the one that only repeats the exit code. */
const problemsOf = (finished: RunFinished): ReadonlyArray<Problem> => {
  const problems = finished.errors ?? (finished.error === undefined ? [] : [finished.error])
  return problems.filter(({ code, message }) => code !== "ProgramFailed" || message !== exitCodeText(finished.exitCode))
}

const exitCodeText = (exitCode: number | undefined): string => `The program ended with exit code ${exitCode}.`
