import type { RunFinished } from "#ecs-core/Messages.ts"
import type { LaunchedTask } from "#services/local-aws/Journal.ts"
import type { Program } from "#test/chaos/programs.ts"

/** What was seen of one run. */
export interface Seen {
  readonly finished: ReadonlyArray<Pick<RunFinished, "outcome" | "exitCode">>
  readonly lines: ReadonlyArray<string>
  /** `complete` of each end marker. */
  readonly ends: ReadonlyArray<boolean>
  readonly tasks: ReadonlyArray<Pick<LaunchedTask, "taskArn" | "lastStatus" | "startedBy">>
}

export interface Judgement {
  readonly finished: number
  readonly tasks: number
  readonly linesLost: number
  readonly linesDoubled: number
  /** One sentence each. */
  readonly violations: ReadonlyArray<string>
}

/** Holds what was seen of a run against what its program does. */
export const judgeRun = (runId: string, program: Program, seen: Seen): Judgement => {
  const lines = judgeLines(program.lines, seen.lines)
  const problems = [
    ...judgeEnd(program, seen),
    ...judgeTasks(seen),
    ...(lines.lost.length === 0 ? [] : [`lost ${lines.lost.length} lines, first: ${lines.lost[0]}`]),
    ...(lines.doubled.length === 0 ? [] : [`doubled ${lines.doubled.length} lines, first: ${lines.doubled[0]}`]),
    ...(lines.foreign.length === 0 ? [] : [`has lines of others, first: ${lines.foreign[0]}`]),
    ...(lines.isInOrder ? [] : ["has its lines out of order"])
  ]
  return {
    finished: seen.finished.length === 0 ? 0 : 1,
    tasks: seen.tasks.length,
    linesLost: lines.lost.length,
    linesDoubled: lines.doubled.length,
    violations: problems.map((problem) => `${runId}: ${problem}`)
  }
}

const judgeEnd = ({ exitCode }: Program, { finished, ends }: Seen): ReadonlyArray<string> => {
  const outcome = exitCode === 0 ? "succeeded" : "failed"
  const wrong = finished.filter((end) => end.outcome !== outcome || end.exitCode !== exitCode)
  return [
    ...(finished.length === 1 ? [] : [`finished ${finished.length} times`]),
    ...wrong.map((end) => `is ${end.outcome} with exit code ${end.exitCode}, not ${outcome} with ${exitCode}`),
    ...(ends.length === 1 ? [] : [`has ${ends.length} end markers`]),
    ...(ends.includes(false) ? ["has an end marker that says lines may be missing"] : [])
  ]
}

/** None of the programs gives a reason for a second attempt. */
const judgeTasks = ({ tasks }: Seen): ReadonlyArray<string> => {
  const alive = tasks.filter(({ lastStatus }) => lastStatus !== "STOPPED")
  const starters = tasks.map(({ startedBy = "nobody" }) => startedBy)
  return [
    ...(tasks.length === 1 ? [] : [`has ${tasks.length} tasks: ${starters.join(", ") || "none"}`]),
    ...alive.map(({ taskArn, lastStatus }) => `left ${taskArn} ${lastStatus}`)
  ]
}

interface Lines {
  readonly lost: ReadonlyArray<string>
  readonly doubled: ReadonlyArray<string>
  readonly foreign: ReadonlyArray<string>
  readonly isInOrder: boolean
}

/** The lines of a program are all different. */
const judgeLines = (expected: ReadonlyArray<string>, seen: ReadonlyArray<string>): Lines => {
  const wanted = new Set(expected)
  const first = new Set(seen.filter((line) => wanted.has(line)))
  const inOrder = expected.filter((line) => first.has(line))
  const firstAt = new Map(seen.toReversed().map((line, at) => [line, seen.length - 1 - at]))
  return {
    lost: expected.filter((line) => !first.has(line)),
    doubled: seen.filter((line, at) => wanted.has(line) && firstAt.get(line) !== at),
    foreign: seen.filter((line) => !wanted.has(line)),
    isInOrder: [...first].every((line, at) => line === inOrder[at])
  }
}

/** All runs together. */
export const sumUp = (judgements: ReadonlyArray<Judgement>): Judgement => {
  const total = (count: (each: Judgement) => number) => judgements.reduce((sum, each) => sum + count(each), 0)
  return {
    finished: total((each) => each.finished),
    tasks: total((each) => each.tasks),
    linesLost: total((each) => each.linesLost),
    linesDoubled: total((each) => each.linesDoubled),
    violations: judgements.flatMap(({ violations }) => violations)
  }
}
