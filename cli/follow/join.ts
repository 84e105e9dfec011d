import type { LogLine } from "#ecs-core/LogLine.ts"

/*
 * A line above 48 KiB travels in pieces, and lines of other containers and attempts, or a late line of its own container,
 * may come between them. So pieces are held until the last one is there, and the line comes out whole, in the place of
 * its last piece. What is held is bounded: beyond the limits the line that has waited longest comes out as far as it has
 * come, and the rest of it as a line of its own; both are marked as partial.
 */

/** Characters of unfinished lines that are held, all lines of a run together. CloudWatch's longest line has 1 MiB. */
export const HELD_CHARACTERS_MAX = 4 * 1024 * 1024

/** Unfinished lines that are held. */
export const HELD_LINES_MAX = 100

/** One line of output, as its program wrote it. */
export interface WholeLine {
  readonly attempt: number
  readonly container: string
  /** ISO 8601, UTC. */
  readonly time: string
  readonly text: string
  /** CloudWatch showed it later than its neighbours. */
  readonly late?: boolean
  /** Pieces of it are missing, or it was too long to be held: this is not all of the line. */
  readonly partial?: true
}

/** A line whose last piece has not come yet. */
interface HeldLine {
  readonly attempt: number
  readonly first: LogLine
  readonly texts: ReadonlyArray<string>
  /** Number of the newest piece. */
  readonly part: number
  readonly characters: number
}

export interface Held {
  /** By line, the one that has waited longest first. */
  readonly lines: ReadonlyMap<string, HeldLine>
  readonly characters: number
}

export const nothingHeld: Held = { lines: new Map(), characters: 0 }

export interface HoldLimits {
  readonly characters: number
  readonly lines: number
}

const limits: HoldLimits = { characters: HELD_CHARACTERS_MAX, lines: HELD_LINES_MAX }

/** Takes lines of one attempt as they are stored: what is held now, and which lines are whole. */
export const joinPieces = (
  held: Held,
  attempt: number,
  lines: ReadonlyArray<LogLine>,
  max: HoldLimits = limits
): readonly [Held, ReadonlyArray<WholeLine>] => {
  let now = held
  const whole: Array<WholeLine> = []
  for (const line of lines) {
    if (line.part === undefined) {
      whole.push(wholeLine(attempt, line, line.text))
    } else {
      const [next, released] = withPiece(now, attempt, line, line.part)
      now = next
      whole.push(...released)
      while (now.characters > max.characters || now.lines.size > max.lines) {
        const [rest, oldest] = withoutOldest(now)
        now = rest
        whole.push(...oldest)
      }
    }
  }
  return [now, whole]
}

/** What is held when nothing more comes: lines whose last pieces are missing. */
export const releaseHeld = (held: Held): ReadonlyArray<WholeLine> =>
  [...held.lines.values()].map((line) => textSoFar(line, false))

type Step = readonly [Held, ReadonlyArray<WholeLine>]

const withPiece = (held: Held, attempt: number, line: LogLine, part: number): Step => {
  const key = `${attempt} ${line.container} ${line.id ?? ""}`
  const open = held.lines.get(key)
  const follows = open !== undefined && part === open.part + 1
  const begun = follows ? open : { attempt, first: line, texts: [], part, characters: 0 }
  const grown = {
    ...begun,
    texts: [...begun.texts, line.text],
    part,
    characters: begun.characters + line.text.length
  }
  const broken = open !== undefined && !follows ? [textSoFar(open, false)] : []
  const rest = without(held, key)
  if (line.last === true) return [rest, [...broken, textSoFar(grown, true)]]
  return [{ lines: new Map([...rest.lines, [key, grown]]), characters: rest.characters + grown.characters }, broken]
}

const withoutOldest = (held: Held): Step => {
  const [oldest] = held.lines
  return oldest === undefined ? [nothingHeld, []] : [without(held, oldest[0]), [textSoFar(oldest[1], false)]]
}

const without = (held: Held, key: string): Held => {
  const line = held.lines.get(key)
  if (line === undefined) return held
  const lines = new Map(held.lines)
  lines.delete(key)
  return { lines, characters: held.characters - line.characters }
}

/** The pieces that are there as one line; whole if they begin with the first one and end with the last one. */
const textSoFar = ({ attempt, first, texts }: HeldLine, ended: boolean): WholeLine => ({
  ...wholeLine(attempt, first, texts.join("")),
  ...(ended && first.part === 1 ? {} : { partial: true })
})

const wholeLine = (attempt: number, { container, time, late }: LogLine, text: string): WholeLine => ({
  attempt,
  container,
  time,
  text,
  ...(late === true ? { late } : {})
})
