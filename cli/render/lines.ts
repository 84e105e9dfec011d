import type { LogLine } from "#ecs-core/LogLine.ts"

/** A long line whose last piece has not come yet. */
export interface OpenLine {
  readonly container: string
  readonly part: number
}

/**
 * A program's line as it is to be written. Long lines travel in pieces, which are put together again: only the last
 * one ends the line, and so does whatever else comes between.
 */
export const lineText = (open: OpenLine | undefined, line: LogLine): readonly [string, OpenLine | undefined] => {
  const { container, part, text } = line
  const continues = open !== undefined && open.container === container && part === open.part + 1
  const before = open === undefined || continues ? "" : "\n"
  if (part === undefined || line.last === true) return [`${before}${text}\n`, undefined]
  return [`${before}${text}`, { container, part }]
}

/** What ends a line that was left open. */
export const closing = (open: OpenLine | undefined): string => (open === undefined ? "" : "\n")
