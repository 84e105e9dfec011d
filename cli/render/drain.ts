import type { Drain } from "#ecs-core/Drain.ts"
import type { Style } from "./style.ts"
import { printable } from "./text.ts"
import { age } from "./time.ts"

/** How far a drain has come. */
export interface DrainProgress {
  /** Tasks that are not STOPPED. */
  readonly tasks: number
  /** RunTask may be under way. */
  readonly launching: number
  /** Runs without a task: they wait for the end of the drain, or for a definition. */
  readonly waiting: number
}

/** How a drain is undone. */
export const END_DRAIN = "fleet drain --end"

/** `● the fleet drains since 5m (patches): nothing is launched until fleet drain --end` */
export const drainLine = (style: Style, { at, reason }: Drain, nowMillis: number): string => {
  const why = reason === undefined ? "" : ` (${printable(reason)})`
  return `${style.yellow("●")} the fleet drains since ${age(at, nowMillis)}${why}: nothing is launched until ${END_DRAIN}\n`
}

export const progressLine = (style: Style, progress: DrainProgress): string =>
  `${style.yellow("●")} draining: ${countsOf(progress)}\n`

export const drainedLine = (style: Style, { waiting }: DrainProgress): string => {
  const others = waiting === 0 ? "no run waits" : `${runsOf(waiting)} for the end of the drain`
  return `${style.green("✓")} drained: no task runs, ${others}. Launch again with: ${END_DRAIN}\n`
}

export const notDrainedText = (seconds: number, progress: DrainProgress): string =>
  `Not drained within ${seconds} s: ${countsOf(progress)}. The drain stays in force; end it with ${END_DRAIN}, or stop what runs with: fleet stop --all`

const countsOf = ({ launching, tasks, waiting }: DrainProgress): string =>
  [
    tasks === 1 ? "1 task runs" : `${tasks} tasks run`,
    ...(launching === 0 ? [] : [launching === 1 ? "1 is being launched" : `${launching} are being launched`]),
    runsOf(waiting)
  ].join(", ")

const runsOf = (waiting: number): string => (waiting === 1 ? "1 run waits" : `${waiting} runs wait`)
