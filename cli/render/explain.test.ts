import { assert, describe, it } from "@effect/vitest"
import { CliOutput } from "effect/cli"
import { errorCodes, errorGuide } from "#ecs-core/ErrorGuide.ts"
import { explainText, wrap } from "./explain.ts"
import { plain } from "./style.ts"

describe("explainText", () => {
  it("gives each section its lines, steps with their numbers", () => {
    const guide = {
      title: "It broke",
      cause: "Something was not as it should be, which is to say otherwise.",
      cure: ["Look at it for a while, and then for another one.", "Mend it."],
      retried: "No.",
      ends: "`crashed`"
    }
    assert.strictEqual(
      explainText(plain, "AwsError", guide, 44),
      [
        "AwsError: It broke",
        "",
        "Cause",
        "  Something was not as it should be, which",
        "  is to say otherwise.",
        "",
        "What to do",
        "  1. Look at it for a while, and then for",
        "     another one.",
        "  2. Mend it.",
        "",
        "Does the fleet try again?",
        "  No.",
        "",
        "How the run ends",
        "  As `crashed`.",
        ""
      ].join("\n")
    )
  })

  it("says nothing of the end of runs that do not end so", () => {
    assert.notInclude(explainText(plain, "TaskNotFound", errorGuide.TaskNotFound, 80), "How the run ends")
  })

  it.each([
    { columns: 1, widest: 40 },
    { columns: 60, widest: 60 },
    { columns: 500, widest: 100 }
  ])("is at most $widest wide where there are $columns columns, single words aside", ({ columns, widest }) => {
    for (const code of errorCodes) {
      const lines = explainText(plain, code, errorGuide[code], columns).split("\n").slice(1)
      const wide = lines.filter((line) => CliOutput.displayWidth(line) > widest)
      assert.deepStrictEqual(
        wide.filter((line) => /\S \S/.test(line.replace(/^ *\d+\. /, "").trim())),
        []
      )
    }
  })
})

describe("wrap", () => {
  it.each([
    { text: "a b c", width: 3, lines: ["a b", "c"] },
    { text: "abc d", width: 3, lines: ["abc", "d"] },
    { text: "abcd e", width: 3, lines: ["abcd", "e"] },
    { text: "", width: 3, lines: [""] }
  ])("$text at $width", ({ text, width, lines }) => {
    assert.deepStrictEqual(wrap(text, width), lines)
  })
})
