import { isStartUp, lengthMillis, type Phase, type PhaseName } from "./phases.ts"
import type { Style } from "./style.ts"
import { lengthOf } from "./time.ts"

/** Bars need as much room to say anything; on a narrower terminal only the lengths are shown. */
export const BAR_COLUMNS_MIN = 16
/** Wider bars are no easier to read. */
export const BAR_COLUMNS_MAX = 60

const NOW = " now"
const GAP = "  "

/** One line a phase: name, length, and a bar where it lies; `columns` is the room for all of it. */
export const waterfallLines = (style: Style, phases: ReadonlyArray<Phase>, columns: number): ReadonlyArray<string> => {
  const rows = phases.map((phase) => ({ phase, name: phase.names.join(" + "), length: lengthText(phase) }))
  const nameColumns = Math.max(...rows.map(({ name }) => name.length))
  const lengthColumns = Math.max(...rows.map(({ length }) => length.length))
  const room = columns - nameColumns - lengthColumns - 2 * GAP.length - NOW.length
  const bars = room < BAR_COLUMNS_MIN ? [] : barsOf(phases, Math.min(room, BAR_COLUMNS_MAX))
  return rows.map(({ phase, name, length }, index) => {
    const bar = bars[index]
    const drawn =
      bar === undefined || phase.toMillis === undefined
        ? ""
        : `${GAP}${" ".repeat(bar.column)}${paint(style, phase)(bar.text)}`
    const mark = phase.goesOn ? style.cyan(NOW) : ""
    return `${name.padEnd(nameColumns)}${GAP}${length.padStart(lengthColumns)}${drawn}${mark}`
  })
}

const lengthText = (phase: Phase): string =>
  phase.toMillis === undefined ? "not known" : lengthOf(lengthMillis(phase))

const paint = (style: Style, phase: Phase): ((text: string) => string) =>
  isStartUp(phase) ? style.yellow : style.green

interface Bar {
  readonly column: number
  readonly text: string
}

/**
 * Bars to scale, one after the other. A run that is longer than all else together is cut to that length, or the start
 * of a task that ran for an hour would be too small to see; the cut shows as `⋯`.
 */
const barsOf = (phases: ReadonlyArray<Phase>, columns: number): ReadonlyArray<Bar> => {
  const rest = sum(phases.filter(({ names }) => names[0] !== "run").map(lengthMillis))
  const drawn = phases.map((phase) => {
    const length = lengthMillis(phase)
    const isCut = phase.names[0] === "run" && rest > 0 && length > rest
    return { length: isCut ? rest : length, isCut }
  })
  const scale = columns / Math.max(1, sum(drawn.map(({ length }) => length)))
  let at = 0
  return drawn.map(({ length, isCut }) => {
    const column = Math.min(columns - 1, Math.round(at * scale))
    at += length
    const width = Math.max(1, Math.min(columns, Math.round(at * scale)) - column)
    return { column, text: length === 0 ? "▏" : barText(width, isCut) }
  })
}

const barText = (width: number, isCut: boolean): string => {
  const half = Math.floor((width - 1) / 2)
  return isCut ? `${"█".repeat(half)}⋯${"█".repeat(width - 1 - half)}` : "█".repeat(width)
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

/** Shorter phases need no advice. */
export const LONG_PULL_MILLIS = 10_000
export const LONG_PLACEMENT_MILLIS = 20_000
export const LONG_START_MILLIS = 5000

interface Hint {
  readonly longMillis: number
  readonly what: string
  readonly helps: string
}

const FARGATE_USUAL = "usually 10 to 20 s on Fargate for network and host together"

const hints: Readonly<Record<"network" | "host" | "pull" | "start", Hint>> = {
  network: {
    longMillis: LONG_PLACEMENT_MILLIS,
    what: `the network interface, ${FARGATE_USUAL}`,
    helps: "check that the subnets have free addresses"
  },
  host: {
    longMillis: LONG_PLACEMENT_MILLIS,
    what: `a place to run on, ${FARGATE_USUAL}`,
    helps: "EC2 instances that are kept ready start sooner"
  },
  pull: {
    longMillis: LONG_PULL_MILLIS,
    what: "the download of the images",
    helps: "a smaller image helps, or one in the same region, or a SOCI index on Fargate"
  },
  start: {
    longMillis: LONG_START_MILLIS,
    what: "from the pulled image to RUNNING",
    helps: "check the containers that it waits for, and their health checks"
  }
}

/** One sentence on the longest phase before the program ran, with what helps if it is long; nothing while there is none. */
export const startUpSentence = (phases: ReadonlyArray<Phase>): string | undefined => {
  const startUp = phases.filter(isStartUp)
  const [longest] = startUp.toSorted((a, b) => lengthMillis(b) - lengthMillis(a))
  if (longest === undefined || lengthMillis(longest) === 0) return undefined
  const whole = lengthOf(sum(startUp.map(lengthMillis)))
  const share = `${longest.names.join(" + ")} (${lengthOf(lengthMillis(longest))} of ${whole})`
  const { longMillis, what, helps } = hints[hintName(longest.names)]
  return `Longest part of the start-up: ${share}, ${what}${lengthMillis(longest) < longMillis ? "" : `: ${helps}`}.`
}

/** Of merged phases the one where most can be done. */
const hintName = (names: ReadonlyArray<PhaseName>): keyof typeof hints =>
  (["pull", "network", "host"] as const).find((name) => names.includes(name)) ?? "start"
