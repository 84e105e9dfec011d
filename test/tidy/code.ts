/**
 * TypeScript with its comments, or its comments and its literals, blanked out. Lines and columns stay, so that a match
 * has the place it has in the file. A small scanner and no parser: it knows comments, strings, templates (code inside
 * `${…}` stays code) and regular expressions (a slash where no value can have ended).
 */
type Kind = "code" | "comment" | "literal"

interface Span {
  readonly kind: Kind
  readonly end: number
}

/** Without comments; strings stay, since import paths and subjects are strings. */
export const withoutComments = (text: string): string => blank(text, ["comment"])

/** Without comments and without what stands in strings, templates and regular expressions. */
export const codeOnly = (text: string): string => blank(text, ["comment", "literal"])

const blank = (text: string, kinds: ReadonlyArray<Kind>): string => {
  let result = ""
  let at = 0
  const templates: Array<number> = []
  while (at < text.length) {
    const { kind, end } = nextSpan(text, at, templates)
    const part = text.slice(at, end)
    result += kinds.includes(kind) ? part.replace(/[^\n]/g, " ") : part
    at = end
  }
  return result
}

/** `templates` holds, for each open `${`, how many braces are open inside it. */
const nextSpan = (text: string, at: number, templates: Array<number>): Span => {
  const character = text[at] ?? ""
  if (text.startsWith("//", at)) return { kind: "comment", end: endOr(text, text.indexOf("\n", at)) }
  if (text.startsWith("/*", at)) return { kind: "comment", end: endOr(text, text.indexOf("*/", at + 2), 2) }
  if (character === '"' || character === "'") return { kind: "literal", end: endOfString(text, at, character) }
  if (character === "`") return template(text, at + 1, templates)
  if (character === "/" && startsRegExp(text, at)) return { kind: "literal", end: endOfRegExp(text, at) }
  if (templates.length > 0 && (character === "{" || character === "}")) {
    const open = (templates.pop() ?? 0) + (character === "{" ? 1 : -1)
    if (open < 0) return template(text, at + 1, templates)
    templates.push(open)
  }
  return { kind: "code", end: at + 1 }
}

/** The rest of a template up to its end or to the next `${`. */
const template = (text: string, from: number, templates: Array<number>): Span => {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++
    else if (text[at] === "`") return { kind: "literal", end: at + 1 }
    else if (text.startsWith("${", at)) {
      templates.push(0)
      return { kind: "literal", end: at + 2 }
    }
  }
  return { kind: "literal", end: text.length }
}

const endOr = (text: string, found: number, length = 0): number => (found < 0 ? text.length : found + length)

const endOfString = (text: string, from: number, quote: string): number => {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at++
    else if (text[at] === quote || text[at] === "\n") return at + 1
  }
  return text.length
}

const endOfRegExp = (text: string, from: number): number => {
  let inClass = false
  for (let at = from + 1; at < text.length; at++) {
    const character = text[at]
    if (character === "\\") at++
    else if (character === "[") inClass = true
    else if (character === "]") inClass = false
    else if (character === "\n" || (character === "/" && !inClass)) return at + 1
  }
  return text.length
}

const startsRegExp = (text: string, at: number): boolean => {
  const before = text.slice(0, at).trimEnd()
  return before === "" || /[(,=:[!&|?{};<>+*%~^-]$|\b(?:return|typeof|case|yield|await)$/.test(before.slice(-10))
}
