import { assert, describe, it } from "@effect/vitest"
import { plain, styleFor } from "./style.ts"

describe("styleFor", () => {
  it.each([
    { what: "a terminal", isTerminal: true, env: {}, coloured: true },
    { what: "a pipe", isTerminal: false, env: {}, coloured: false },
    { what: "NO_COLOR", isTerminal: true, env: { NO_COLOR: "1" }, coloured: false },
    { what: "an empty NO_COLOR, which means nothing", isTerminal: true, env: { NO_COLOR: "" }, coloured: true },
    { what: "a dumb terminal", isTerminal: true, env: { TERM: "dumb" }, coloured: false }
  ])("$what", ({ isTerminal, env, coloured }) => {
    const style = styleFor({ isTerminal, env })
    assert.strictEqual(style.red("no"), coloured ? "\u001B[31mno\u001B[0m" : "no")
  })

  it("gives a name always the same colour, and different names mostly different ones, none of them red", () => {
    const style = styleFor({ isTerminal: true, env: {} })
    const colourOf = (name: string) => style.named(name, "").split("m")[0]
    assert.strictEqual(colourOf("main"), colourOf("main"))
    assert.strictEqual(style.named("main", "text"), `${style.named("main", "").slice(0, -4)}text\u001B[0m`)
    const names = Array.from({ length: 200 }, (_, n) => `run-${n}`)
    assert.strictEqual(new Set(names.map(colourOf)).size, 10)
    assert.isFalse(names.some((name) => /\[9?1$|\[31$/.test(colourOf(name) ?? "")))
    assert.strictEqual(plain.named("main", "text"), "text")
  })

  it("leaves words alone where it is plain", () => {
    assert.strictEqual(plain.bold("a") + plain.dim("b") + plain.green("c"), "abc")
  })
})
