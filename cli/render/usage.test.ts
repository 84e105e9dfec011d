import { assert, describe, it } from "@effect/vitest"
import { usageText } from "./usage.ts"

describe("usageText", () => {
  it("shows what does not fit and where to look", () => {
    const errors = [{ _tag: "UnknownSubcommand" as const, message: 'Unknown subcommand "rn"' }]
    assert.strictEqual(usageText(["fleet"], errors), 'Unknown subcommand "rn"\nTry: fleet --help\n')
  })

  it("tells where the flags of the program belong", () => {
    const errors = [{ _tag: "UnrecognizedOption" as const, message: "Unrecognized flag: -c" }]
    assert.include(usageText(["fleet", "run"], errors), "after --: fleet run -- program --flag")
    assert.notInclude(usageText(["fleet", "ps"], errors), "program")
  })
})
