import { assert, describe, it } from "@effect/vitest"
import { brokenPipeCode, brokenPipeCodes, exitCodeOf } from "./exitCode.ts"
import { root } from "./root.ts"

describe("exitCodeOf", () => {
  it.each([
    { finished: { outcome: "succeeded", exitCode: 0 } as const, code: 0 },
    { finished: { outcome: "failed", exitCode: 3 } as const, code: 3 },
    { finished: { outcome: "failed", exitCode: 255 } as const, code: 255 },
    { finished: { outcome: "failed", exitCode: 256 } as const, code: 1 },
    { finished: { outcome: "failed", exitCode: -1 } as const, code: 255 },
    { finished: { outcome: "failed" } as const, code: 1 },
    { finished: { outcome: "rejected" } as const, code: 125 },
    { finished: { outcome: "crashed", exitCode: -1 } as const, code: 125 },
    { finished: { outcome: "timed_out", exitCode: 143 } as const, code: 124 },
    { finished: { outcome: "cancelled", exitCode: 143 } as const, code: 130 }
  ])("$finished.outcome with $finished.exitCode ends with $code", ({ finished, code }) => {
    assert.strictEqual(exitCodeOf(finished), code)
  })
})

describe("brokenPipeCode", () => {
  it.each([
    { args: ["logs", "-f", "run"], code: 0 },
    { args: ["--log-level", "debug", "ps"], code: 0 },
    { args: ["run", "--", "logs"], code: 141 },
    { args: ["up"], code: 141 },
    { args: ["toString"], code: 141 },
    { args: [], code: 141 }
  ])("$args: $code", ({ args, code }) => {
    assert.strictEqual(brokenPipeCode(args), code)
  })

  it("is known of every command", () => {
    const commands = root.subcommands.flatMap(({ commands }) => commands.map(({ name }) => name))
    assert.sameMembers(Object.keys(brokenPipeCodes), commands)
  })
})
