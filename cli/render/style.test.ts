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

  it("leaves words alone where it is plain", () => {
    assert.strictEqual(plain.bold("a") + plain.dim("b") + plain.green("c"), "abc")
  })
})
