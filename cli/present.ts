import type { LogLine } from "#ecs-core/LogLine.ts"
import type { FollowItem, LinesEnd } from "./follow/reduce.ts"
import { closing, lineText, type OpenLine } from "./render/lines.ts"
import { finishedText, stateLine } from "./render/run.ts"
import type { Style } from "./render/style.ts"
import { printable } from "./render/text.ts"

/** What goes to standard output and to standard error. */
export interface Shown {
  readonly out: string
  readonly err: string
}

/** Turns items into text, one by one; the state is a line that is still open. */
export type Present = (open: OpenLine | undefined, item: FollowItem) => readonly [OpenLine | undefined, Shown]

/** For people: the program's lines on standard output, all else on standard error. */
export const forPeople =
  (runId: string, style: Style): Present =>
  (open, item) => {
    switch (item.kind) {
      case "line": {
        const [out, next] = lineText(open, item.line)
        return [next, { out, err: "" }]
      }
      case "state":
        return [open, { out: "", err: `${stateLine(style, item)}\n` }]
      case "notice":
        return [open, { out: "", err: `${style.yellow("!")} ${printable(item.text)}\n` }]
      case "finished": {
        const err = `${linesNotice(style, item.lines, runId)}${finishedText(style, item.finished)}`
        return [undefined, { out: closing(open), err }]
      }
    }
  }

const linesNotice = (style: Style, lines: LinesEnd, runId: string): string => {
  if (lines === "complete") return ""
  const text =
    lines === "cut"
      ? "The last lines may be missing: the log could not be read to its end."
      : `The lines have not ended yet; what is still to come: fleet logs ${runId}`
  return `${style.yellow("!")} ${text}\n`
}

/** For programs: one JSON object a line, all on standard output. */
export const asJson =
  (runId: string): Present =>
  (open, item) => [open, { out: jsonLine(runId, item), err: "" }]

const jsonLine = (runId: string, item: FollowItem): string => {
  switch (item.kind) {
    case "line":
      return json({ type: "line", runId, attempt: item.attempt, ...publicLine(item.line) })
    case "state": {
      const { kind: _kind, waitingFor, ...change } = item
      return json({ type: "state", runId, ...change, ...waitingFor })
    }
    case "notice":
      return json({ type: "notice", runId, text: item.text })
    case "finished":
      return json({ type: "end", ...item.finished, lines: item.lines })
  }
}

/** A line without what only services need. */
export const publicLine = ({ id: _id, ...line }: LogLine): Omit<LogLine, "id"> => line

export const json = (value: unknown): string => `${JSON.stringify(value)}\n`
