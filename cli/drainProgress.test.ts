import { assert, describe, it } from "@effect/vitest"
import { aRun } from "#test/support/builders.ts"
import * as messages from "#test/support/messages.ts"
import { hasTask, isDrained, isLaunching, LAST_CALLS_MILLIS, LAUNCH_SECONDS } from "./drainProgress.ts"

describe("isDrained", () => {
  it.each([
    { what: "nothing at all", progress: { tasks: 0, launching: 0, waiting: 0 }, sinceMillis: 0, expected: true },
    { what: "a task runs", progress: { tasks: 1, launching: 0, waiting: 0 }, sinceMillis: 1e6, expected: false },
    { what: "one is launched", progress: { tasks: 0, launching: 1, waiting: 0 }, sinceMillis: 1e6, expected: false },
    {
      what: "a run waits, a launcher may be about to call",
      progress: { tasks: 0, launching: 0, waiting: 1 },
      sinceMillis: LAST_CALLS_MILLIS - 1,
      expected: false
    },
    {
      what: "a run waits, no launcher can be about to call",
      progress: { tasks: 0, launching: 0, waiting: 1 },
      sinceMillis: LAST_CALLS_MILLIS,
      expected: true
    }
  ])("$what: $expected", ({ expected, progress, sinceMillis }) => {
    assert.strictEqual(isDrained(progress, sinceMillis), expected)
  })
})

describe("isLaunching", () => {
  const nothing = { settles: undefined, isOver: false }
  const marker = { seq: 7, time: 1000 }
  it.each([
    { what: "RunTask was never called", marker: undefined, told: nothing, now: 1000, expected: false },
    { what: "it was, and nothing was told since", marker, told: nothing, now: 1000, expected: true },
    { what: "the last moment", marker, told: nothing, now: 999 + LAUNCH_SECONDS * 1000, expected: true },
    { what: "too long ago", marker, told: nothing, now: 1000 + LAUNCH_SECONDS * 1000, expected: false },
    { what: "it launched nothing", marker, told: { settles: 7, isOver: false }, now: 1000, expected: false },
    {
      what: "an earlier call launched nothing",
      marker,
      told: { settles: 6, isOver: false },
      now: 1000,
      expected: true
    },
    { what: "the start or the end was told", marker, told: { ...nothing, isOver: true }, now: 1000, expected: false }
  ])("$what: $expected", ({ expected, told, now, ...row }) => {
    assert.strictEqual(isLaunching(row.marker, told, now), expected)
  })
})

describe("hasTask", () => {
  it.each([
    { what: "requested", run: aRun(), expected: false },
    { what: "ordered", run: aRun(messages.ready(1)), expected: false },
    { what: "started", run: aRun(messages.ready(1), messages.started(2)), expected: true },
    {
      what: "between two attempts",
      run: aRun(messages.ready(1), messages.started(2), messages.broken(3)),
      expected: false
    }
  ])("$what: $expected", ({ expected, run }) => {
    assert.strictEqual(hasTask(run), expected)
  })
})
