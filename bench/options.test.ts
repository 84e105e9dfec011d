import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readOptions } from "./options.ts"

const known = ["hop", "logs"]

describe("npm run bench", () => {
  it("without a name: all, quick, and nothing is held against the goals", () => {
    assert.deepStrictEqual(Result.getOrThrow(readOptions([], known)), { names: known, isFull: false, isCheck: false })
  })

  it("with names and flags", () => {
    assert.deepStrictEqual(Result.getOrThrow(readOptions(["logs", "--full", "--check"], known)), {
      names: ["logs"],
      isFull: true,
      isCheck: true
    })
  })

  it.each([[["lags"]], [["--ful"]]])("%j is refused, with what may be said", (args) => {
    const refused = readOptions(args, known)
    assert.include(Result.isFailure(refused) ? refused.failure : "", "Usage: npm run bench")
  })
})
