import { isMarkdown, isTypeScript, type Rule, type SourceFile, type Violation } from "#test/tidy/Rule.ts"

const services = ["dispatcher", "launcher", "watcher", "log-streamer", "local-aws"]
const rooms = ["README.md", "main.ts", "config.ts", "decide.ts", "handle.ts"]

/** Whoever knows one service knows where to look in the others. */
export const missingRooms = (paths: ReadonlySet<string>): ReadonlyArray<Violation> =>
  services
    .flatMap((service) => rooms.map((room) => `services/${service}/${room}`))
    .filter((path) => !paths.has(path))
    .map((path) => ({ path, line: 1, message: `is missing; every service has the rooms ${rooms.join(", ")}` }))

const linesOf = ({ text }: SourceFile): number => text.trimEnd().split("\n").length

/** The longest a file may be, by its kind; the first that fits counts. */
const limits = [
  {
    applies: ({ path }: SourceFile) => /(^|\/)main\.ts$/.test(path),
    linesMax: 40,
    advice: "main is wiring; move the rest into its own module"
  },
  { applies: isTypeScript, linesMax: 300, advice: "split it by what it does" },
  {
    applies: ({ path }: SourceFile) => /^services\/[^/]+\/README\.md$/.test(path),
    linesMax: 40,
    advice: "move the rest to docs/"
  }
]

export const fileLength: Rule = {
  name: "files stay short",
  check: (file) => {
    const limit = limits.find(({ applies }) => applies(file))
    const lines = linesOf(file)
    if (limit === undefined || lines <= limit.linesMax) return []
    return [
      {
        path: file.path,
        line: limit.linesMax + 1,
        message: `has ${lines} lines, at most ${limit.linesMax}; ${limit.advice}`
      }
    ]
  }
}

/** A page has one title, on its first line. Lines in fenced code are not headings. */
export const oneTitle: Rule = {
  name: "a page has one title",
  check: (file) => {
    if (!isMarkdown(file)) return []
    const titles = headings(file.text)
    const [first, ...more] = titles
    if (first !== 1)
      return [{ path: file.path, line: 1, message: "does not begin with its title; write `# Title` on the first line" }]
    return more.map((line) => ({ path: file.path, line, message: "is a second title; make it `##`" }))
  }
}

/** The lines, from 1, of the first-level headings outside fenced code. */
const headings = (text: string): ReadonlyArray<number> => {
  let fenced = false
  return text.split("\n").flatMap((line, index) => {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced
    return !fenced && /^# \S/.test(line) ? [index + 1] : []
  })
}
