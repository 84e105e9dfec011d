/** A file of the repository as the rules see it: its path from the root, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

export interface Violation {
  readonly path: string
  /** From 1. */
  readonly line: number
  /** What is wrong and how to mend it. */
  readonly message: string
}

/** A rule looks at one file at a time. */
export interface Rule {
  readonly name: string
  readonly check: (file: SourceFile) => ReadonlyArray<Violation>
}

export const isTypeScript = ({ path }: SourceFile): boolean => path.endsWith(".ts")
export const isMarkdown = ({ path }: SourceFile): boolean => path.endsWith(".md")

/** Code that only tests run: never part of a process that ships. */
export const isTest = ({ path }: SourceFile): boolean =>
  path.endsWith(".test.ts") || path.startsWith("test/") || path.includes("/fixtures/")

/** Every match of `pattern` in `text`, as a violation of `file` on the line where it begins. `text` must keep the file's lines. */
export const matches = (
  file: SourceFile,
  text: string,
  pattern: RegExp,
  message: (match: RegExpMatchArray) => string | undefined
): ReadonlyArray<Violation> =>
  [...text.matchAll(pattern)].flatMap((match) => {
    const said = message(match)
    return said === undefined ? [] : [{ path: file.path, line: lineAt(text, match.index), message: said }]
  })

const lineAt = (text: string, index: number): number => text.slice(0, index).split("\n").length

/** `path:line: message`, as terminals and editors link it. */
export const format = ({ path, line, message }: Violation): string => `${path}:${line}: ${message}`
