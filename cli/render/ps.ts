import { currentAttempt, isFinal, type Run } from "#ecs-core/Run.ts"
import { stateWord } from "./run.ts"
import type { Style } from "./style.ts"
import { table } from "./table.ts"
import { printable } from "./text.ts"
import { age } from "./time.ts"

const HEADER = ["RUN", "STATE", "NAME", "POOL", "AGE", "TASK"]
const NONE = "-"

/** Names of pools that launch nothing for now. */
type Paused = ReadonlySet<string>

/** Runs as a table, the newest first. */
export const psTable = (
  style: Style,
  runs: ReadonlyArray<Run>,
  nowMillis: number,
  paused: Paused = new Set()
): string =>
  table(
    HEADER,
    runs.map((run) => [
      run.runId,
      stateWord(style, run.state),
      printable(run.name ?? NONE),
      `${printable(run.pool ?? NONE)}${isHeld(run, paused) ? " (paused)" : ""}`,
      age(run.requestedAt, nowMillis),
      taskId(currentAttempt(run)?.taskArn)
    ])
  )

/** The last part of the ARN is the task's id. */
const taskId = (taskArn: string | undefined): string => taskArn?.split("/").at(-1) ?? NONE

/** What `fleet ps` says when there is nothing to list: the next command. */
export const nothingToList = (all: boolean, isFiltered: boolean): string => {
  if (isFiltered) return all ? "No run fits.\n" : "No run that is not over fits. Among those that are over: add --all\n"
  return all
    ? "No runs yet. Start one with: fleet run -- echo hello\n"
    : "Nothing is running. Start a run with: fleet run -- echo hello\nRuns that are over: fleet ps --all\n"
}

/** Its pool is paused, and it is not over. */
const isHeld = (run: Run, paused: Paused): boolean => !isFinal(run) && paused.has(run.pool ?? "")

/** One run for programs. */
export const psJson = (run: Run, paused: Paused = new Set()): Readonly<Record<string, unknown>> => {
  const attempt = currentAttempt(run)
  return {
    runId: run.runId,
    state: run.state,
    name: run.name,
    pool: run.pool,
    ...(isHeld(run, paused) ? { poolPaused: true } : {}),
    requestedAt: run.requestedAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    attempts: run.attempts.length,
    exitCode: run.exitCode,
    taskArn: attempt?.taskArn
  }
}
