import type { LogEnd } from "#ecs-core/LogLine.ts"
import { nearest } from "#ecs-core/Nearest.ts"
import { count, printable } from "./text.ts"

/** What was read of a run's lines. */
export interface Read {
  readonly end?: LogEnd["end"]
  readonly read: number
  readonly containers: ReadonlyArray<string>
  readonly ofContainers: number
  readonly given: number
  readonly partial: number
  readonly unreadable: number
  readonly tailCut: boolean
}

/** What was asked for. */
export interface Asked {
  readonly runId: string
  /** One container by its name; absent: those that are shown by default, or all. */
  readonly container?: string
  /** The flags that let a line pass only if it is of a kind, such as `--grep`. */
  readonly filters: ReadonlyArray<string>
  /** Lines are not older than this. */
  readonly since?: string
  /** Nothing more can come. */
  readonly isOver: boolean
}

/** Why not one line is shown, and what to do; undefined where some are. */
export const emptyText = (asked: Asked, read: Read): string | undefined => {
  const { runId, since, filters } = asked
  if (read.given > 0) return undefined
  if (read.read === 0) return since === undefined ? noLinesText(asked) : noneSince(runId, since)
  if (read.ofContainers === 0) return noSuchContainer(asked, read)
  if (filters.length === 0) return undefined
  if (filters.length === 1 && since !== undefined) return noneSince(runId, since)
  const none = read.ofContainers === 1 ? "The one line" : `None of the ${read.ofContainers} lines`
  const isNot = read.ofContainers === 1 ? "is not" : "is"
  return `${none} of run ${runId} ${isNot} as ${filters.join(" and ")} asks for. ${allText(runId)}`
}

const noneSince = (runId: string, since: string): string => `Run ${runId} has no line since ${since}. ${allText(runId)}`

const allText = (runId: string): string => `All there are: fleet logs ${runId}`

/** A run that has no line at all. */
export const noLinesText = ({ runId, isOver }: Pick<Asked, "runId" | "isOver">): string =>
  isOver
    ? `Run ${runId} left no output, or it is older than the logs are kept. Why it ended: fleet describe ${runId}`
    : `No output of run ${runId} yet. Wait for it with: fleet logs -f ${runId}`

const noSuchContainer = ({ runId, container }: Asked, { containers }: Read): string => {
  const names = containers.map(printable).join(", ")
  const all = `All of them: fleet logs --all ${runId}`
  if (container === undefined)
    return `The program of run ${runId} wrote nothing; other containers did: ${names}. ${all}`
  const near = nearest(container, containers)
  const hint = near === undefined ? "" : ` Did you mean ${printable(near)}?`
  return `Run ${runId} has no line of container "${printable(container)}".${hint} It has lines of ${names}. ${all}`
}

/** What is to be known of the lines that are shown: where some may be missing, and why. */
export const readWarnings = (runId: string, { end, partial, unreadable, tailCut }: Read): ReadonlyArray<string> => {
  const cut = end === undefined ? undefined : cutText(end)
  return [
    ...(cut === undefined ? [] : [cut]),
    ...(partial === 0
      ? []
      : [
          `${count(partial, "line")} of run ${runId} came in parts: pieces are gone, or there were too many to be held.`
        ]),
    ...(unreadable === 0
      ? []
      : [`${count(unreadable, "message")} of run ${runId} cannot be read: a newer version wrote them. Update fleet.`]),
    ...(tailCut
      ? [`The last lines of run ${runId} are so long that fewer are shown than --tail asks for. Leave it out for all.`]
      : [])
  ]
}

/** What is said of lines of which nobody knows the container. */
export const LINES_CUT = "The last lines may be missing: the log could not be read to its end."

/** Where lines may be missing at the end, in one sentence; undefined where all came. */
export const cutText = ({ complete, containers }: LogEnd["end"]): string | undefined => {
  const cut = containers.filter(({ drained }) => drained === "cut")
  if (cut.length === 0) return complete ? undefined : LINES_CUT
  const manyAttempts = containers.some(({ attempt }) => attempt > 1)
  const names = cut.map(
    ({ container, attempt }) => `${printable(container)}${manyAttempts ? ` (attempt ${attempt})` : ""}`
  )
  return names.length === 1
    ? `The last lines of container ${names[0]} may be missing: its log could not be read to its end.`
    : `The last lines of containers ${names.join(", ")} may be missing: their logs could not be read to their ends.`
}
