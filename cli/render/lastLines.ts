import type { ShownLine } from "./lines.ts"
import type { Style } from "./style.ts"
import { printable } from "./text.ts"

/** Of more lines only the last ones are shown. */
export const LAST_LINES_MAX = 20

/** Of a longer line only its beginning is shown. */
export const LAST_LINE_CHARACTERS_MAX = 500

/** `  09:02:09  text`: the last lines of a run, with the names of their containers where there are several. */
export const lastLines = (style: Style, runId: string, lines: ReadonlyArray<ShownLine>): ReadonlyArray<string> => {
  const names = new Set(lines.map(({ container }) => printable(container)))
  const width = names.size > 1 ? Math.max(...[...names].map((name) => name.length)) : 0
  const left = Math.max(0, lines.length - LAST_LINES_MAX)
  const gap = `⋯ ${left} more: fleet logs ${names.size > 1 ? "--all " : ""}--tail ${lines.length} ${runId}`
  return [
    ...(left === 0 ? [] : [`  ${style.dim(gap)}`]),
    ...lines.slice(left).map(({ time, container, text }) => {
      const label = width === 0 ? "" : `${style.named(container, printable(container).padEnd(width))}  `
      return `  ${style.dim(time.slice(11, 19))}  ${label}${shortened(text)}`
    })
  ]
}

const shortened = (text: string): string =>
  text.length > LAST_LINE_CHARACTERS_MAX ? `${printable(text.slice(0, LAST_LINE_CHARACTERS_MAX))}…` : printable(text)
