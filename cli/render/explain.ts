import { CliOutput } from "effect/cli"
import { type ErrorGuide, errorCodes, errorGuide } from "#ecs-core/ErrorGuide.ts"
import type { ErrorCode } from "#ecs-core/errors.ts"
import type { Style } from "./style.ts"
import { table } from "./table.ts"

/** Lines are no shorter than this, and no longer than can be read well. */
const COLUMNS_MIN = 40
const COLUMNS_MAX = 100
const INDENT = "  "

/** Cause and cure of one code, for people. */
export const explainText = (style: Style, code: ErrorCode, guide: ErrorGuide, columns: number): string => {
  const width = Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, columns))
  const steps = guide.cure.flatMap((step, index) => {
    const number = `${INDENT}${index + 1}. `
    return wrap(step, width - number.length).map(
      (line, at) => `${at === 0 ? number : " ".repeat(number.length)}${line}`
    )
  })
  const sections: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["Cause", indented(guide.cause, width)],
    ["What to do", steps],
    ["Does the fleet try again?", indented(guide.retried, width)],
    ["How the run ends", guide.ends === "" ? [] : indented(`As ${guide.ends}.`, width)]
  ]
  const title = `${style.bold(code)}: ${guide.title}\n`
  return sections
    .filter(([, lines]) => lines.length > 0)
    .reduce(
      (text, [name, lines]) => `${text}\n${style.bold(name)}\n${lines.map((line) => `${line}\n`).join("")}`,
      title
    )
}

const indented = (text: string, width: number): ReadonlyArray<string> =>
  wrap(text, width - INDENT.length).map((line) => `${INDENT}${line}`)

/** Broken at spaces; a longer word keeps a line of its own. What stands in backticks may be broken too. */
export const wrap = (text: string, width: number): ReadonlyArray<string> =>
  text.split(" ").reduce<ReadonlyArray<string>>((lines, word) => {
    const last = lines.at(-1)
    if (last === undefined) return [word]
    const longer = `${last} ${word}`
    return CliOutput.displayWidth(longer) <= width ? [...lines.slice(0, -1), longer] : [...lines, word]
  }, [])

/** Every code in a line. */
export const codesTable: string = `${table(
  ["CODE", "MEANS"],
  errorCodes.map((code) => [code, errorGuide[code].title])
)}\nCause and cure of one: fleet explain <code>\n`

/** One code for programs. */
export const explainJson = (code: ErrorCode, guide: ErrorGuide): Readonly<Record<string, unknown>> => ({
  code,
  ...guide
})
