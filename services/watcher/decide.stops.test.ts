import { assert, describe, it } from "@effect/vitest"
import { deprovisioning, looks, running, started, stopped } from "#services/watcher/fixtures/looks.ts"
import { aTask, aTaskStarted, exited, millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import {
  decideStop,
  judge,
  MISSING_GRACE_SECONDS,
  type SeenTask,
  STOP_AGAIN_SECONDS,
  stopAgainAfterNotFound,
  stopOrdered,
  type Watched,
  watch
} from "./decide.ts"

const reasons = (task: SeenTask, seconds: number, watched: Watched = watch(started)) =>
  judge(watched, task, millis(seconds)).actions.flatMap((action) => (action._tag === "StopTask" ? [action.reason] : []))

describe("judge: deadlines and stops", () => {
  it.each(["PROVISIONING", "PENDING", "ACTIVATING"])(
    "%s: the start deadline only counts on a later answer",
    (lastStatus) => {
      const task = aTask({ lastStatus, version: 2 })
      assert.deepStrictEqual(reasons(task, 300), [])
      assert.deepStrictEqual(reasons(task, 300.001), ["fleet:start-timeout: 300 s"])
    }
  )

  it("the run deadline counts from ECS's startedAt", () => {
    assert.deepStrictEqual(reasons(running, 20 + 3600), [])
    assert.deepStrictEqual(reasons(running, 20 + 3600.001), ["fleet:run-timeout: 3600 s"])
  })

  it("late: a watcher that was blind past both deadlines stops no task that has ended meanwhile", () => {
    assert.deepStrictEqual(reasons(deprovisioning, 9000), [])
    assert.deepStrictEqual(reasons(stopped, 9000), [])
  })

  it("late: blind past the start deadline, it finds the task RUNNING and leaves it alone", () => {
    assert.deepStrictEqual(reasons(running, 900), [])
  })

  it.each(["DEACTIVATING", "STOPPING"])("%s: it is being stopped already", (lastStatus) => {
    assert.deepStrictEqual(reasons({ ...running, lastStatus }, 9000), [])
  })

  it("RUNNING without a start time has no run deadline yet", () => {
    assert.deepStrictEqual(reasons({ ...running, times: {} }, 9000), [])
  })

  it("a program that ended in a task that goes on: the task is stopped, then the program's own code counts", () => {
    const done = { ...running, version: 4, containers: exited(7) }
    const over = {
      ...stopped,
      containers: exited(7),
      stopCode: "UserInitiated",
      stoppedReason: "fleet:container-exited"
    }
    assert.deepStrictEqual(looks([20, running], [30, done], [31, over]), [
      ["changed RUNNING"],
      ["stop fleet:container-exited"],
      ["changed STOPPED", "stopped failed 7", "release"]
    ])
  })

  it.each(["PROVISIONING", "PENDING", "ACTIVATING"])(
    "also one in a task that never got to RUNNING: %s",
    (lastStatus) => {
      const task = aTask({ lastStatus, version: 3, containers: exited(0) })
      assert.deepStrictEqual(reasons(task, 30), ["fleet:container-exited"])
    }
  )

  it.each([
    { lastStatus: "PROVISIONING", seconds: 1800, expected: [] },
    { lastStatus: "PROVISIONING", seconds: 1800.001, expected: ["fleet:provisioning-timeout: 1800 s"] },
    { lastStatus: "PENDING", seconds: 1800.001, expected: [] },
    { lastStatus: "PENDING", seconds: 2100.001, expected: ["fleet:start-timeout: 2100 s"] }
  ])("with a provisioning deadline, $lastStatus at $seconds s: $expected", ({ expected, lastStatus, seconds }) => {
    const placed = aTaskStarted({ provisioningDeadline: at(1800), startDeadline: at(2100) })
    assert.deepStrictEqual(reasons(aTask({ lastStatus, version: 2 }), seconds, watch(placed)), expected)
  })

  it("how long it had counts from ECS's createdAt, also where the start was told late", () => {
    const adopted = watch(aTaskStarted({ at: at(200), startDeadline: at(300) }))
    const task = aTask({ lastStatus: "PENDING", version: 2, times: { createdAt: at(0) } })
    assert.deepStrictEqual(reasons(task, 301, adopted), ["fleet:start-timeout: 300 s"])
  })

  it("an order from before the watch is carried out at the first answer, with its reason (peers 118)", () => {
    const cancelled = watch(started, { stop: "fleet:cancelled: superseded" })
    assert.deepStrictEqual(reasons(aTask({ lastStatus: "PROVISIONING", version: 1 }), 1, cancelled), [
      "fleet:cancelled: superseded"
    ])
    assert.deepStrictEqual(reasons({ ...running, lastStatus: "STOPPING" }, 1, cancelled), [])
  })

  it("an order that another replica carries out is sent again where it does not show", () => {
    const ordered = stopOrdered(judge(watch(started), running, millis(20)).watched, "fleet:cancelled", millis(30))
    assert.deepStrictEqual(reasons(running, 30 + STOP_AGAIN_SECONDS - 0.001, ordered), [])
    assert.deepStrictEqual(reasons(running, 30 + STOP_AGAIN_SECONDS, ordered), ["fleet:cancelled"])
    assert.strictEqual(stopOrdered(ordered, "fleet:cancelled: again", millis(40)), ordered)
  })

  it("a task that got to RUNNING while it was stopped for its start is stopped all the same, for the same reason", () => {
    const late = 301 + STOP_AGAIN_SECONDS
    const actions = looks([301, aTask({ lastStatus: "PENDING", version: 2 })], [302, running], [late, running])
    assert.deepStrictEqual(actions.slice(1), [["changed RUNNING"], ["stop fleet:start-timeout: 300 s"]])
  })

  it("never: a stop without effect is sent again, and not before its time", () => {
    const overdue = 20 + 3601
    const actions = looks(
      [overdue, running],
      [overdue + STOP_AGAIN_SECONDS - 0.001, running],
      [overdue + STOP_AGAIN_SECONDS, running],
      [overdue + STOP_AGAIN_SECONDS + 1, running]
    )
    assert.deepStrictEqual(actions, [
      ["changed RUNNING", "stop fleet:run-timeout: 3600 s"],
      [],
      ["stop fleet:run-timeout: 3600 s"],
      []
    ])
  })
})

describe("decideStop", () => {
  it.each([
    { isStopped: false, isRejected: false, is: started, does: "Stop" },
    { isStopped: false, isRejected: true, is: started, does: "Stop" },
    { isStopped: true, isRejected: false, is: started, does: "Done" },
    { isStopped: false, isRejected: true, is: undefined, does: "Done" },
    { isStopped: true, isRejected: false, is: undefined, does: "Done" }
  ])("stopped $isStopped, rejected $isRejected: $does (scenario 94)", ({ does, is, isRejected, isStopped }) => {
    assert.strictEqual(decideStop({ started: is, isStopped, isRejected }, 1)._tag, does)
  })

  it.each([
    [1, 250],
    [2, 500],
    [6, 8000],
    [7, 10_000],
    [10_000, 10_000]
  ])("out of order: not started at delivery %i: again in %i ms", (deliveries, delayMillis) => {
    const facts = { started: undefined, isStopped: false, isRejected: false }
    assert.deepStrictEqual(decideStop(facts, deliveries), { _tag: "Later", delayMillis })
  })

  it("a task that ECS does not find may still appear within a minute", () => {
    assert.isTrue(stopAgainAfterNotFound(started, millis(MISSING_GRACE_SECONDS - 0.001)))
    assert.isFalse(stopAgainAfterNotFound(started, millis(MISSING_GRACE_SECONDS)))
  })
})
