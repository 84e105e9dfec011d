import type { Problem } from "#ecs-core/errors.ts"
import type { Style } from "./style.ts"
import { printable } from "./text.ts"

/** Advice is written once for every run; here it names the run at hand. */
const adviceFor = (advice: string, runId: string): string => printable(advice.replaceAll("<runId>", runId))

/** A problem in two lines: what happened (and in which field), and what to do next. */
export const problemLines = (style: Style, problem: Problem, runId: string): ReadonlyArray<string> => {
  const message = printable(problem.message)
  const field = problem.field === undefined ? undefined : printable(problem.field)
  const where = field === undefined || message.includes(`"${field}"`) ? "" : `${field}: `
  return [`  ${where}${message}`, `  ${style.dim("→")} ${adviceFor(problem.advice, runId)}`]
}

export const problemsText = (style: Style, problems: ReadonlyArray<Problem>, runId: string): string =>
  problems.flatMap((problem) => problemLines(style, problem, runId).map((line) => `${line}\n`)).join("")
