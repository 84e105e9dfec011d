import { assert, describe, it } from "@effect/vitest"
import { aRun } from "#test/support/builders.ts"
import {
  admitted,
  at,
  cancel,
  changed,
  delayed,
  failed,
  queued,
  ready,
  rejected,
  requested,
  started,
  stopped
} from "#test/support/messages.ts"
import { evolve } from "./Evolve.ts"
import { awaitedSince, effects, type Run, runFinished, takesSlot } from "./Run.ts"

const inQueue = requested(0, { queued: true })
const tags = (run: Run) => effects(run).map(({ _tag }) => _tag)

describe("a run of a limited pool", () => {
  it("waits, and nothing is defined before its turn has come", () => {
    const waiting = aRun(inQueue)
    assert.deepInclude(waiting, { state: "queued", queuedAt: at(0) })
    assert.deepStrictEqual(tags(waiting), ["KeepLive", "PublishRunQueued"])
    const next = aRun(inQueue, admitted(60))
    assert.deepInclude(next, { state: "defining", admittedAt: at(60) })
    assert.deepStrictEqual(tags(next), ["KeepLive", "Define"])
  })

  it("its launch has time from its turn on, not from the request", () => {
    assert.strictEqual(awaitedSince(aRun(inQueue, admitted(60))), at(60))
    assert.strictEqual(awaitedSince(aRun(requested(0))), at(0))
  })

  it("admitted twice: the first time holds; admitted without a queue: nothing", () => {
    const once = aRun(inQueue, admitted(60))
    assert.strictEqual(evolve(once, admitted(70)), once)
    const unlimited = aRun(requested(0))
    assert.strictEqual(evolve(unlimited, admitted(70)), unlimited)
  })

  it("cancelled in the queue: final at once, and its turn changes nothing any more", () => {
    const ended = aRun(inQueue, cancel(5))
    assert.deepInclude(ended, { state: "cancelled" })
    assert.strictEqual(evolve(ended, admitted(60)), ended)
    assert.isFalse(takesSlot(ended))
  })

  it("a record that is made anew learns of the queue from the message in it, and of its turn from the order", () => {
    const anew = aRun(requested(0), queued(1))
    assert.deepInclude(anew, { state: "queued", queuedAt: at(1) })
    assert.deepInclude(aRun(requested(0), queued(1), ready(9)), { state: "launching", admittedAt: at(9) })
    const launched = aRun(requested(0), ready(9))
    assert.strictEqual(evolve(launched, queued(1)), launched)
  })

  it("a delay of its definition is no news while it waits", () => {
    assert.deepInclude(aRun(inQueue, delayed(4)), { state: "queued" })
  })
})

describe("the slot of a run", () => {
  const launched = [inQueue, admitted(1), ready(2), started(3)] as const

  it("is taken until the run is over and its task is gone, whichever comes first", () => {
    const [over, gone] = [stopped(9), changed(9, "STOPPED", 7)]
    assert.isTrue(takesSlot(aRun(...launched, over)))
    assert.isTrue(takesSlot(aRun(...launched, gone)))
    assert.isFalse(takesSlot(aRun(...launched, over, gone)))
    assert.isFalse(takesSlot(aRun(...launched, gone, over)))
  })

  it("that the task is gone changes nothing of the outcome, and is taken up once", () => {
    const over = aRun(...launched, stopped(9))
    const gone = aRun(...launched, stopped(9), changed(30, "STOPPED", 7))
    assert.deepStrictEqual(runFinished(gone), runFinished(over))
    assert.deepStrictEqual(gone.timeline, over.timeline)
    assert.strictEqual(evolve(gone, changed(31, "STOPPED", 8)), gone)
    assert.strictEqual(evolve(over, changed(31, "DEPROVISIONING", 6)), over)
  })

  it("is free as well where ECS does not know the task any more, at an old version", () => {
    const seen = [...launched, changed(5, "RUNNING", 7)]
    assert.isFalse(takesSlot(aRun(...seen, stopped(9), changed(10, "DELETED", 7))))
    assert.isFalse(takesSlot(aRun(...seen, changed(10, "DELETED", 7), stopped(9))))
  })

  it("is free where there never was a task, and taken by one that came to be all the same", () => {
    const given = [inQueue, admitted(1), ready(2), rejected(3)]
    assert.isFalse(takesSlot(aRun(...given)))
    assert.isTrue(takesSlot(aRun(...given, started(4))))
    assert.isFalse(takesSlot(aRun(...given, started(4), changed(5, "STOPPED", 2))))
    assert.isFalse(takesSlot(aRun(...given, changed(5, "STOPPED", 2), started(4))))
  })

  it("has one task at a time: the next attempt waits until the task before is gone", () => {
    const retrying = {
      retry: { attempts: 1, platformAttempts: 0, backoffSeconds: 10, maxBackoffSeconds: 10, rerunUnknown: false }
    }
    const attempt = [admitted(1), ready(2, retrying), started(3), failed(9)]
    assert.deepStrictEqual(tags(aRun(inQueue, ...attempt)), [])
    assert.deepStrictEqual(tags(aRun(inQueue, ...attempt, changed(30, "STOPPED", 7))), ["Define"])
    assert.deepStrictEqual(tags(aRun(requested(0), ...attempt)), ["Define"])
  })
})
