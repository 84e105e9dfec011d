import type { Style } from "./style.ts"

const runsOf = (count: number): string => (count === 1 ? "1 run" : `${count} runs`)

/** What a person has to agree to. */
export const questionText = (runs: number, isFiltered: boolean): string =>
  isFiltered ? `Stop ${runsOf(runs)}?` : `Stop every run of this fleet (${runs} now)?`

/** `runs`: those that fit; `asked`: those among them that nobody had asked to stop before. */
export const askedText = (style: Style, { asked, runs }: { readonly asked: number; readonly runs: number }): string => {
  if (runs === 0) return "No run fits: nothing to stop.\n"
  const before = runs === asked ? "" : `; ${runs - asked} of them before`
  return `${style.yellow("●")} asked to stop ${runsOf(runs)}${before}\n`
}

export const waitingText = (style: Style, over: number, runs: number): string =>
  `${style.yellow("●")} ${over} of ${runs} are over\n`

/** `✓ all 40 runs are over: 38 cancelled, 2 succeeded`; nothing where there were none. */
export const endedText = (style: Style, runs: number, outcomes: Readonly<Record<string, number>>): string => {
  if (runs === 0) return ""
  const counts = Object.entries(outcomes)
    .toSorted(([, one], [, other]) => other - one)
    .map(([outcome, count]) => `${count} ${outcome}`)
  return `${style.green("✓")} ${runs === 1 ? "1 run is" : `all ${runs} runs are`} over: ${counts.join(", ")}\n`
}
