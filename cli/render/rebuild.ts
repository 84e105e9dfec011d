import { percentOf, type RebuildState } from "#ecs-core/RebuildState.ts"
import type { Style } from "./style.ts"
import { table } from "./table.ts"
import { count } from "./text.ts"

/** Progress is shown in steps of so many percent. */
const STEP_PERCENT = 10

export const NOBODY_YET =
  "No dispatcher has taken it yet: is one running? It is done when one is; Ctrl-C ends only the waiting.\n"

export const askedLine = (style: Style): string => `${style.yellow("●")} a rebuild is asked for\n`

/** A line where there is something new to say since the last one; undefined where there is not. */
export const progressLine = (style: Style, now: RebuildState, shown: RebuildState | undefined): string | undefined => {
  if (now.state !== "running") return undefined
  const percent = percentOf(now)
  const isSame = shown !== undefined && shown.owner === now.owner
  if (isSame && percent - percentOf(shown) < STEP_PERCENT) return undefined
  const what = `${percent} % of ${count(now.total, "message")} read, ${count(now.created, "record")} made`
  return `${style.yellow("●")} ${what}\n`
}

/** What was done, for people. */
export const rebuiltText = (style: Style, rebuild: RebuildState): string => {
  const rows: ReadonlyArray<readonly [number, string]> = [
    [rebuild.created, "made from the messages that are stored"],
    [rebuild.live, "of these go on"],
    [rebuild.incomplete, "of these are incomplete: their first messages were gone"],
    [rebuild.kept, "were there, and are as they were"],
    [rebuild.left, "have none: too little is left, or their request is still to be read"]
  ]
  const sum = `${style.green("✓")} ${count(rebuild.created, "record")} rebuilt from ${count(rebuild.total, "message")}\n`
  return (
    sum +
    table(
      ["RUNS", "WHOSE RECORDS"],
      rows.map(([number, what]) => [String(number), what])
    )
  )
}
