import { assert, describe, it } from "@effect/vitest"
import { aRun } from "#test/support/builders.ts"
import { at, requested } from "#test/support/messages.ts"
import { plain } from "./style.ts"
import { TIMELINE_FIRST, TIMELINE_LAST, timelineLines } from "./timeline.ts"

const runWith = (entries: number) => ({
  ...aRun(requested(0)),
  timeline: Array.from({ length: entries }, (_, index) => ({ at: at(index), what: `entry ${index}` }))
})

describe("timelineLines", () => {
  it("has time, time since the request and what happened, without what could move the cursor", () => {
    const run = { ...aRun(requested(0)), timeline: [{ at: at(62.5), what: "task is RUNNING\u001B[2J" }] }
    assert.deepStrictEqual(timelineLines(plain, run), ["  09:01:02    +1 min 3 s  task is RUNNING·[2J"])
  })

  it("is in the order of time: what happened earlier may have been told later", () => {
    const timeline = [
      { at: at(3), what: "task is STOPPED" },
      { at: at(2), what: "container main exited with code 0" }
    ]
    assert.deepStrictEqual(timelineLines(plain, { ...aRun(requested(0)), timeline }), [
      "  09:00:02        +2.0 s  container main exited with code 0",
      "  09:00:03        +3.0 s  task is STOPPED"
    ])
  })

  it("says the day where it is another one, and counts repeats", () => {
    const run = { ...aRun(requested(0)), timeline: [{ at: at(86_400), what: "launch deferred", count: 4 }] }
    assert.deepStrictEqual(timelineLines(plain, run), [
      "  2026-03-02 09:00:00   +24 h 0 min  launch deferred (4 times)"
    ])
  })

  it.each([
    { entries: 1, lines: 1 },
    { entries: TIMELINE_FIRST + TIMELINE_LAST, lines: TIMELINE_FIRST + TIMELINE_LAST },
    { entries: TIMELINE_FIRST + TIMELINE_LAST + 1, lines: TIMELINE_FIRST + TIMELINE_LAST + 1 },
    { entries: TIMELINE_FIRST + TIMELINE_LAST + 2, lines: TIMELINE_FIRST + TIMELINE_LAST + 1 },
    { entries: 100, lines: TIMELINE_FIRST + TIMELINE_LAST + 1 }
  ])("shows $entries entries on $lines lines", ({ entries, lines }) => {
    assert.lengthOf(timelineLines(plain, runWith(entries)), lines)
  })

  it("leaves out the middle of a long one and says where it is", () => {
    const lines = timelineLines(plain, runWith(100))
    assert.include(lines[TIMELINE_FIRST - 1], `entry ${TIMELINE_FIRST - 1}`)
    assert.strictEqual(lines[TIMELINE_FIRST], "  ⋯ 70 more entries: fleet describe --json nightly")
    assert.include(lines[TIMELINE_FIRST + 1], `entry ${100 - TIMELINE_LAST}`)
    assert.include(lines.at(-1), "entry 99")
  })
})
