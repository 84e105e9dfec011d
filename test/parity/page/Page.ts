import type { Claim } from "./claims.ts"

/** What the page tells about one thing that the peers do, where no test proves it. */
export interface Entry {
  readonly text: string
  /** Which work will bring it. */
  readonly later?: string
  /** Why it makes no sense here. */
  readonly "not applicable"?: string
}

export interface Section {
  readonly section: string
  /** By number. */
  readonly statements: Readonly<Record<string, Entry>>
}

export interface Row {
  /** `24`, or `S33` for a scenario. */
  readonly id: string
  readonly text: string
  /** The third column: tests, or `later: …`, or `not applicable: …`; empty = nothing is known. */
  readonly proof: string
}

/** A test that a row names. */
export interface Proof {
  readonly row: string
  readonly file: string
  readonly name: string
}

export const COMMAND = "node test/parity/page/generate.ts"

const cell = (text: string): string => text.replaceAll("|", String.raw`\|`).replaceAll("\n", " ")

const proofOf = (id: string, entry: Entry, claims: ReadonlyArray<Claim>): string => {
  const tests = claims.filter(({ rows }) => rows.includes(id)).map(({ file, name }) => `${file}: ${name}`)
  if (tests.length > 0) return [...new Set(tests)].toSorted().join("<br>")
  if (entry.later !== undefined) return `later: ${entry.later}`
  const why = entry["not applicable"]
  return why === undefined ? "" : `not applicable: ${why}`
}

const rowsOf = ({ statements }: Section, prefix: string, claims: ReadonlyArray<Claim>): ReadonlyArray<Row> =>
  Object.entries(statements).map(([number, entry]) => {
    const id = `${prefix}${number}`
    return { id, text: entry.text, proof: proofOf(id, entry, claims) }
  })

const table = (rows: ReadonlyArray<Row>): string =>
  [
    "| No. | What the peers do | Proven by |",
    "|---|---|---|",
    ...rows.map(({ id, text, proof }) => `| ${id} | ${cell(text)} | ${cell(proof)} |`)
  ].join("\n")

const section = (title: string, rows: ReadonlyArray<Row>): string => `## ${title}\n\n${table(rows)}\n`

const counts = (rows: ReadonlyArray<Row>): string => {
  const starting = (start: string) => rows.filter(({ proof }) => proof.startsWith(start)).length
  const proven = rows.filter(isProven).length
  return `${proven} are proven, ${starting("later: ")} come later, ${starting("not applicable: ")} do not apply.`
}

/** The whole page. `scenarios` follow the statements, their numbers written `S1`, `S2`, … */
export const page = (
  sections: ReadonlyArray<Section>,
  scenarios: ReadonlyArray<Section>,
  claims: ReadonlyArray<Claim>
): string => {
  const statements = sections.map((each) => ({ title: each.section, rows: rowsOf(each, "", claims) }))
  const tried = scenarios.map((each) => ({ title: each.section, rows: rowsOf(each, "S", claims) }))
  const all = statements.flatMap(({ rows }) => rows)
  const intro = [
    "# Parity",
    "What others do who run jobs as ECS tasks (Prefect's ECS worker and its former agent, Airflow's ECS executor, Dagster's ECS launcher), read in their sources and their users' reports, and which test proves that ecs-fleet does it too, or does it better. The numbers are those that tests carry at the end of their names, `(peers 24)` or `(scenario 33)`, and comments use.",
    `Of ${all.length} statements ${counts(all)}`,
    `This page is made by \`${COMMAND}\` from the tests' names and from \`test/parity/page/\`: to change it, name the test, or change the text there.\n`
  ].join("\n\n")
  return [intro, ...[...statements, ...tried].map(({ title, rows }) => section(title, rows))].join("\n")
}

const rowPattern = /^\| (S?\d+) \| (.*?)(?<!\\) \| (.*) \|$/
const uncell = (text: string): string => text.replaceAll(String.raw`\|`, "|")

/** The rows of a page, in its order. */
export const readRows = (markdown: string): ReadonlyArray<Row> =>
  markdown.split("\n").flatMap((line) => {
    const [, id, text = "", proof = ""] = rowPattern.exec(line) ?? []
    return id === undefined ? [] : [{ id, text: uncell(text).trim(), proof: uncell(proof).trim() }]
  })

export const isStatement = ({ id }: Row): boolean => !id.startsWith("S")

/** The row names tests. */
export const isProven = ({ proof }: Row): boolean => !/^(later|not applicable): \S|^$/.test(proof)

/** The tests that the rows name. What is no test has an empty file. */
export const proofsOf = (rows: ReadonlyArray<Row>): ReadonlyArray<Proof> =>
  rows.filter(isProven).flatMap(({ id, proof }) =>
    proof.split("<br>").map((test) => {
      const [, file = "", name = test] = /^(\S+\.ts): (.*)$/.exec(test) ?? []
      return { row: id, file, name }
    })
  )
