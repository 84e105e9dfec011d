import { withoutComments } from "#test/tidy/code.ts"
import type { SourceFile } from "#test/tidy/Rule.ts"

/** A test that says, at the end of its name, what it proves. */
export interface Claim {
  /** Path from the root. */
  readonly file: string
  /** As written in the file: the name of a table's tests has placeholders. */
  readonly name: string
  /** Rows of the page: `24` is a statement, `S33` a scenario. */
  readonly rows: ReadonlyArray<string>
}

const bracketsPattern = /(?:\s*\((?:peers|scenarios?) [^()]*\))+$/
const endPattern = /\((?:peers|scenarios?) [^()\n]*\)(["'`])/g
const wordPattern = /\b(peers|scenarios?)\b|(\d+)(?:\s*[-–]\s*(\d+))?/g

/** Every string of a test file that ends in the numbers it proves: "… (peers 24)", "… (peers 31, 32, scenario 4)". */
export const claimsIn = ({ path, text }: SourceFile): ReadonlyArray<Claim> => {
  const code = withoutComments(text)
  return [...code.matchAll(endPattern)].flatMap(({ 0: end, 1: quote = "", index }) => {
    const name = stringEndingAt(code, index + end.length - 1, quote)
    const brackets = name === undefined ? undefined : bracketsPattern.exec(name)?.[0]
    return name === undefined || brackets === undefined ? [] : [{ file: path, name, rows: rowsNamed(brackets) }]
  })
}

/** What stands between the quote at `end` and the one before it, on the same line. */
const stringEndingAt = (code: string, end: number, quote: string): string | undefined => {
  const before = code.slice(code.lastIndexOf("\n", end) + 1, end)
  const literal = new RegExp(`${quote}((?:\\\\.|[^\\\\${quote}])*)$`).exec(before)?.[1]
  return literal?.replaceAll(`\\${quote}`, quote)
}

const rowsNamed = (brackets: string): ReadonlyArray<string> => {
  let prefix = ""
  return [...brackets.matchAll(wordPattern)].flatMap(([, word, first, last]) => {
    if (word !== undefined) {
      prefix = word === "peers" ? "" : "S"
      return []
    }
    const from = Number(first)
    const count = Number(last ?? first) - from + 1
    return Array.from({ length: count }, (_, index) => `${prefix}${from + index}`)
  })
}

/** Tables write `%s`, `$name` and `${…}` where a test's name has a value. */
const placeholder = /\\\$\\\{[^}]*\\\}|\\\$[\w.]+|%[sdifjo#]/g
const special = /[\\^$.*+?()[\]{}|]/g

/** Whether a test that ran is the one, or one of the table, that is written as `name`. */
export const matcherOf = (name: string): ((ran: string) => boolean) => {
  const pattern = name.replaceAll(special, String.raw`\$&`).replaceAll(placeholder, ".*")
  const matcher = new RegExp(`${pattern}$`, "s")
  return (ran) => matcher.test(ran)
}
