import type { LogLine } from "./LogLine.ts"

/*
 * The last lines of a run, small enough for its end marker. A run may have millions of lines, and whoever ends it must
 * not hold them: `addToTail` takes them batch by batch, in the order in which they were published, and keeps what may
 * still be among the last, cut to size. Whatever the batches, `linesOfTail` then is what `tailOf` makes of all lines at
 * once.
 */

/** Lines of a tail at most. */
export const TAIL_LINES_MAX = 20
/** One text of a tail at most, in bytes of JSON; seven such lines fit into a tail. */
export const TAIL_TEXT_BYTES_MAX = 2 * 1024
/** A whole tail at most, in bytes of JSON. */
export const TAIL_BYTES_MAX = 16 * 1024
/** Stands at the beginning of a text whose beginning was cut off. */
export const TAIL_CUT_MARK = "[…] "

export interface TailLimits {
  /** The containers whose lines count; where there is no line of theirs, all lines do. */
  readonly containers: ReadonlyArray<string>
  readonly linesMax: number
  readonly textBytesMax: number
  readonly bytesMax: number
}

/** The limits of an end marker; `containers` are the orchestration container and that of the fleet's own notices. */
export const tailLimits = (containers: ReadonlyArray<string>): TailLimits => ({
  containers,
  linesMax: TAIL_LINES_MAX,
  textBytesMax: TAIL_TEXT_BYTES_MAX,
  bytesMax: TAIL_BYTES_MAX
})

/** A line as far as it is kept: the end of its text, its pieces joined. */
interface KeptLine {
  readonly line: LogLine
  readonly isCut: boolean
  /** Number of the last piece, while another one may follow. */
  readonly openPart: number | undefined
}

/** What may become the tail of a run: at most `linesMax` texts of `textBytesMax`. */
export interface Tail {
  readonly own: ReadonlyArray<KeptLine>
  /** Those of all containers, as long as there are none of the ones that count. */
  readonly all: ReadonlyArray<KeptLine>
}

export const emptyTail: Tail = { own: [], all: [] }

/**
 * The last lines, oldest first: `linesMax` at most, and `bytesMax` of JSON. Pieces of a long line that follow on each
 * other are one line again. A text of more than `textBytesMax` of JSON keeps its end, behind `TAIL_CUT_MARK`, and no
 * character is broken. What a text holds (colours, control characters) stays as it is.
 */
export const tailOf = (lines: ReadonlyArray<LogLine>, limits: TailLimits): ReadonlyArray<LogLine> =>
  linesOfTail(addToTail(emptyTail, lines, limits), limits)

/** The tail with the next lines; always under the same limits. */
export const addToTail = ({ own, all }: Tail, lines: ReadonlyArray<LogLine>, limits: TailLimits): Tail => {
  const counting = lines.filter(({ container }) => limits.containers.includes(container))
  const kept = keepLast(own, counting, limits)
  return { own: kept, all: kept.length > 0 ? [] : keepLast(all, lines, limits) }
}

export const linesOfTail = ({ own, all }: Tail, limits: TailLimits): ReadonlyArray<LogLine> => {
  const lines = (own.length > 0 ? own : all).map((kept) => shownLine(kept, limits))
  let first = lines.length
  let bytes = "[]".length
  for (const line of lines.toReversed()) {
    bytes += jsonBytesOf(line) + (first === lines.length ? 0 : ",".length)
    if (bytes > limits.bytesMax) break
    first--
  }
  return lines.slice(first)
}

const keepLast = (
  kept: ReadonlyArray<KeptLine>,
  lines: ReadonlyArray<LogLine>,
  { linesMax, textBytesMax }: TailLimits
): ReadonlyArray<KeptLine> => {
  const next = [...kept]
  for (const line of lines) {
    const before = next.at(-1)
    const begun = before !== undefined && continues(before, line) ? next.pop() : undefined
    next.push(keptLine(begun, line, textBytesMax))
    if (next.length > linesMax) next.shift()
  }
  return next
}

const continues = ({ line, openPart }: KeptLine, next: LogLine): boolean =>
  openPart !== undefined && next.part === openPart + 1 && next.container === line.container && next.id === line.id

/** A line, or a piece behind those that have begun it. */
const keptLine = (begun: KeptLine | undefined, next: LogLine, textBytesMax: number): KeptLine => {
  const { part, last, ...line } = next
  const text = `${begun?.line.text ?? ""}${next.text}`
  const end = endOf(text, textBytesMax)
  const beganElsewhere = begun === undefined && part !== undefined && part > 1
  return {
    line: { ...(begun?.line ?? line), text: end },
    isCut: beganElsewhere || begun?.isCut === true || end.length < text.length,
    openPart: last === true ? undefined : part
  }
}

const shownLine = ({ line, isCut }: KeptLine, { textBytesMax }: TailLimits): LogLine => {
  if (!isCut) return line
  const room = textBytesMax - (jsonBytesOf(TAIL_CUT_MARK) - QUOTES)
  return { ...line, text: `${TAIL_CUT_MARK}${endOf(line.text, room)}` }
}

const QUOTES = '""'.length
/** No UTF-16 unit is longer in JSON: `\u001b`. */
const UNIT_BYTES_MAX = 6

/** The longest end of a text that has at most `bytesMax` as a string of JSON; characters stay whole. */
const endOf = (text: string, bytesMax: number): string => {
  if (QUOTES + text.length * UNIT_BYTES_MAX <= bytesMax) return text
  let start = text.length
  let bytes = QUOTES
  while (start > 0) {
    const before = isPairBefore(text, start) ? start - 2 : start - 1
    bytes += jsonBytesOfCharacter(text.codePointAt(before) ?? 0)
    if (bytes > bytesMax) break
    start = before
  }
  return text.slice(start)
}

const isPairBefore = (text: string, end: number): boolean => end >= 2 && (text.codePointAt(end - 2) ?? 0) > 0xff_ff

/** What JSON.stringify and UTF-8 make of a character: short and long escapes, half a pair as an escape. */
const jsonBytesOfCharacter = (codePoint: number): number => {
  if (codePoint === 0x22 || codePoint === 0x5c) return 2
  if (codePoint < 0x20) return SHORT_ESCAPES.has(codePoint) ? 2 : UNIT_BYTES_MAX
  if (codePoint < 0x80) return 1
  if (codePoint < 0x8_00) return 2
  if (codePoint > 0xff_ff) return 4
  return codePoint >= 0xd8_00 && codePoint <= 0xdf_ff ? UNIT_BYTES_MAX : 3
}

/** `\b`, `\t`, `\n`, `\f`, `\r`. */
const SHORT_ESCAPES: ReadonlySet<number> = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d])

const jsonBytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length
