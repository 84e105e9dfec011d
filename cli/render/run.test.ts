import { assert, describe, it } from "@effect/vitest"
import type { Problem } from "#ecs-core/errors.ts"
import type { RunFinished } from "#ecs-core/Messages.ts"
import { aRun } from "#test/support/builders.ts"
import { finishedText, stateLine } from "./run.ts"
import { plain, styleFor } from "./style.ts"

const noCapacity: Problem = { code: "NoCapacity", message: "No capacity in eu-central-1a.", advice: "Wait." }

describe("stateLine", () => {
  it.each([
    { change: { state: "launching", attempt: 1 } as const, shown: "● launching" },
    { change: { state: "running", attempt: 3 } as const, shown: "● running (attempt 3)" },
    {
      change: {
        state: "waiting",
        attempt: 1,
        waitingFor: { problem: noCapacity, nextTryAt: "2026-03-01T09:00:30Z" }
      } as const,
      shown: "● waiting: No capacity in eu-central-1a. (next try 2026-03-01T09:00:30Z)"
    }
  ])("$shown", ({ change, shown }) => {
    assert.strictEqual(stateLine(plain, change), shown)
  })
})

const finished = (change: Partial<RunFinished>): RunFinished => ({
  runId: aRun().runId,
  outcome: "failed",
  attempts: 1,
  requestedAt: "2026-03-01T09:00:00.000Z",
  finishedAt: "2026-03-01T09:00:01.900Z",
  ...change
})

describe("finishedText", () => {
  it("says no more than the exit code of a program that failed", () => {
    const error: Problem = {
      code: "ProgramFailed",
      message: "The program ended with exit code 3.",
      advice: "Look at its output: `fleet logs <runId>`."
    }
    assert.strictEqual(finishedText(plain, finished({ exitCode: 3, error })), "✗ failed · exit code 3 · 1.9 s\n")
  })

  it.each([
    { exitCode: 0, outcome: "succeeded", shown: "\u001B[32m✓ succeeded\u001B[0m · exit code 0 · " },
    { exitCode: 3, outcome: "failed", shown: "\u001B[31m✗ failed\u001B[0m · exit code 3 · " }
  ] as const)(
    "exit code $exitCode has its own line, red unless it is zero (peers 96)",
    ({ exitCode, outcome, shown }) => {
      const terminal = styleFor({ isTerminal: true, env: {} })
      assert.isTrue(finishedText(terminal, finished({ exitCode, outcome })).startsWith(shown))
    }
  )

  it("shows what else is known of an exit code", () => {
    const error: Problem = { code: "ProgramFailed", message: "A command was not found.", advice: "Check the PATH." }
    assert.strictEqual(
      finishedText(plain, finished({ exitCode: 127, error })),
      "✗ failed · exit code 127 · 1.9 s\n  A command was not found.\n  → Check the PATH.\n"
    )
  })

  it("shows every problem of a refused request, with field and advice", () => {
    const errors: ReadonlyArray<Problem> = [
      {
        code: "InvalidRequest",
        field: "comand",
        message: 'Unknown field "comand".',
        advice: 'Did you mean "command"?'
      },
      { code: "InvalidRequest", field: "cpu", message: "Too small.", advice: "At least 128." }
    ]
    const [error] = errors
    assert.strictEqual(
      finishedText(plain, finished({ outcome: "rejected", attempts: 0, errors, ...(error ? { error } : {}) })),
      [
        "✗ rejected · 1.9 s",
        '  Unknown field "comand".',
        '  → Did you mean "command"?',
        "  cpu: Too small.",
        "  → At least 128.",
        ""
      ].join("\n")
    )
  })

  it("says which deadline was missed, and names the run in the advice", () => {
    const error: Problem = { code: "StartTimeout", message: "Not started.", advice: "See `fleet describe <runId>`." }
    assert.strictEqual(
      finishedText(plain, finished({ outcome: "timed_out", phase: "start", error })),
      `✗ timed_out · before the program started · 1.9 s\n  Not started.\n  → See \`fleet describe ${aRun().runId}\`.\n  → fleet explain StartTimeout\n`
    )
  })

  it("lets no control character of somebody else's text reach the terminal", () => {
    const error: Problem = { code: "AwsError", message: "bad \u001B[2Jname\nnext", advice: "…" }
    assert.include(finishedText(plain, finished({ outcome: "crashed", error })), "  bad ·[2Jname·next\n")
  })
})
