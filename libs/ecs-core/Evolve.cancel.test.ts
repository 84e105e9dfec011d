import { assert, describe, it } from "@effect/vitest"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import { RETRY_DEFAULTS } from "#ecs-core/RetryPolicy.ts"
import { effects, isTombstone, type Run, runFinished } from "#ecs-core/Run.ts"
import { aRun } from "#test/support/builders.ts"
import {
  at,
  broken,
  cancel,
  changed,
  deferred,
  definitionGone,
  delayed,
  failed,
  ready,
  rejected,
  requested,
  runId,
  started,
  stopped,
  taskArn
} from "#test/support/messages.ts"

/** One answer for each phase in which a wish to cancel can come; `docs/run-states.md` has the same table. */

const retry = { ...RETRY_DEFAULTS, attempts: 2 }
const launching = [requested(0), ready(1, { retry })]
const running = [...launching, started(2), changed(3, "RUNNING", 3)]
const between = [...running, failed(9)]

const fold = (run: Run, ...messages: ReadonlyArray<RunMessage>): Run => {
  const folded = messages.reduce<Run | undefined>(evolve, run)
  assert.isDefined(folded)
  return folded
}

const stops = (run: Run) => effects(run).flatMap((each) => (each._tag === "PublishTaskStop" ? [each.attempt] : []))

describe("a cancel of a run without an order, which the dispatcher ends at once", () => {
  it.each([
    { phase: "defining", before: [requested(0)], attempts: 0 },
    { phase: "defining, delayed", before: [requested(0), delayed(1)], attempts: 0 },
    { phase: "defining again", before: [...launching, definitionGone(2)], attempts: 1 },
    { phase: "between attempts", before: between, attempts: 1 }
  ])("$phase (scenario 94)", ({ before, attempts }) => {
    const run = aRun(...before, cancel(10, "superseded"))
    assert.deepInclude(run, { state: "cancelled", finishedAt: at(10) })
    assert.deepStrictEqual(
      effects(run).map(({ _tag }) => _tag),
      ["PublishRunFinished", "DropLive"]
    )
    assert.deepInclude(runFinished(run), { outcome: "cancelled", attempts })
    assert.match(runFinished(run)?.error?.message ?? "", /^The run was cancelled before .* was launched: superseded\.$/)
    assert.strictEqual(
      evolve(run, ready(11, { attempt: attempts + 1 })),
      run,
      "another dispatcher's definition is void"
    )
  })
})

describe("a cancel of an ordered attempt, which the launcher or the watcher ends", () => {
  it.each([
    { phase: "launching", before: launching, attempt: 1 },
    { phase: "waiting", before: [...launching, deferred(2)], attempt: 1 },
    { phase: "provisioning", before: [...launching, started(2)], attempt: 1 },
    { phase: "pending", before: [...launching, started(2), changed(3, "PENDING", 2)], attempt: 1 },
    { phase: "running", before: running, attempt: 1 },
    { phase: "stopping", before: [...running, changed(5, "STOPPING", 5)], attempt: 1 },
    { phase: "launching", before: [...between, ready(10, { attempt: 2, notBefore: at(19) })], attempt: 2 },
    {
      phase: "running",
      before: [...between, ready(10, { attempt: 2 }), changed(12, "RUNNING", 2, { attempt: 2 })],
      attempt: 2
    }
  ])("$phase, attempt $attempt: one order to stop it, no end yet (scenario 94)", ({ attempt, before, phase }) => {
    const wished = aRun(...before, cancel(20))
    assert.strictEqual(wished.state, phase)
    assert.deepStrictEqual(stops(wished), [attempt])
    assert.isUndefined(runFinished(wished))
    assert.strictEqual(evolve(wished, cancel(21, "again")), wished, "twice: the first wish stays")
    const ended = fold(wished, stopped(30, { attempt, outcome: "cancelled", exitCode: 143 }))
    assert.deepInclude(runFinished(ended), { outcome: "cancelled", exitCode: 143, attempts: attempt })
    assert.deepStrictEqual(stops(ended), [])
  })

  it.each([
    { what: "launching", before: launching },
    { what: "waiting", before: [...launching, deferred(2)] }
  ])("$what: the launcher's answer prevents the task (peers 119)", ({ before }) => {
    const problem = { code: "Cancelled", message: "The run was cancelled.", advice: "Request it again." } as const
    const run = aRun(...before, cancel(3), rejected(4, { outcome: "cancelled", problem }))
    assert.deepInclude(runFinished(run), { outcome: "cancelled", attempts: 1, error: problem })
    assert.notProperty(runFinished(run), "taskArn")
  })

  it("no attempt follows, however the cancelled one ends", () => {
    for (const end of [failed(9), broken(9)]) {
      const run = aRun(...running, cancel(5), end)
      assert.strictEqual(run.state, end.message.outcome)
      assert.isDefined(runFinished(run))
    }
  })

  it("the program that ended by itself keeps its own result", () => {
    assert.deepInclude(runFinished(aRun(...running, cancel(5), stopped(6))), { outcome: "succeeded", exitCode: 0 })
  })
})

describe("a cancel of no run, or of one that is over", () => {
  it("before the request: it waits for it", () => {
    const run = aRun(cancel(0))
    assert.isTrue(isTombstone(run))
    assert.deepStrictEqual(effects(run), [])
    assert.strictEqual(fold(run, requested(9)).state, "cancelled")
  })

  it("of an unknown run: a note that names it, and nothing else", () => {
    const run = aRun(cancel(0))
    assert.deepInclude(run, { runId, state: "requested", attempts: [] })
    assert.isUndefined(runFinished(run))
  })

  it.each(["succeeded", "crashed", "cancelled"] as const)(
    "late: a run that has %s stays so, same answer",
    (outcome) => {
      const run = aRun(...running, stopped(9, { outcome }))
      assert.strictEqual(evolve(run, cancel(10)), run)
      assert.deepStrictEqual(
        effects(run).map(({ _tag }) => _tag),
        ["PublishRunFinished", "DropLive"]
      )
    }
  )
})

describe("a cancel that races RunTask", () => {
  const cancelledFirst = aRun(...launching, cancel(3), rejected(4, { outcome: "cancelled" }))

  it("a task that came to be after all is stopped, and the end stays as it was told (peers 119)", () => {
    const run = fold(cancelledFirst, started(5))
    assert.deepInclude(run.attempts[0], { straggler: true, taskArn, outcome: "cancelled" })
    assert.deepStrictEqual(effects(run), [
      { _tag: "PublishTaskStop", attempt: 1, straggler: true },
      { _tag: "PublishRunFinished" },
      { _tag: "DropLive" }
    ])
    assert.strictEqual(run.state, "cancelled")
    assert.deepStrictEqual(runFinished(run), runFinished(cancelledFirst))
    assert.deepStrictEqual(run.timeline.at(-1), {
      at: at(5),
      what: `a task that nobody waits for is stopped: ${taskArn}`
    })
  })

  it("the other way round the rejection is void, and the task is stopped as any other (peers 119)", () => {
    const run = aRun(...launching, cancel(3), started(4), rejected(5, { outcome: "cancelled" }))
    assert.strictEqual(run.state, "provisioning")
    assert.deepStrictEqual(stops(run), [1])
    assert.strictEqual(fold(run, stopped(9, { outcome: "cancelled" })).state, "cancelled")
  })

  it("twice and late: a straggler is noted once, and what it does changes nothing", () => {
    const run = fold(cancelledFirst, started(5))
    for (const late of [started(5), started(9), changed(9, "RUNNING", 3), stopped(9)]) {
      assert.strictEqual(evolve(run, late), run, late.kind)
    }
  })

  it("a straggler of an attempt that another followed is stopped while that one goes on", () => {
    const safe = { ...retry, rerunUnknown: true }
    const problem = { code: "OutcomeUnknown", message: "Nobody knows.", advice: "Look." } as const
    const lost = aRun(requested(0), ready(1, { retry: safe }), rejected(2, { outcome: "crashed", problem }))
    assert.deepStrictEqual(stops(fold(lost, started(3))), [1])
    const run = fold(lost, ready(9, { attempt: 2 }), started(10), started(11, { attempt: 2 }))
    assert.strictEqual(run.state, "provisioning")
    assert.deepStrictEqual(stops(run), [1])
    const ended = fold(run, stopped(30, { attempt: 2, taskArn: "arn:second" }))
    assert.deepInclude(runFinished(ended), { outcome: "succeeded", attempts: 2, taskArn: "arn:second" })
  })

  it("the start of a task whose end is known already is no straggler", () => {
    const run = aRun(...launching, stopped(9))
    assert.strictEqual(evolve(run, started(10)), run)
  })
})
