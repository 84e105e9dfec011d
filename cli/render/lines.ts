import type { Style } from "./style.ts"
import { printable } from "./text.ts"

/** What stands before the text of each line. */
export interface LineLayout {
  /** Several runs are shown: the id of the line's own, and the length of the longest one. */
  readonly run?: { readonly id: string; readonly width: number }
  /** Several containers are shown: the length of the longest name so far. */
  readonly containerWidth?: number
  readonly timestamps: boolean
}

export interface ShownLine {
  readonly container: string
  readonly time: string
  readonly text: string
}

/**
 * A program's line as it is to be written: labels in colours of their own, `|`, the time, the text as it is. A text that
 * has line ends in it has the labels before each of its lines.
 */
export const lineText = (style: Style, layout: LineLayout, { container, time, text }: ShownLine): string => {
  const labels = labelsOf(style, layout, container)
  const stamp = layout.timestamps ? `${style.dim(time)} ` : ""
  return `${labels}${stamp}${labels === "" ? text : text.replaceAll("\n", `\n${labels}`)}\n`
}

/** What the fleet itself has to say of a run's output. */
export const noticeText = (style: Style, { run }: LineLayout, text: string): string =>
  `${style.yellow("!")} ${run === undefined ? "" : `${style.named(run.id, run.id)}: `}${printable(text)}\n`

const labelsOf = (style: Style, { run, containerWidth }: LineLayout, container: string): string => {
  const name = printable(container)
  const labels = [
    ...(run === undefined ? [] : [style.named(run.id, run.id.padEnd(run.width))]),
    ...(containerWidth === undefined ? [] : [style.named(name, name.padEnd(containerWidth))])
  ]
  return labels.length === 0 ? "" : `${labels.join(" ")} | `
}
