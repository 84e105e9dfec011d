import { assert, describe, it } from "@effect/vitest"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import { isFinal, isTombstone, type Run, TIMELINE_MAX, TOMBSTONE_SECONDS } from "#ecs-core/Run.ts"
import {
  at,
  cancel,
  changed,
  clusterArn,
  deferred,
  finished,
  ready,
  refused,
  rejected,
  requested,
  runId,
  started,
  stopped,
  taskArn
} from "#test/support/messages.ts"

const fold = (...messages: ReadonlyArray<RunMessage>): Run | undefined =>
  messages.reduce<Run | undefined>(evolve, undefined)
const recordOf = (...messages: ReadonlyArray<RunMessage>): Run => {
  const run = fold(...messages)
  assert.isDefined(run)
  return run
}
const statesOf = (...messages: ReadonlyArray<RunMessage>) =>
  messages.map((_, n) => fold(...messages.slice(0, n + 1))?.state)
const words = (run: Run) => run.timeline.map(({ what }) => what)

const running = [
  requested(0),
  ready(1),
  started(2),
  changed(3, "PENDING", 2),
  changed(4, "RUNNING", 3, { times: { startedAt: at(4) } })
]

describe("a run without trouble", () => {
  const end = [...running, changed(9, "DEPROVISIONING", 5), stopped(10, { times: { stoppedAt: at(10) } })]

  it("passes its states in order", () => {
    assert.deepStrictEqual(statesOf(...end), [
      "defining",
      "launching",
      "provisioning",
      "pending",
      "running",
      "stopping",
      "succeeded"
    ])
  })

  it("leaves a record of what the messages said, at their times", () => {
    const { timeline, attempts, ...run } = recordOf(...end)
    assert.deepStrictEqual(run, {
      runId,
      state: "succeeded",
      requestSequence: 17,
      bodyDigest: "d1",
      pool: "default",
      request: { image: "alpine", env: { TOKEN: "***" } },
      requestedAt: at(0),
      startedAt: at(4),
      finishedAt: at(10),
      updatedAt: at(10),
      exitCode: 0,
      problems: [],
      notices: []
    })
    assert.deepInclude(attempts[0], {
      attempt: 1,
      try: 1,
      taskArn,
      clusterArn,
      lastStatus: "DEPROVISIONING",
      taskVersion: 5,
      over: true,
      outcome: "succeeded",
      exitCode: 0
    })
    assert.deepStrictEqual(attempts[0]?.times, { startedAt: at(4), stoppedAt: at(10) })
    assert.deepStrictEqual(timeline[0], { at: at(0), what: "requested" })
    assert.deepStrictEqual(timeline.at(-1), { at: at(10), what: "succeeded with exit code 0" })
  })

  it("waits for capacity and goes on", () => {
    const messages = [
      requested(0),
      ready(1),
      deferred(2, { try: 1 }),
      deferred(12, { try: 2 }),
      started(30, { try: 3 })
    ]
    assert.deepStrictEqual(statesOf(...messages), ["defining", "launching", "waiting", "waiting", "provisioning"])
    const run = recordOf(...messages)
    assert.strictEqual(run.attempts[0]?.try, 3)
    assert.deepStrictEqual(run.timeline[2], { at: at(2), what: "launch deferred: ECS has no capacity.", count: 2 })
  })

  it("keeps the notice of a launch without logs, once", () => {
    const notice = "No output will be shown."
    const logs = { sources: [], notice }
    assert.deepStrictEqual(recordOf(requested(0, { notices: [notice] }), ready(1, { logs })).notices, [notice])
    assert.deepStrictEqual(recordOf(requested(0), ready(1, { logs })).notices, [notice])
    const more = { ...logs, notices: ["No output of the proxy.", notice] }
    assert.deepStrictEqual(recordOf(requested(0), ready(1, { logs: more })).notices, [
      notice,
      "No output of the proxy."
    ])
  })
})

describe("other ends", () => {
  const problems = [
    { code: "InvalidRequest", field: "comand", message: "Unknown field.", advice: "Remove it." },
    { code: "InvalidRequest", field: "cpu", message: "Too small.", advice: "Raise it." }
  ] as const

  it("a bad request is rejected at once, with all its problems", () => {
    const run = recordOf(requested(0, { problems }))
    assert.deepStrictEqual(
      { state: run.state, problems: run.problems, finishedAt: run.finishedAt },
      { state: "rejected", problems, finishedAt: at(0) }
    )
  })

  it("a definition that AWS refuses rejects the run", () => {
    assert.deepStrictEqual(statesOf(requested(0), refused(1)), ["defining", "rejected"])
  })

  it.each(["rejected", "cancelled", "crashed", "timed_out"] as const)(
    "a launch that never happens ends it as %s",
    (outcome) => {
      const phase = outcome === "timed_out" ? ({ phase: "launch" } as const) : {}
      const run = recordOf(requested(0), ready(1), rejected(5, { outcome, ...phase }))
      assert.deepStrictEqual(
        { state: run.state, phase: run.phase, finishedAt: run.finishedAt },
        { state: outcome, phase: phase.phase, finishedAt: at(5) }
      )
      assert.deepInclude(run.attempts[0], { over: true, outcome })
    }
  )

  it("the program's own exit code fails it", () => {
    const problem = { code: "ProgramFailed", message: "Exit code 3.", advice: "Look." } as const
    const run = recordOf(...running, stopped(9, { outcome: "failed", exitCode: 3, problem }))
    assert.deepStrictEqual(
      { state: run.state, exitCode: run.exitCode, problems: run.problems },
      { state: "failed", exitCode: 3, problems: [problem] }
    )
  })

  it("run.finished alone settles a run of which other facts are gone", () => {
    const end = {
      outcome: "timed_out",
      phase: "run",
      exitCode: 137,
      startedAt: at(4),
      errors: problems,
      error: problems[0]
    } as const
    const run = recordOf(requested(0), finished(9, end))
    assert.deepInclude(run, {
      state: "timed_out",
      phase: "run",
      exitCode: 137,
      startedAt: at(4),
      problems,
      finishedAt: at(9)
    })
  })
})

describe("cancel", () => {
  it("while nothing is launched ends the run at once", () => {
    const run = recordOf(requested(0), cancel(1, "superseded"))
    assert.deepInclude(run, { state: "cancelled", finishedAt: at(1) })
    assert.strictEqual(run.problems[0]?.message, "The run was cancelled before it was launched: superseded.")
  })

  it.each([
    { phase: "launching", messages: [requested(0), ready(1)] },
    { phase: "waiting", messages: [requested(0), ready(1), deferred(2)] },
    { phase: "provisioning", messages: [requested(0), ready(1), started(2)] },
    { phase: "running", messages: running },
    { phase: "stopping", messages: [...running, changed(5, "DEPROVISIONING", 5)] }
  ])("while $phase is noted, and the fact of the launcher or watcher ends the run", ({ phase, messages }) => {
    const wished = recordOf(...messages, cancel(6, "superseded"))
    assert.strictEqual(wished.state, phase)
    assert.deepStrictEqual(wished.cancel, { at: at(6), reason: "superseded" })
    assert.strictEqual(words(wished).at(-1), "cancel requested")
    const ended = evolve(wished, stopped(9, { outcome: "cancelled", exitCode: 143 }))
    assert.deepInclude(ended, { state: "cancelled", exitCode: 143, finishedAt: at(9) })
  })

  it.each([
    { graceSeconds: 30, notices: [] },
    { graceSeconds: 60, notices: ["graceSeconds 60 has no effect: ECS waits for the container's stopTimeout"] }
  ])(
    "with graceSeconds $graceSeconds is noticed once where ECS cannot do it (peers 117)",
    ({ graceSeconds, notices }) => {
      const wish = { ...cancel(6), message: { graceSeconds } }
      assert.deepStrictEqual(recordOf(...running, wish, wish).notices, notices)
    }
  )

  it("that the program outran changes nothing about its result", () => {
    assert.strictEqual(recordOf(...running, cancel(6), stopped(7)).state, "succeeded")
  })

  it("after the end is a no-op", () => {
    const run = recordOf(...running, stopped(9))
    assert.strictEqual(evolve(run, cancel(10)), run)
  })

  it("a second time keeps the first wish", () => {
    assert.deepStrictEqual(recordOf(...running, cancel(6, "first"), cancel(7, "second")).cancel, {
      at: at(6),
      reason: "first"
    })
  })
})

describe("a cancel before its request", () => {
  it("leaves a tombstone, which is no run", () => {
    const run = recordOf(cancel(0))
    assert.isTrue(isTombstone(run))
    assert.isFalse(isFinal(run))
  })

  it.each([0, 1, TOMBSTONE_SECONDS])("cancels a request that comes %i s later", (seconds) => {
    const run = recordOf(cancel(0, "superseded"), requested(seconds))
    assert.deepInclude(run, { state: "cancelled", requestedAt: at(seconds), finishedAt: at(seconds) })
    assert.isFalse(isTombstone(run))
  })

  it("cancels a request that was earlier but came out of order, at the time of the wish", () => {
    assert.deepInclude(recordOf(cancel(5), requested(0)), { state: "cancelled", requestedAt: at(0), finishedAt: at(5) })
  })

  it("is forgotten after ten minutes", () => {
    const run = recordOf(cancel(0), requested(TOMBSTONE_SECONDS + 1))
    assert.strictEqual(run.state, "defining")
    assert.isUndefined(run.cancel)
  })

  it("once forgotten stays so when it comes twice", () => {
    const run = recordOf(cancel(0), requested(TOMBSTONE_SECONDS + 1))
    assert.strictEqual(evolve(run, cancel(0)), run)
  })

  it("a later one counts from its own time, an earlier one that comes late does not", () => {
    const run = recordOf(cancel(0), cancel(500, "again"))
    assert.strictEqual(evolve(run, cancel(0)), run)
    assert.strictEqual(evolve(run, requested(1000))?.state, "cancelled")
  })

  it("takes up no fact before there is a request", () => {
    const run = recordOf(cancel(0))
    for (const fact of [ready(1), started(2), rejected(3), stopped(4), finished(5), refused(6)]) {
      assert.strictEqual(evolve(run, fact), run)
    }
  })

  it("does not hide that the request was bad", () => {
    const problems = [{ code: "InvalidRequest", message: "Bad.", advice: "Correct it." }] as const
    assert.strictEqual(recordOf(cancel(0), requested(1, { problems })).state, "rejected")
  })
})

describe("the timeline", () => {
  it("is bounded, keeps its beginning and its end, and counts repeats", () => {
    const many = Array.from({ length: 3 * TIMELINE_MAX }, (_, n) =>
      changed(10 + n, n % 2 === 0 ? "RUNNING" : "PENDING", 10 + n)
    )
    const run = recordOf(requested(0), ready(1), started(2), ...many, stopped(1000))
    assert.strictEqual(run.timeline.length, TIMELINE_MAX)
    assert.deepStrictEqual(words(run).slice(0, 2), [
      "requested",
      "using definition arn:aws:ecs:eu-central-1:123456789012:task-definition/fleet_default:7"
    ])
    assert.strictEqual(words(run).at(-1), "succeeded with exit code 0")
  })

  it("at its limit drops nothing", () => {
    const upTo = (length: number) =>
      Array.from({ length }, (_, n) => changed(10 + n, n % 2 === 0 ? "RUNNING" : "PENDING", 10 + n))
    const full = recordOf(requested(0), ready(1), started(2), ...upTo(TIMELINE_MAX - 3))
    assert.strictEqual(full.timeline.length, TIMELINE_MAX)
    assert.strictEqual(words(full)[TIMELINE_MAX / 2], "task is PENDING")
  })
})
