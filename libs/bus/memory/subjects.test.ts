import { assert, describe, it } from "@effect/vitest"
import { subjectMatches } from "./subjects.ts"

describe("subject filters", () => {
  it.each([
    ["a.b", "a.b", true],
    ["a.b", "a.c", false],
    ["a.*", "a.b", true],
    ["a.*", "a", false],
    ["a.*", "a.b.c", false],
    ["*.b", "a.b", true],
    ["a.>", "a.b", true],
    ["a.>", "a.b.c", true],
    ["a.>", "a", false],
    [">", "a", true],
    ["task.*.*.*", "task.started.r1.1", true],
    ["task.started.*.*", "task.stopped.r1.1", false]
  ])("%s lets %s through: %s", (filter, subject, expected) => {
    assert.strictEqual(subjectMatches(filter, subject), expected)
  })
})
