import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { LiveState, Outcome, transitions } from "#ecs-core/RunState.ts"

const page = readFileSync(join(process.cwd(), "docs/run-states.md"), "utf8")
const [, drawing = ""] = /```mermaid\nstateDiagram-v2\n(.*?)```/s.exec(page) ?? []

interface Drawn {
  readonly box: string | undefined
  readonly from: string
  readonly to: string
}

/** The arrows as they are written, each with the box it stands in. */
const arrows = (): ReadonlyArray<Drawn> => {
  let box: string | undefined
  return drawing.split("\n").flatMap((line) => {
    const opened = /^\s*state (\w+) \{$/.exec(line)
    const arrow = /^\s*(\w+|\[\*\]) --> (\w+)$/.exec(line)
    if (opened !== null) box = opened[1]
    else if (line.trim() === "}") box = undefined
    else if (arrow !== null) return [{ box, from: arrow[1] ?? "", to: arrow[2] ?? "" }]
    else assert.strictEqual(line.trim(), "", `this test cannot read the line "${line}"`)
    return []
  })
}

/** An arrow from a box is one from every state in it. */
const edges = (): ReadonlyArray<string> => {
  const drawn = arrows()
  const inside = (name: string) =>
    new Set(drawn.filter(({ box }) => box === name).flatMap(({ from, to }) => [from, to]))
  return drawn
    .filter(({ from }) => from !== "[*]")
    .flatMap(({ from, to }) => {
      const states = inside(from)
      return (states.size > 0 ? [...states] : [from]).map((state) => `${state} → ${to}`)
    })
}

const stateRows = (title: string): ReadonlyArray<string> => {
  const [, section = ""] = page.split(`## ${title}\n`)
  return [...(section.split("\n## ")[0] ?? "").matchAll(/^\| `(\w+)` \|/gm)].map(([, state = ""]) => state)
}

describe("docs/run-states.md", () => {
  it("draws exactly the transitions of RunState.ts", () => {
    const table = LiveState.literals.flatMap((from) => transitions[from].map((to) => `${from} → ${to}`))
    assert.deepStrictEqual([...edges()].toSorted(), table.toSorted())
  })

  it("explains every state and every outcome, in their order", () => {
    assert.deepStrictEqual(stateRows("Live states"), [...LiveState.literals])
    assert.deepStrictEqual(stateRows("Outcomes"), [...Outcome.literals])
  })
})
