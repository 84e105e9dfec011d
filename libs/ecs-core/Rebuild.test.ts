import { assert, describe, it } from "@effect/vitest"
import { aRun } from "#test/support/builders.ts"
import {
  cancel,
  changed,
  deferred,
  delayed,
  ready,
  refused,
  rejected,
  requested,
  runId,
  started,
  stopped
} from "#test/support/messages.ts"
import type { RunMessage } from "./Evolve.ts"
import { rebuild } from "./Rebuild.ts"
import { isFinal, isTombstone, type Run, runFinished } from "./Run.ts"

type Events = ReadonlyArray<RunMessage>

const internal = new Set(["run.refused", "run.delayed"])
const request = requested(0).message
const retry = { attempts: 1, platformAttempts: 5, backoffSeconds: 10, maxBackoffSeconds: 60, rerunUnknown: false }
const failed = (seconds: number, attempt = 1) =>
  stopped(seconds, { attempt, outcome: "failed", exitCode: 3, containers: [{ name: "main", exitCode: 3 }] })

/** What a run leaves in the streams: not what its dispatcher told itself. */
const storedOf = (run: Run, events: Events): Events => {
  const message = runFinished(run)
  const facts = events.filter(({ kind }) => kind !== "run.requested" && !internal.has(kind))
  return message === undefined ? facts : [...facts, { kind: "run.finished", message }]
}

const withoutDelays = ({ delayed: _delayed, ...run }: Run): Run => ({
  ...run,
  timeline: run.timeline.filter(({ what }) => !what.startsWith("task definition delayed"))
})

/** The events in the order in which the dispatcher folded them. */
const stories: ReadonlyArray<readonly [string, Events]> = [
  ["that succeeded", [ready(1), started(2), changed(3, "RUNNING", 3), stopped(9), changed(12, "STOPPED", 5)]],
  ["that is running", [ready(1), started(2), changed(3, "RUNNING", 3)]],
  ["that waits", [ready(1), deferred(2), deferred(20, { try: 2 })]],
  ["whose launch was rejected", [ready(1), rejected(2)]],
  ["that was refused by ECS before it was launched", [refused(1)]],
  [
    "that failed, ran again and succeeded",
    [
      ready(1, { retry }),
      started(2),
      failed(9),
      ready(10, { attempt: 2, retry }),
      started(21, { attempt: 2 }),
      stopped(30, { attempt: 2 })
    ]
  ],
  ["that goes on after a failure", [ready(1, { retry }), started(2), failed(9)]],
  [
    "that was cancelled while it ran",
    [ready(1), started(2), cancel(3, "enough"), stopped(5, { outcome: "cancelled" })]
  ],
  ["that was cancelled while it waits for its definition", [delayed(1), cancel(2)]],
  ["that was cancelled while it waits for its next attempt", [ready(1, { retry }), started(2), failed(9), cancel(11)]],
  ["that timed out", [ready(1), started(2), stopped(9, { outcome: "timed_out", phase: "run" })]],
  ["whose definition came late", [delayed(1), delayed(11), ready(21), started(22), stopped(30)]],
  ["whose task came too late", [ready(1), rejected(2), started(3)]]
]

describe("a record made again from the stored messages", () => {
  it.each(stories)("of a run %s is the same, but for what its dispatcher told itself", (_, events) => {
    const run = aRun(requested(0), ...events)
    const again = rebuild({ runId, request, messages: storedOf(run, events) })
    assert.deepStrictEqual(again, withoutDelays(run))
  })

  it("out of order: a cancel that was stored before the order to launch, and folded after it", () => {
    const run = aRun(requested(0), ready(2), cancel(1), started(3))
    const stored = [cancel(1), ready(2), started(3)]
    assert.deepStrictEqual(rebuild({ runId, request, messages: stored }), run)
    assert.strictEqual(run.state, "provisioning")
  })

  it("out of order: a cancel that was stored before the end of an attempt, and folded after it", () => {
    const events = [ready(1, { retry }), started(2), failed(9), cancel(8)]
    const run = aRun(requested(0), ...events)
    assert.strictEqual(run.state, "cancelled")
    const [order, start, end, wish] = storedOf(run, events)
    const finished = storedOf(run, events).at(-1)
    const stored = [order, start, wish, end, finished].filter((event) => event !== undefined)
    assert.deepStrictEqual(rebuild({ runId, request, messages: stored }), run)
  })

  it("out of order: a start that was stored behind the rejection, and folded before it", () => {
    const events = [ready(1), started(3), rejected(2), stopped(9)]
    const run = aRun(requested(0), ...events)
    const stored = storedOf(run, [ready(1), rejected(2), started(3), stopped(9)])
    assert.deepStrictEqual(rebuild({ runId, request, messages: stored }), run)
  })

  it("a cancel before its request is a tombstone that the request has folded into", () => {
    const run = aRun(cancel(0, "too early"), requested(5))
    const stored = storedOf(run, [cancel(0, "too early")])
    assert.deepStrictEqual(rebuild({ runId, request: requested(5).message, messages: stored }), run)
    const wish = rebuild({ runId, request: undefined, messages: [cancel(0)] })
    assert.isTrue(wish !== undefined && isTombstone(wish))
  })

  it("twice: a second request and a second end change nothing", () => {
    const events = [ready(1), started(2), stopped(9)]
    const run = aRun(requested(0), ...events)
    const stored = storedOf(run, events)
    assert.deepStrictEqual(rebuild({ runId, request, messages: [...stored, ...stored] }), run)
  })

  it("as the order had it, with the notices about a linked definition", () => {
    const events = [ready(1, { notices: ["from the request", "about the definition"] }), started(2)]
    const again = rebuild({ runId, request: { ...request, notices: ["from the request"] }, messages: events })
    assert.deepStrictEqual(again?.notices, ["from the request", "about the definition"])
  })
})

describe("a record whose first messages are gone is incomplete", () => {
  const events = [ready(1), started(2), changed(3, "RUNNING", 3), changed(8, "DEPROVISIONING", 4), stopped(9)]
  const whole = aRun(requested(0), ...events)
  const stored = storedOf(whole, events)
  const from = Array.from(stored, (_, gone) => gone)

  it.each(from)("never: %i messages and the request are lost; it ends as the run did", (gone) => {
    const run = rebuild({ runId, request: undefined, messages: stored.slice(gone) })
    assert.deepInclude(run, { state: "succeeded", incomplete: true, exitCode: 0 })
    assert.strictEqual(run?.requestedAt, whole.requestedAt)
    assert.deepStrictEqual(run && runFinished({ ...run, attempts: whole.attempts }), runFinished(whole))
  })

  it.each(from.slice(1))("never: %i messages are lost, the request is there", (gone) => {
    const run = rebuild({ runId, request, messages: stored.slice(gone) })
    assert.deepInclude(run, { state: "succeeded", incomplete: true, requestSequence: 17 })
  })

  it.each([
    { what: "its start", facts: [started(2)], state: "provisioning" as const },
    { what: "a change", facts: [changed(3, "RUNNING", 3)], state: "running" as const },
    { what: "a wish and a change", facts: [cancel(2), changed(3, "RUNNING", 3)], state: "running" as const },
    { what: "a pause", facts: [deferred(3)], state: "waiting" as const },
    { what: "the order of a later attempt", facts: [ready(1, { attempt: 2 })], state: "launching" as const }
  ])("and goes on, where the first that is left is $what", ({ facts, state }) => {
    for (const asked of [undefined, request]) {
      const run = rebuild({ runId, request: asked, messages: facts })
      assert.deepInclude(run, { state, incomplete: true })
      assert.isFalse(run !== undefined && isTombstone(run))
    }
  })

  it("and was never launched for all we know, where only the request is left", () => {
    const run = rebuild({ runId, request, messages: [] })
    assert.deepInclude(run, { state: "defining", incomplete: true, attempts: [] })
  })

  it("and ends as told, where nothing that is left explains it", () => {
    const crashed = aRun(requested(0), ready(1), rejected(2, { outcome: "crashed" }))
    const end = storedOf(crashed, []).slice(-1)
    const run = rebuild({ runId, request, messages: [ready(1), started(2), stopped(3), ...end] })
    assert.deepInclude(run, { state: "crashed", incomplete: true })
    assert.strictEqual(run?.finishedAt, crashed.finishedAt)
    assert.isTrue(run !== undefined && isFinal(run))
  })

  it("and lacks attempts that were ordered", () => {
    const twice = aRun(
      requested(0),
      ready(1, { retry }),
      started(2),
      failed(9),
      ready(10, { attempt: 2 }),
      started(21, { attempt: 2 }),
      stopped(30, { attempt: 2 })
    )
    const run = rebuild({
      runId,
      request,
      messages: storedOf(twice, [ready(10, { attempt: 2 }), stopped(30, { attempt: 2 })])
    })
    assert.deepInclude(run, { state: "succeeded", incomplete: true })
    assert.deepStrictEqual(
      run?.attempts.map(({ attempt }) => attempt),
      [2]
    )
  })

  it("nothing stored, nothing made", () => {
    assert.isUndefined(rebuild({ runId, request: undefined, messages: [] }))
  })
})
