import { matcherOf } from "./claims.ts"
import type { Proof } from "./Page.ts"

/** A test as it ended. */
export interface Ran {
  /** Path from the root of the file that ran it. */
  readonly file: string
  readonly name: string
  readonly state: "passed" | "failed" | "skipped" | "pending"
}

/** A suite's tests run in the files that call it. */
const ranIn = (file: string, ran: ReadonlyArray<Ran>): ReadonlyArray<Ran> =>
  file.endsWith(".suite.ts") ? ran : ran.filter((each) => each.file === file)

/** One sentence for each test that the page names and that did not run and pass. */
export const unproven = (proofs: ReadonlyArray<Proof>, ran: ReadonlyArray<Ran>): ReadonlyArray<string> =>
  proofs.flatMap(({ row, file, name }) => {
    const isIt = matcherOf(name)
    const found = ranIn(file, ran).filter((each) => isIt(each.name))
    const bad = found.find(({ state }) => state !== "passed")
    if (found.length > 0 && bad === undefined) return []
    return [`row ${row}: ${file}: ${name}: ${bad?.state ?? "did not run"}`]
  })
