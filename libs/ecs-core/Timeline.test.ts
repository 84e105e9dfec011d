import { assert, describe, it } from "@effect/vitest"
import { aRun } from "#test/support/builders.ts"
import {
  at,
  changed,
  definitionGone,
  ready,
  requested,
  started,
  stopped,
  taskArn,
  taskDefinitionArn
} from "#test/support/messages.ts"

describe("the timeline", () => {
  it("tells what the peers log, each with its time", () => {
    const run = aRun(
      requested(0),
      ready(1, { definition: "registered" }),
      started(2),
      changed(3, "PROVISIONING", 1),
      changed(4, "RUNNING", 2),
      stopped(9, {
        outcome: "failed",
        exitCode: 3,
        containers: [{ name: "main", exitCode: 3 }, { name: "proxy", exitCode: 143 }, { name: "late" }],
        times: { executionStoppedAt: at(8) }
      })
    )
    assert.deepStrictEqual(run.timeline, [
      { at: at(0), what: "requested" },
      { at: at(1), what: `registered definition ${taskDefinitionArn}` },
      { at: at(2), what: `task created: ${taskArn}` },
      { at: at(3), what: "task is PROVISIONING" },
      { at: at(4), what: "task is RUNNING" },
      { at: at(8), what: "container main exited with code 3" },
      { at: at(8), what: "container proxy exited with code 143" },
      { at: at(9), what: "failed with exit code 3" }
    ])
  })

  it.each(["reused", "linked"] as const)("a definition that is %s is used", (definition) => {
    const run = aRun(requested(0), ready(1, { definition }))
    assert.strictEqual(run.timeline.at(-1)?.what, `using definition ${taskDefinitionArn}`)
  })

  it("a container that ended at an unknown time ended when it was noticed", () => {
    const { timeline } = aRun(requested(0), ready(1), started(2), stopped(9))
    assert.deepInclude(timeline, { at: at(9), what: "container main exited with code 0" })
  })

  it("says why an attempt came to nothing, and that another follows", () => {
    const { timeline } = aRun(requested(0), ready(1), definitionGone(2))
    assert.deepStrictEqual(timeline.at(-1), {
      at: at(2),
      what: "attempt 1 was not launched, the definition is made again: The definition is inactive."
    })
  })
})
