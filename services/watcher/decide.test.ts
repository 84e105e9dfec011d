import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { TaskChanged, TaskStopped } from "#ecs-core/Messages.ts"
import { aTask, aTaskStarted, exited, millis } from "#test/support/builders.ts"
import { at, runId, taskArn } from "#test/support/messages.ts"
import {
  type Action,
  decideStop,
  judge,
  MISSING_GRACE_SECONDS,
  pollMillis,
  type SeenTask,
  STOP_AGAIN_SECONDS,
  stopAgainAfterNotFound,
  type Watched,
  watch,
  YOUNG_SECONDS
} from "./decide.ts"

const started = aTaskStarted({ startDeadline: at(300), runTimeoutSeconds: 3600 })

const short = (action: Action): string => {
  switch (action._tag) {
    case "PublishChanged":
      return `changed ${action.fact.lastStatus}`
    case "PublishStopped":
      return `stopped ${action.fact.outcome}${action.fact.exitCode === undefined ? "" : ` ${action.fact.exitCode}`}`
    case "StopTask":
      return `stop ${action.reason}`
    case "Release":
      return "release"
  }
}

/** Judges one look after the other, `look` seconds after nine; the actions of each. */
const looks = (
  ...seen: ReadonlyArray<readonly [number, SeenTask | undefined]>
): ReadonlyArray<ReadonlyArray<string>> => {
  let watched = watch(started)
  return seen.map(([seconds, task]) => {
    const judgement = judge(watched, task, millis(seconds))
    watched = judgement.watched
    return judgement.actions.map(short)
  })
}

const running = aTask({ lastStatus: "RUNNING", version: 3, times: { startedAt: at(20) } })
const ended = { stopCode: "EssentialContainerExited", stoppedReason: "Essential container in task exited" }
const deprovisioning = aTask({ lastStatus: "DEPROVISIONING", version: 5, containers: exited(0), ...ended })
const stopped = aTask({ lastStatus: "STOPPED", version: 6, containers: exited(0), ...ended })

describe("judge: the life of a task", () => {
  it("tells each state once, the end early, and keeps the lease until STOPPED (scenario 58)", () => {
    const actions = looks(
      [1, aTask({ lastStatus: "PROVISIONING", version: 1 })],
      [2, aTask({ lastStatus: "PENDING", version: 2 })],
      [20, running],
      [50, aTask({ lastStatus: "DEACTIVATING", version: 4, containers: exited(0), ...ended })],
      [51, deprovisioning],
      [70, stopped]
    )
    assert.deepStrictEqual(actions, [
      ["changed PROVISIONING"],
      ["changed PENDING"],
      ["changed RUNNING"],
      ["changed DEACTIVATING"],
      ["changed DEPROVISIONING", "stopped succeeded 0"],
      ["changed STOPPED", "release"]
    ])
  })

  it("twice: the same description says nothing new (peers 88)", () => {
    assert.deepStrictEqual(looks([20, running], [21, running], [51, deprovisioning], [52, deprovisioning]), [
      ["changed RUNNING"],
      [],
      ["changed DEPROVISIONING", "stopped succeeded 0"],
      []
    ])
  })

  it("out of order: an older version says nothing at all (peers 88)", () => {
    const late = aTask({ lastStatus: "PENDING", version: 2 })
    assert.deepStrictEqual(looks([20, running], [301, late], [302, running]), [["changed RUNNING"], [], []])
  })

  it("a new version with the same status is no change", () => {
    assert.deepStrictEqual(looks([20, running], [21, { ...running, version: 4 }]), [["changed RUNNING"], []])
  })

  it("PENDING and STOPPED within one look: one change, the end and the release (peers 90, scenario 89)", () => {
    const actions = looks([1, aTask({ lastStatus: "PENDING", version: 2 })], [60, stopped])
    assert.deepStrictEqual(actions[1], ["changed STOPPED", "stopped succeeded 0", "release"])
  })

  it("DEPROVISIONING without an exit code is not over: the program may never have started (peers 90)", () => {
    const failed = { stopCode: "TaskFailedToStart", stoppedReason: "CannotPullContainerError: no such image" }
    const actions = looks(
      [20, aTask({ lastStatus: "DEPROVISIONING", version: 3, ...failed })],
      [40, aTask({ lastStatus: "STOPPED", version: 4, ...failed })]
    )
    assert.deepStrictEqual(actions, [["changed DEPROVISIONING"], ["changed STOPPED", "stopped crashed", "release"]])
  })

  it("only the orchestration container's exit code counts (peers 94)", () => {
    const containers = [...exited(0).map((each) => ({ ...each, name: "sidecar" })), ...aTask().containers]
    assert.deepStrictEqual(looks([50, { ...deprovisioning, containers }]), [["changed DEPROVISIONING"]])
  })

  it("DELETED is the end as well", () => {
    assert.deepStrictEqual(looks([50, { ...stopped, lastStatus: "DELETED" }]), [
      ["changed DELETED", "stopped succeeded 0", "release"]
    ])
  })

  it("crash: a successor tells the newest state again and the end under the same subject", () => {
    assert.deepStrictEqual(looks([51, deprovisioning]), [["changed DEPROVISIONING", "stopped succeeded 0"]])
  })

  it("the facts are valid messages with ECS's own words and times", () => {
    const { actions } = judge(watch(started), { ...stopped, times: { stoppedAt: at(69) } }, millis(70))
    const [change, end] = actions
    assert(change?._tag === "PublishChanged" && end?._tag === "PublishStopped")
    assert.isTrue(Schema.is(TaskChanged)(change.fact))
    assert.isTrue(Schema.is(TaskStopped)(end.fact))
    assert.deepInclude(change.fact, { runId, attempt: 1, at: at(70), taskArn, version: 6 })
    assert.deepInclude(end.fact, {
      ...ended,
      containers: [{ name: "main", exitCode: 0 }],
      times: { stoppedAt: at(69) }
    })
  })
})

describe("judge: a task that ECS does not find", () => {
  it("early: not yet; late: over, its outcome unknown, never run again (peers 92, 93, scenario 65, 75)", () => {
    const actions = looks(
      [1, undefined],
      [MISSING_GRACE_SECONDS - 0.001, undefined],
      [MISSING_GRACE_SECONDS, undefined]
    )
    assert.deepStrictEqual(actions, [[], [], ["stopped crashed", "release"]])
  })

  it("the fact says that nobody knows", () => {
    const [end] = judge(watch(started), undefined, millis(60)).actions
    assert(end?._tag === "PublishStopped")
    assert.isTrue(Schema.is(TaskStopped)(end.fact))
    assert.strictEqual(end.fact.problem?.code, "OutcomeUnknown")
    assert.strictEqual(end.fact.taskArn, taskArn)
  })

  it("found late, it goes on", () => {
    assert.deepStrictEqual(looks([10, undefined], [20, running]), [[], ["changed RUNNING"]])
  })

  it("missing after its end was told: only the lease is given back", () => {
    assert.deepStrictEqual(looks([51, deprovisioning], [90, undefined])[1], ["release"])
  })
})

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

describe("pollMillis", () => {
  it.each([
    { age: 0, interval: 5, expected: 1000 },
    { age: YOUNG_SECONDS - 0.001, interval: 5, expected: 1000 },
    { age: YOUNG_SECONDS, interval: 5, expected: 5000 },
    { age: 0, interval: 0.1, expected: 100 },
    { age: YOUNG_SECONDS, interval: 300, expected: 300_000 }
  ])("at an age of $age s with an interval of $interval s: $expected ms", ({ age, expected, interval }) => {
    const watched = watch(aTaskStarted({ pollIntervalSeconds: interval }))
    assert.strictEqual(pollMillis(watched, 1, millis(age)), expected)
  })
})

describe("decideStop", () => {
  it("started: stop it; ended, however it ended: nothing to do", () => {
    assert.deepStrictEqual(decideStop({ started, ended: false }, 1), { _tag: "Stop", started })
    assert.deepStrictEqual(decideStop({ started, ended: true }, 1), { _tag: "Done" })
    assert.deepStrictEqual(decideStop({ started: undefined, ended: true }, 9), { _tag: "Done" })
  })

  it.each([
    [1, 250],
    [2, 500],
    [6, 8000],
    [7, 10_000],
    [10_000, 10_000]
  ])("out of order: not started at delivery %i: again in %i ms", (deliveries, delayMillis) => {
    assert.deepStrictEqual(decideStop({ started: undefined, ended: false }, deliveries), { _tag: "Later", delayMillis })
  })

  it("a task that ECS does not find may still appear within a minute", () => {
    assert.isTrue(stopAgainAfterNotFound(started, millis(MISSING_GRACE_SECONDS - 0.001)))
    assert.isFalse(stopAgainAfterNotFound(started, millis(MISSING_GRACE_SECONDS)))
  })
})
