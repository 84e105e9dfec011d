/**
 * The life of a task cut into phases at ECS's own timestamps. The stamps are taken as they come: one that is missing
 * makes one phase of two (nobody knows where the first ended), and one that is earlier than a stamp before it counts as
 * simultaneous, so that lengths never go below zero and always add up to the whole.
 */
import { millisOf } from "#ecs-core/Instant.ts"
import type { TaskTimes } from "#ecs-core/Messages.ts"

/**
 * `network`: created → interface attached. `host`: → pull begins (a place to run on). `pull`: → pull ends. `start`: →
 * RUNNING. `run`: → the program ended, or ECS began to stop it. `stop`: → STOPPED.
 */
export type PhaseName = "network" | "host" | "pull" | "start" | "run" | "stop"

export interface Phase {
  /** Several where the stamps between them are missing. */
  readonly names: readonly [PhaseName, ...ReadonlyArray<PhaseName>]
  readonly fromMillis: number
  /** Of the phase that goes on: now. Absent: the task is over, and nothing tells when this ended. */
  readonly toMillis: number | undefined
  readonly goesOn: boolean
}

const ORDER: ReadonlyArray<PhaseName> = ["network", "host", "pull", "start", "run", "stop"]
const START_UP: ReadonlySet<PhaseName> = new Set(["network", "host", "pull", "start"])

export const isStartUp = (phase: Phase): boolean => START_UP.has(phase.names[0])

export const lengthMillis = (phase: Phase): number => (phase.toMillis ?? phase.fromMillis) - phase.fromMillis

interface Mark {
  readonly begins: PhaseName
  readonly millis: number
}

/** The phases of a task that is `over`, or goes on at `nowMillis`; none before ECS has created it. */
export const phasesOf = (times: TaskTimes, over: boolean, nowMillis: number): ReadonlyArray<Phase> => {
  const marks = inOrder(marksOf(times))
  const stopped = millisIn(times.stoppedAt)
  return marks.flatMap(({ begins, millis: fromMillis }, index): ReadonlyArray<Phase> => {
    const next = marks[index + 1]
    const end = (toMillis: number) => ({ fromMillis, toMillis: Math.max(fromMillis, toMillis), goesOn: false })
    if (next !== undefined) return [{ names: namesFrom(begins, next.begins), ...end(next.millis) }]
    if (stopped !== undefined) return [{ names: namesFrom(begins, undefined), ...end(stopped) }]
    if (!over) return [{ names: [begins], ...end(nowMillis), goesOn: true }]
    return begins === "stop" ? [] : [{ names: [begins], fromMillis, toMillis: undefined, goesOn: false }]
  })
}

/** Where both stamps of the stop are there, the earlier one ends the run: a program goes on for a while when stopped. */
const marksOf = (times: TaskTimes): ReadonlyArray<Mark> => {
  const stops = [times.executionStoppedAt, times.stoppingAt].flatMap((at) => (at === undefined ? [] : [millisOf(at)]))
  const begins: Readonly<Record<PhaseName, number | undefined>> = {
    network: millisIn(times.createdAt),
    host: millisIn(times.connectivityAt),
    pull: millisIn(times.pullStartedAt),
    start: millisIn(times.pullStoppedAt),
    run: millisIn(times.startedAt),
    stop: stops.length === 0 ? undefined : Math.min(...stops)
  }
  return ORDER.flatMap((name) => (begins[name] === undefined ? [] : [{ begins: name, millis: begins[name] }]))
}

const millisIn = (instant: string | undefined): number | undefined =>
  instant === undefined ? undefined : millisOf(instant)

const inOrder = (marks: ReadonlyArray<Mark>): ReadonlyArray<Mark> => {
  let latest = Number.NEGATIVE_INFINITY
  return marks.map(({ begins, millis }) => {
    latest = Math.max(latest, millis)
    return { begins, millis: latest }
  })
}

/** A phase and those after it whose beginning has no stamp. A run without one never began. */
const namesFrom = (begins: PhaseName, next: PhaseName | undefined): Phase["names"] => {
  const until = next === undefined ? ORDER.length : ORDER.indexOf(next)
  return [begins, ...ORDER.slice(ORDER.indexOf(begins) + 1, until).filter((name) => name !== "run")]
}
