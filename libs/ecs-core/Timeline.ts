import type { Problem } from "./errors.ts"
import { type Instant, millisOf } from "./Instant.ts"
import type { DefinitionSource, TaskStopped } from "./Messages.ts"
import { type Run, TIMELINE_MAX } from "./Run.ts"
import type { Outcome } from "./RunState.ts"

/** What the timeline says, each in one place; `fleet describe` shows the entries as they are. */
export const Said = {
  requested: "requested",
  admitted: "its turn in the queue has come",
  cancelRequested: "cancel requested",
  cancelledEarly: "cancel requested before the request",
  definition: (source: DefinitionSource | undefined, arn: string) =>
    `${source === "registered" ? "registered" : "using"} definition ${arn}`,
  definitionDelayed: (problem: Problem) => `task definition delayed: ${problem.message}`,
  launchDeferred: (problem: Problem) => `launch deferred: ${problem.message}`,
  definitionGone: (attempt: number, problem: Problem) =>
    `attempt ${attempt} was not launched, the definition is made again: ${problem.message}`,
  attemptFollows: (attempt: number, pauseMillis: number, problem: Problem) =>
    `attempt ${attempt} follows in ${Math.round(pauseMillis / 1000)} s: ${problem.message}`,
  straggler: (taskArn: string) => `a task that nobody waits for is stopped: ${taskArn}`,
  taskCreated: (taskArn: string) => `task created: ${taskArn}`,
  taskIs: (lastStatus: string) => `task is ${lastStatus}`,
  exited: (container: string, exitCode: number) => `container ${container} exited with code ${exitCode}`,
  ended: (outcome: Outcome, exitCode: number | undefined) =>
    exitCode === undefined ? outcome : `${outcome} with exit code ${exitCode}`
} as const

/** Adds to the timeline; a repeat of the last entry is counted, and the middle gives way when it is full. */
export const note = (run: Run, at: Instant, what: string): Run => {
  const last = run.timeline.at(-1)
  const timeline =
    last?.what === what
      ? [...run.timeline.slice(0, -1), { ...last, count: (last.count ?? 1) + 1 }]
      : [...run.timeline, { at, what }]
  const kept = timeline.length > TIMELINE_MAX ? timeline.toSpliced(TIMELINE_MAX / 2, 1) : timeline
  return { ...run, timeline: kept, updatedAt: later(run.updatedAt, at) }
}

/** The ends of a task's containers, when ECS says that the program ended, else when it was noticed. */
export const noteExits = (run: Run, fact: TaskStopped): Run =>
  fact.containers.reduce(
    (noted, { name, exitCode }) =>
      exitCode === undefined
        ? noted
        : note(noted, fact.times.executionStoppedAt ?? fact.at, Said.exited(name, exitCode)),
    run
  )

export const later = (a: Instant, b: Instant): Instant => (millisOf(b) > millisOf(a) ? b : a)
