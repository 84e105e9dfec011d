import { assert, describe, it } from "@effect/vitest"
import type { Problem } from "#ecs-core/errors.ts"
import { problemsText } from "./problem.ts"
import { plain } from "./style.ts"

const problem = (change: Partial<Problem>): Problem => ({
  code: "ClusterNotFound",
  message: "Cluster 'prod' not found.",
  advice: "See `fleet describe <runId>`.",
  ...change
})

const text = (...problems: ReadonlyArray<Problem>) => problemsText(plain, problems, "nightly")

describe("problemsText", () => {
  it("says what happened, what to do, and where more is said", () => {
    assert.strictEqual(
      text(problem({})),
      "  Cluster 'prod' not found.\n  → See `fleet describe nightly`.\n  → fleet explain ClusterNotFound\n"
    )
  })

  it.each(["ProgramFailed", "Cancelled", "InvalidRequest"] as const)("%s needs no more explanation", (code) => {
    assert.notInclude(text(problem({ code })), "fleet explain")
  })

  it("names the field unless the message does", () => {
    assert.match(text(problem({ field: "cpu", message: "Too little." })), /^ {2}cpu: Too little\.\n/)
    assert.match(text(problem({ field: "cpu", message: '"cpu" is too little.' })), /^ {2}"cpu" is too little\.\n/)
  })

  it("lets no control character through", () => {
    assert.notInclude(text(problem({ message: "a\u001B[2Jb" })), "\u001B")
  })
})
