import { assert, describe, it } from "@effect/vitest"
import { aLine, aRun } from "#test/support/builders.ts"
import { at, requested, runId } from "#test/support/messages.ts"
import type { FollowItem } from "./follow/reduce.ts"
import { asJson, forPeople, type Present, type Shown } from "./present.ts"
import type { OpenLine } from "./render/lines.ts"
import { plain } from "./render/style.ts"

const shown = (present: Present, items: ReadonlyArray<FollowItem>): Shown => {
  let open: OpenLine | undefined
  let all: Shown = { out: "", err: "" }
  for (const item of items) {
    const [next, text] = present(open, item)
    open = next
    all = { out: all.out + text.out, err: all.err + text.err }
  }
  return all
}

const finished = {
  runId: aRun(requested(0)).runId,
  outcome: "succeeded" as const,
  exitCode: 0,
  attempts: 1,
  requestedAt: at(0),
  finishedAt: at(3)
}

const items: ReadonlyArray<FollowItem> = [
  { kind: "state", state: "running", attempt: 1, at: at(1) },
  { kind: "notice", text: "mind the gap" },
  { kind: "line", attempt: 1, line: aLine("hello") },
  { kind: "line", attempt: 1, line: aLine("unfini", { part: 1 }) },
  { kind: "finished", finished, lines: "complete" }
]

describe("forPeople", () => {
  it("keeps the program's output apart from everything else", () => {
    assert.deepStrictEqual(shown(forPeople(runId, plain), items), {
      out: "hello\nunfini\n",
      err: "● running\n! mind the gap\n✓ succeeded · exit code 0 · 3.0 s\n"
    })
  })

  it.each([
    { lines: "cut" as const, says: "The last lines may be missing" },
    { lines: "overdue" as const, says: `fleet logs ${runId}` }
  ])("says what is with the lines when they are $lines", ({ lines, says }) => {
    assert.include(shown(forPeople(runId, plain), [{ kind: "finished", finished, lines }]).err, says)
  })
})

describe("asJson", () => {
  it("writes one object a line, all on standard output", () => {
    const { out, err } = shown(asJson(runId), items)
    assert.strictEqual(err, "")
    assert.deepStrictEqual(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
      [
        { type: "state", runId, state: "running", attempt: 1, at: at(1) },
        { type: "notice", runId, text: "mind the gap" },
        { type: "line", runId, attempt: 1, time: at(0), container: "main", text: "hello" },
        { type: "line", runId, attempt: 1, time: at(0), container: "main", text: "unfini", part: 1 },
        { type: "end", ...finished, lines: "complete" }
      ]
    )
  })
})
