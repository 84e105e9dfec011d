import type { Style } from "./style.ts"
import { table } from "./table.ts"
import { count, printable } from "./text.ts"

/** What was found about one thing. */
interface Found {
  readonly check: string
  readonly subject?: string
  readonly verdict: "OK" | "NG" | "SKIP"
  readonly says: string
  readonly fix?: string
}

/** One line for each finding, the fixes below them, and the sum. */
export const verifyTable = (style: Style, findings: ReadonlyArray<Found>): string => {
  const rows = findings.map(({ check, says, subject = "", verdict }) => [
    coloured(style, verdict),
    check,
    printable(subject),
    printable(says)
  ])
  const wrong = findings.filter(({ verdict }) => verdict === "NG")
  const fixes = wrong.flatMap(({ check, fix = "", says, subject }) => [
    `${style.red("NG")} ${style.bold([check, printable(subject ?? "")].join(" ").trimEnd())}: ${printable(says)}`,
    `   ${printable(fix)}`
  ])
  return `${table(["", "WHAT", "WHICH", "FOUND"], rows)}\n${fixes.map((line) => `${line}\n`).join("")}${sum(style, findings, wrong.length)}\n`
}

const coloured = (style: Style, verdict: Found["verdict"]): string => {
  if (verdict === "OK") return style.green("OK")
  return verdict === "NG" ? style.red("NG") : style.dim("SKIP")
}

const sum = (style: Style, findings: ReadonlyArray<Found>, wrong: number): string => {
  const skips = findings.filter(({ verdict }) => verdict === "SKIP").length
  const rest = skips === 0 ? "" : `, ${skips} could not be looked at`
  return wrong === 0
    ? `${style.green("✓")} nothing is wrong${rest}`
    : `${style.red("✗")} ${count(wrong, "thing")} to put right${rest}`
}
