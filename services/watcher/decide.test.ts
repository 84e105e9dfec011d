import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { TaskChanged, TaskStopped } from "#ecs-core/Messages.ts"
import { deprovisioning, ended, looks, running, started, stopped } from "#services/watcher/fixtures/looks.ts"
import { aTask, exited, millis } from "#test/support/builders.ts"
import { at, runId, taskArn } from "#test/support/messages.ts"
import {
  CLUSTER_GONE_SECONDS,
  type Judgement,
  judge,
  judgeWithoutCluster,
  MISSING_CONFIRM_SECONDS,
  MISSING_GRACE_SECONDS,
  type Watched,
  watch
} from "./decide.ts"

const changeTold = ({ actions }: Judgement) => {
  const told = actions.find(({ _tag }) => _tag === "PublishChanged")
  assert(told?._tag === "PublishChanged")
  return told.fact
}

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

  it("crash: a successor tells the newest state if nobody has, and the end under the same subject", () => {
    assert.deepStrictEqual(looks([51, deprovisioning]), [["changed DEPROVISIONING", "stopped succeeded 0"]])
  })

  it("crash: a successor does not tell again what its predecessor told (scenario 88)", () => {
    const told = changeTold(judge(watch(started), running, millis(20)))
    const successor = watch(started, { changed: told })
    assert.deepStrictEqual(judge(successor, running, millis(30)).actions, [])
    assert.deepStrictEqual(judge(successor, { ...running, version: 1, lastStatus: "PENDING" }, millis(30)).actions, [])
    const later = judge(successor, deprovisioning, millis(50)).actions.map(({ _tag }) => _tag)
    assert.deepStrictEqual(later, ["PublishChanged", "PublishStopped"])
  })

  it("crash: a successor knows from its predecessor that the program has run", () => {
    const successor = watch(started, { changed: changeTold(judge(watch(started), running, millis(20))) })
    const gone = judge(successor, undefined, millis(61)).watched
    const end = judge(gone, undefined, millis(72)).actions.find(({ _tag }) => _tag === "PublishStopped")
    assert(end?._tag === "PublishStopped")
    assert.isTrue(end.fact.reachedRunning)
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

  it.each([
    { what: "a start time", task: { ...running, version: 4 }, expected: true },
    { what: "an exit code", task: { ...stopped, containers: exited(143) }, expected: true },
    { what: "neither", task: { ...stopped, containers: [] }, expected: undefined }
  ])("a spot interruption after $what: may the program have run? (peers 101)", ({ expected, task }) => {
    const end = { ...task, lastStatus: "STOPPED", stopCode: "SpotInterruption" }
    const fact = judge(watch(started), end, millis(70)).actions.find(({ _tag }) => _tag === "PublishStopped")
    assert(fact?._tag === "PublishStopped")
    assert.deepInclude(fact.fact, { outcome: "crashed", passing: true })
    assert.strictEqual(fact.fact.reachedRunning, expected)
  })

  it("RUNNING seen once is remembered where the last answer lacks its start time", () => {
    const crashed = { ...stopped, times: {}, containers: [], stopCode: "InfrastructureHealth" }
    const before = judge(watch(started), running, millis(20)).watched
    const fact = judge(before, crashed, millis(70)).actions.find(({ _tag }) => _tag === "PublishStopped")
    assert(fact?._tag === "PublishStopped")
    assert.isTrue(fact.fact.reachedRunning)
  })
})

describe("judge: a task whose cluster ECS does not find", () => {
  it("for ten minutes it is asked again, then its outcome is unknown; an answer in between begins anew", () => {
    const ends = (watched: Watched, at: number) =>
      judgeWithoutCluster(watched, millis(at)).actions.map(({ _tag }) => _tag)
    const first = judgeWithoutCluster(watch(started), millis(70)).watched
    assert.deepStrictEqual(ends(first, 70 + CLUSTER_GONE_SECONDS - 0.001), [])
    assert.deepStrictEqual(ends(first, 70 + CLUSTER_GONE_SECONDS), ["PublishStopped", "PublishChanged", "Release"])
    assert.deepStrictEqual(ends(judge(first, running, millis(100)).watched, 70 + CLUSTER_GONE_SECONDS), [])
  })
})

describe("judge: a task that ECS does not find", () => {
  it("early: not yet; late: over, its outcome unknown, never run again (peers 92, 93, scenario 65, 75)", () => {
    const actions = looks(
      [1, undefined],
      [MISSING_GRACE_SECONDS - 0.001, undefined],
      [MISSING_GRACE_SECONDS, undefined]
    )
    assert.deepStrictEqual(actions, [[], [], ["stopped crashed", "changed DELETED", "release"]])
  })

  it("late: a single answer that does not know a task is not believed, only ten seconds of them (peers 93)", () => {
    const gone = 500
    const actions = looks(
      [20, running],
      [gone, undefined],
      [gone + MISSING_CONFIRM_SECONDS - 0.001, undefined],
      [gone + MISSING_CONFIRM_SECONDS, running],
      [gone + 20, undefined],
      [gone + 20 + MISSING_CONFIRM_SECONDS, undefined]
    )
    assert.deepStrictEqual(actions, [
      ["changed RUNNING"],
      [],
      [],
      [],
      [],
      ["stopped crashed", "changed DELETED", "release"]
    ])
  })

  it("late: a stale answer shows as well that ECS knows the task", () => {
    const stale = aTask({ lastStatus: "PENDING", version: 2 })
    assert.deepStrictEqual(looks([20, running], [500, undefined], [505, stale], [512, undefined]).slice(1), [
      [],
      [],
      []
    ])
  })

  it("the fact says that nobody knows", () => {
    const once = judge(watch(started), undefined, millis(59)).watched
    const [end] = judge(once, undefined, millis(70)).actions
    assert(end?._tag === "PublishStopped")
    assert.isUndefined(end.fact.reachedRunning)
    assert.isTrue(Schema.is(TaskStopped)(end.fact))
    assert.strictEqual(end.fact.problem?.code, "OutcomeUnknown")
    assert.strictEqual(end.fact.taskArn, taskArn)
  })

  it("found late, it goes on", () => {
    assert.deepStrictEqual(looks([10, undefined], [20, running]), [[], ["changed RUNNING"]])
  })

  it("missing after its end was told: that it is gone is told, and the lease given back", () => {
    assert.deepStrictEqual(looks([51, deprovisioning], [90, undefined], [100, undefined]).slice(1), [
      [],
      ["changed DELETED", "release"]
    ])
  })
})
