import { DEFAULT_POOL } from "#ecs-core/Pool.ts"
import { currentAttempt, isQueued, type Run } from "#ecs-core/Run.ts"
import { stateWord } from "./run.ts"
import type { Style } from "./style.ts"
import { table } from "./table.ts"
import { printable } from "./text.ts"
import { age } from "./time.ts"

const HEADER = ["RUN", "STATE", "NAME", "POOL", "AGE", "TASK"]
const NONE = "-"

/** Runs as a table, the newest first. */
export const psTable = (
  style: Style,
  runs: ReadonlyArray<Run>,
  nowMillis: number,
  paused: ReadonlySet<string> = new Set()
): string =>
  table(
    HEADER,
    runs.map((run) => [
      run.runId,
      `${stateWord(style, run.state)}${waitsForPause(run, paused) ? ", paused" : ""}`,
      printable(run.name ?? NONE),
      printable(run.pool ?? NONE),
      age(run.requestedAt, nowMillis),
      taskId(currentAttempt(run)?.taskArn)
    ])
  )

const waitsForPause = (run: Run, paused: ReadonlySet<string>): boolean =>
  isQueued(run) && paused.has(run.pool ?? DEFAULT_POOL)

/** The last part of the ARN is the task's id. */
const taskId = (taskArn: string | undefined): string => taskArn?.split("/").at(-1) ?? NONE

/** What `fleet ps` says when there is nothing to list: the next command. */
export const nothingToList = (all: boolean, isFiltered: boolean): string => {
  if (isFiltered) return all ? "No run fits.\n" : "No run that is not over fits. Among those that are over: add --all\n"
  return all
    ? "No runs yet. Start one with: fleet run -- echo hello\n"
    : "Nothing is running. Start a run with: fleet run -- echo hello\nRuns that are over: fleet ps --all\n"
}

/** One run for programs. */
export const psJson = (run: Run, paused: ReadonlySet<string> = new Set()): Readonly<Record<string, unknown>> => {
  const attempt = currentAttempt(run)
  return {
    runId: run.runId,
    state: run.state,
    ...(waitsForPause(run, paused) ? { paused: true } : {}),
    name: run.name,
    pool: run.pool,
    requestedAt: run.requestedAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    attempts: run.attempts.length,
    exitCode: run.exitCode,
    taskArn: attempt?.taskArn
  }
}
