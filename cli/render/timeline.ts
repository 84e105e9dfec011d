import { millisOf } from "#ecs-core/Instant.ts"
import type { Run, TimelineEntry } from "#ecs-core/Run.ts"
import type { Style } from "./style.ts"
import { printable } from "./text.ts"
import { lengthOf } from "./time.ts"

/** A longer timeline is shown without its middle: how a run came about and how it ended are what is looked for. */
export const TIMELINE_FIRST = 10
export const TIMELINE_LAST = 20

/** What happened, each with its time (UTC) and how long after the request; in the order of time, not of the telling. */
export const timelineLines = (style: Style, run: Run): ReadonlyArray<string> => {
  const timeline = run.timeline.toSorted((a, b) => millisOf(a.at) - millisOf(b.at))
  const left = timeline.length - TIMELINE_FIRST - TIMELINE_LAST
  const line = (entry: TimelineEntry) => entryLine(style, run, entry)
  if (left <= 1) return timeline.map(line)
  const gap = `⋯ ${left} more entries: fleet describe --json ${run.runId}`
  return [
    ...timeline.slice(0, TIMELINE_FIRST).map(line),
    `  ${style.dim(gap)}`,
    ...timeline.slice(-TIMELINE_LAST).map(line)
  ]
}

/** `09:00:02    +2.0 s  task created`; a later day stands before the time. */
const entryLine = (style: Style, run: Run, entry: TimelineEntry): string => {
  const day = entry.at.slice(0, 10)
  const time = day === run.requestedAt.slice(0, 10) ? entry.at.slice(11, 19) : `${day} ${entry.at.slice(11, 19)}`
  const since = `+${lengthOf(millisOf(entry.at) - millisOf(run.requestedAt))}`
  const times = entry.count === undefined ? "" : style.dim(` (${entry.count} times)`)
  return `  ${style.dim(`${time}  ${since.padStart(12)}`)}  ${printable(entry.what)}${times}`
}
