import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { benchmarks } from "#bench/catalogue.ts"
import { resultHeader, resultRows, setupLines } from "#bench/report.ts"
import { type BenchResult, readResults } from "#bench/results.ts"
import { draw } from "./chart.ts"
import { sections } from "./sections.ts"

const docs = join(import.meta.dirname, "..", "..", "docs")

const row = (cells: ReadonlyArray<string>): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`

const INTRODUCTION = `# Performance

<!-- Made by npm run bench from bench/results; the words are in bench/page/sections.ts. -->

What the fleet takes, measured. Every table below is the last run of a benchmark that anyone can repeat:

\`\`\`sh
npm run bench                     # all, small sizes
npm run bench -- hop --full       # one, as large as its goals are meant
npm run bench -- --full --check   # all of them; the exit code is 1 where a goal is missed
\`\`\`

Each figure is the median of several runs, with the least and the largest beside it. Machines are noisy, and yours is another one: so each figure stands beside a limit that was measured in the same minutes, as a ratio (×). Servers, services, local-aws and load share the machine's cores. The pace of RunTask is lifted, and local-aws's throttles are off, unless a text says otherwise: the point is what the fleet costs, not what AWS allows.
`

interface Picture {
  readonly file: string
  readonly svg: string
}

/** The page and its pictures, from all results that are kept. */
export const performancePage = (results: ReadonlyMap<string, BenchResult>) => {
  const pictures: Array<Picture> = []
  const partOf = (name: string, title: string): string => {
    const result = results.get(name)
    if (result === undefined) return ""
    const { about, charts } = sections[name] ?? { about: [], charts: [] }
    const drawn = charts.flatMap((chart) => {
      const svg = draw(chart, result)
      return svg === undefined ? [] : [{ file: `${chart.file}.svg`, svg, title: chart.title }]
    })
    pictures.push(...drawn)
    const size = result.setup.isFull ? "full size" : "small size"
    const parts = [
      `## ${title.charAt(0).toUpperCase()}${title.slice(1)}`,
      ...about,
      ...drawn.map(({ file, title }) => `![${title}](performance/${file})`),
      [row(resultHeader), row(resultHeader.map(() => "---")), ...resultRows(result).map(row)].join("\n"),
      `${result.at.slice(0, 10)}, ${size}: ${setupLines(result.setup).join("; ")}. \`npm run bench -- ${name}${result.setup.isFull ? " --full" : ""}\``
    ]
    return `\n${parts.join("\n\n")}\n`
  }
  const text = INTRODUCTION + benchmarks.map(({ name, title }) => partOf(name, title)).join("")
  return { text, pictures }
}

/** Writes docs/performance.md and its pictures below another folder, or in place. */
export const writePage = (folder = docs): void => {
  const { pictures, text } = performancePage(readResults())
  const gallery = join(folder, "performance")
  mkdirSync(gallery, { recursive: true })
  for (const old of readdirSync(gallery)) rmSync(join(gallery, old))
  for (const { file, svg } of pictures) writeFileSync(join(gallery, file), svg)
  writeFileSync(join(folder, "performance.md"), text)
}
