import type { WholeLine } from "./follow/join.ts"
import type { FollowItem, LinesEnd } from "./follow/reduce.ts"
import { lineText, noticeText } from "./render/lines.ts"
import { LINES_CUT } from "./render/linesRead.ts"
import { finishedText, stateLine } from "./render/run.ts"
import type { Style } from "./render/style.ts"

/** What goes to standard output and to standard error. */
export interface Shown {
  readonly out: string
  readonly err: string
}

export const onOut = (out: string): Shown => ({ out, err: "" })
export const onErr = (err: string): Shown => ({ out: "", err })

/** One write has at most about so many characters. */
export const WRITE_CHARACTERS_MAX = 256 * 1024

/** The same text in as few writes as keep its order: what follows each other on one side is one write. */
export const inWrites = (all: ReadonlyArray<Shown>): ReadonlyArray<Shown> => {
  const writes: Array<{ out: string; err: string }> = []
  for (const { out, err } of all) {
    const last = writes.at(-1)
    const fits = last !== undefined && last.out.length + last.err.length < WRITE_CHARACTERS_MAX
    if (fits && (last.err === "" || out === "")) {
      last.out += out
      last.err += err
    } else writes.push({ out, err })
  }
  return writes
}

/** Turns an item into text. */
export type Present = (item: FollowItem) => Shown

const layout = { timestamps: false }

/** For people: the program's lines on standard output, all else on standard error. */
export const forPeople =
  (runId: string, style: Style): Present =>
  (item) => {
    switch (item.kind) {
      case "line":
        return onOut(lineText(style, layout, item.line))
      case "state":
        return onErr(`${stateLine(style, item)}\n`)
      case "notice":
        return onErr(noticeText(style, layout, item.text))
      case "finished":
        return onErr(`${linesNotice(style, item.lines, runId)}${finishedText(style, item.finished)}`)
    }
  }

const linesNotice = (style: Style, lines: LinesEnd, runId: string): string => {
  if (lines === "complete") return ""
  const overdue = `The lines have not ended yet; what is still to come: fleet logs ${runId}`
  return noticeText(style, layout, lines === "cut" ? LINES_CUT : overdue)
}

/** For programs: one JSON object a line, all on standard output. */
export const asJson =
  (runId: string): Present =>
  (item) =>
    onOut(jsonItem(runId, item))

const jsonItem = (runId: string, item: FollowItem): string => {
  switch (item.kind) {
    case "line":
      return jsonLine(runId, item.line)
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

/** One line of output for programs: `attempt`, `container`, `time`, `text`, and `late` and `partial` where they are true. */
export const jsonLine = (runId: string, line: WholeLine): string => json({ type: "line", runId, ...line })

export const json = (value: unknown): string => `${JSON.stringify(value)}\n`
