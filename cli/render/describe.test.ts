import { assert, describe, it } from "@effect/vitest"
import { aRun, millis } from "#test/support/builders.ts"
import { ready, requested, runId, started, stopped, taskArn } from "#test/support/messages.ts"
import { describeText } from "./describe.ts"
import { plain } from "./style.ts"

const secret = "hunter2"

const failed = aRun(
  requested(0, { request: { command: ["report"], env: { PASSWORD: secret } } }),
  ready(1),
  started(2),
  stopped(10, {
    outcome: "failed",
    exitCode: 3,
    problem: { code: "ProgramFailed", message: "It failed.", advice: "See `fleet logs <runId>`." }
  })
)

describe("describeText", () => {
  const text = describeText(plain, failed, millis(70))

  it.each([
    { what: "the outcome", part: "✗ failed · exit code 3" },
    { what: "the age", part: "(1m ago)" },
    { what: "the problem and its advice", part: `Problems\n  It failed.\n  → See \`fleet logs ${runId}\`.` },
    { what: "the task", part: `     task             ${taskArn}` },
    { what: "the attempt's end", part: "  1  failed · exit code 3" },
    { what: "the timeline, seen from the request", part: "+2.0 s  task created" },
    { what: "names of variables", part: '"PASSWORD": "***"' }
  ])("shows $what", ({ part }) => {
    assert.include(text, part)
  })

  it("shows no value of a variable", () => {
    assert.notInclude(text, secret)
  })

  it("leaves out what is not known yet", () => {
    const young = describeText(plain, aRun(requested(0)), millis(1))
    for (const title of ["Problems", "Attempts", "Finished", "Notices", "Cancel"]) assert.notInclude(young, title)
    assert.include(young, "State      defining")
  })

  it("counts repeats in the timeline", () => {
    const repeated = { ...failed, timeline: [{ at: failed.requestedAt, what: "launch deferred", count: 4 }] }
    assert.include(describeText(plain, repeated, millis(70)), "launch deferred (4 times)")
  })
})
