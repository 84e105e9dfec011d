import { assert, describe, it } from "@effect/vitest"
import { at } from "#test/support/messages.ts"
import { type LineLayout, lineText, noticeText } from "./lines.ts"
import { plain, styleFor } from "./style.ts"

const colours = styleFor({ isTerminal: true, env: {} })
const bare: LineLayout = { timestamps: false }
const run = { id: "r-1", width: 5 }
const line = (text: string, container = "main") => ({ container, time: at(7), text })

describe("lineText", () => {
  it.each([
    { what: "a line as it is", layout: bare, text: "\u001B[31mred\u001B[0m", shown: "\u001B[31mred\u001B[0m\n" },
    { what: "an empty line", layout: bare, text: "", shown: "\n" },
    { what: "its time", layout: { timestamps: true }, text: "a", shown: `${at(7)} a\n` },
    { what: "the run", layout: { ...bare, run }, text: "a", shown: "r-1   | a\n" },
    { what: "the container", layout: { ...bare, containerWidth: 7 }, text: "a", shown: "main    | a\n" },
    {
      what: "run, container and time",
      layout: { timestamps: true, run, containerWidth: 4 },
      text: "a",
      shown: `r-1   main | ${at(7)} a\n`
    },
    { what: "a text of two lines, labelled", layout: { ...bare, run }, text: "a\nb", shown: "r-1   | a\nr-1   | b\n" },
    { what: "a text of two lines, bare", layout: bare, text: "a\nb", shown: "a\nb\n" }
  ])("shows $what", ({ layout, text, shown }) => {
    assert.strictEqual(lineText(plain, layout, line(text)), shown)
  })

  it("gives run and container the colours of their names, and leaves the text alone", () => {
    const text = lineText(colours, { ...bare, run, containerWidth: 4 }, line("text"))
    assert.strictEqual(text, `${colours.named("r-1", "r-1  ")} ${colours.named("main", "main")} | text\n`)
  })

  it("shows no control characters of a container's name", () => {
    assert.strictEqual(lineText(plain, { ...bare, containerWidth: 0 }, line("a", "x\u001B[2J")), "x·[2J | a\n")
  })
})

describe("noticeText", () => {
  it("marks the fleet's own words, and names the run where there are several", () => {
    assert.strictEqual(noticeText(plain, bare, "mind\nthe gap"), "! mind·the gap\n")
    assert.strictEqual(noticeText(plain, { ...bare, run }, "mind the gap"), "! r-1: mind the gap\n")
  })
})
