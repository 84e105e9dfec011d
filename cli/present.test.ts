import { assert, describe, it } from "@effect/vitest"
import { aRun } from "#test/support/builders.ts"
import { at, requested, runId } from "#test/support/messages.ts"
import type { FollowItem } from "./follow/reduce.ts"
import { asJson, forPeople, inWrites, onErr, onOut, type Present, type Shown, WRITE_CHARACTERS_MAX } from "./present.ts"
import { plain } from "./render/style.ts"

const shown = (present: Present, items: ReadonlyArray<FollowItem>): Shown => ({
  out: items.map((item) => present(item).out).join(""),
  err: items.map((item) => present(item).err).join("")
})

const finished = {
  runId: aRun(requested(0)).runId,
  outcome: "succeeded" as const,
  exitCode: 0,
  attempts: 1,
  requestedAt: at(0),
  finishedAt: at(3)
}

const line = { attempt: 1, container: "main", time: at(0) }

const items: ReadonlyArray<FollowItem> = [
  { kind: "state", state: "running", attempt: 1, at: at(1) },
  { kind: "notice", text: "mind the gap" },
  { kind: "line", line: { ...line, text: "hello" } },
  { kind: "line", line: { ...line, text: "unfini", partial: true } },
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
        { type: "line", runId, attempt: 1, time: at(0), container: "main", text: "unfini", partial: true },
        { type: "end", ...finished, lines: "complete" }
      ]
    )
  })
})

describe("inWrites", () => {
  it.each([
    { what: "nothing", all: [], writes: [] },
    { what: "neighbours of one side", all: [onOut("a"), onOut("b")], writes: [onOut("ab")] },
    { what: "what is told after lines", all: [onOut("a"), onErr("x"), onErr("y")], writes: [{ out: "a", err: "xy" }] },
    {
      what: "lines after what is told, apart",
      all: [onErr("x"), onOut("a"), onOut("b")],
      writes: [onErr("x"), onOut("ab")]
    }
  ])("puts together $what", ({ all, writes }) => {
    assert.deepStrictEqual(inWrites(all), writes)
  })

  it("begins another write where one is long enough", () => {
    const long = "x".repeat(WRITE_CHARACTERS_MAX)
    assert.deepStrictEqual(inWrites([onOut("a"), onOut(long), onOut("b"), onOut("c")]), [
      onOut(`a${long}`),
      onOut("bc")
    ])
  })
})
