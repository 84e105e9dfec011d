import type { ErrorCode, Problem } from "#ecs-core/errors.ts"
import type { Style } from "./style.ts"
import { printable } from "./text.ts"

/** Advice is written once for every run; here it names the run at hand. */
const adviceFor = (advice: string, runId: string): string => printable(advice.replaceAll("<runId>", runId))

/** Codes whose message says all there is: the program's own end, the user's own wish, each field of a request. */
const selfEvident: ReadonlySet<ErrorCode> = new Set(["ProgramFailed", "Cancelled", "InvalidRequest"])

/** A problem in lines: what happened (and in which field), what to do next, and where more is said. */
export const problemLines = (style: Style, problem: Problem, runId: string): ReadonlyArray<string> => {
  const message = printable(problem.message)
  const field = problem.field === undefined ? undefined : printable(problem.field)
  const where = field === undefined || message.includes(`"${field}"`) ? "" : `${field}: `
  const more = selfEvident.has(problem.code) ? [] : [`  ${style.dim(`→ fleet explain ${problem.code}`)}`]
  return [`  ${where}${message}`, `  ${style.dim("→")} ${adviceFor(problem.advice, runId)}`, ...more]
}

export const problemsText = (style: Style, problems: ReadonlyArray<Problem>, runId: string): string =>
  problems.flatMap((problem) => problemLines(style, problem, runId).map((line) => `${line}\n`)).join("")
