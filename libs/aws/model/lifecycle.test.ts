import { assert, describe, it } from "@effect/vitest"
import { step } from "./lifecycle.ts"
import { abandon, type LifeOptions, maxReasonLength, type Step, stateMillis, type TaskEvent } from "./taskChanges.ts"
import type { TaskRecord } from "./World.ts"

const options: LifeOptions = { timeScale: "fargate", stoppedTaskSeconds: 3600 }

/** A task of two containers, of which the second is not essential, as RunTask leaves it. */
const launched: TaskRecord = {
  key: { region: "r", cluster: "c", id: "1" },
  task: {
    taskArn: "arn:aws:ecs:r:0:task/c/1",
    lastStatus: "PROVISIONING",
    desiredStatus: "RUNNING",
    version: 1,
    createdAt: new Date(0),
    containers: [
      { name: "main", lastStatus: "PENDING" },
      { name: "side", lastStatus: "PENDING" }
    ],
    tags: [{ key: "a", value: "b" }]
  },
  containers: ["main", "side"].map((containerName) => ({
    taskArn: "arn:aws:ecs:r:0:task/c/1",
    containerName,
    image: "x",
    command: [],
    environment: {},
    essential: containerName === "main",
    stopTimeoutSeconds: 30
  })),
  sequence: 0,
  token: undefined,
  dueAt: stateMillis.fargate.PROVISIONING
}

const timeOver: TaskEvent = { _tag: "TimeOver" }
const started = (name: string): TaskEvent => ({ _tag: "ContainerStarted", name })
const stopAsked: TaskEvent = { _tag: "StopAsked", stopCode: "UserInitiated", reason: "why" }
const exited = (name: string, exitCode = 0): TaskEvent => ({ _tag: "ContainerExited", name, exitCode })
const refused = (name: string, reason: string): TaskEvent => ({ _tag: "ContainerRefused", name, reason, exitCode: 127 })

/** Plays events, each when the state before is due (or at once, where none is). */
const play = (events: ReadonlyArray<TaskEvent>, from: TaskRecord = launched) => {
  const statuses: Array<string | undefined> = [from.task.lastStatus]
  let now = 0
  let last: Step = { record: from }
  for (const event of events) {
    if (event._tag === "TimeOver") now = last.record.dueAt ?? now
    last = step(last.record, event, now, options)
    if (statuses.at(-1) !== last.record.task.lastStatus) statuses.push(last.record.task.lastStatus)
  }
  return { ...last, task: last.record.task, statuses, now }
}

const starting = [timeOver, timeOver, timeOver]
const running = [...starting, started("main"), started("side")]

describe("lifecycle", () => {
  it("goes through ECS's states in order, with their times", () => {
    const { task, statuses, now, record } = play([...running, exited("main", 3), timeOver, exited("side"), timeOver])
    assert.deepStrictEqual(statuses, [
      "PROVISIONING",
      "PENDING",
      "ACTIVATING",
      "RUNNING",
      "DEACTIVATING",
      "STOPPING",
      "DEPROVISIONING",
      "STOPPED"
    ])
    const { connectivityAt, pullStartedAt, pullStoppedAt, startedAt, executionStoppedAt, stoppingAt } = task
    const times = [
      connectivityAt,
      pullStartedAt,
      pullStoppedAt,
      startedAt,
      executionStoppedAt,
      stoppingAt,
      task.stoppedAt
    ]
    assert.deepStrictEqual(
      times.map((at) => at?.getTime()),
      [4000, 12_000, 18_000, 19_000, 19_000, 19_000, now]
    )
    assert.deepStrictEqual([task.stopCode, task.desiredStatus], ["EssentialContainerExited", "STOPPED"])
    assert.deepStrictEqual(
      task.containers?.map(({ exitCode }) => exitCode),
      [3, 0]
    )
    assert.strictEqual(record.dueAt, now + 3_600_000)
  })

  it("every event that changes something raises the version by one", () => {
    let record = launched
    for (const event of [...running, exited("main"), timeOver, timeOver]) {
      const next = step(record, event, 0, options).record
      assert.strictEqual(next.task.version, (record.task.version ?? 0) + 1)
      record = next
    }
  })

  it("shows exit codes in DEPROVISIONING already", () => {
    const { task } = play([...running, exited("main", 5), timeOver, exited("side", 143)])
    assert.strictEqual(task.lastStatus, "DEPROVISIONING")
    assert.deepStrictEqual(
      task.containers?.map(({ exitCode }) => exitCode),
      [5, 143]
    )
    assert.isUndefined(task.stoppedAt)
  })

  it("a container that is not essential may end by itself; the last one ends the task", () => {
    assert.strictEqual(play([...running, exited("side")]).task.lastStatus, "RUNNING")
    assert.strictEqual(play([...running, exited("side"), exited("main")]).task.lastStatus, "DEACTIVATING")
  })

  it("asks what still runs to stop, and waits for it", () => {
    const stopping = play([...running, exited("main"), timeOver])
    assert.deepStrictEqual(
      [stopping.task.lastStatus, stopping.command, stopping.record.dueAt],
      ["STOPPING", { _tag: "Stop", names: ["side"] }, undefined]
    )
    assert.strictEqual(play([exited("side", 137)], stopping.record).task.lastStatus, "DEPROVISIONING")
  })

  it("a stop of a running task keeps its reason, and drops the tags", () => {
    const { task } = play([
      ...running,
      stopAsked,
      timeOver,
      exited("main", 143),
      timeOver,
      exited("side", 143),
      timeOver
    ])
    assert.deepStrictEqual([task.lastStatus, task.stopCode, task.stoppedReason], ["STOPPED", "UserInitiated", "why"])
    assert.deepStrictEqual(task.tags, [])
    assert.isDefined(task.executionStoppedAt)
  })

  it.each([0, 1, 2, 3])("a stop before it runs (after %i steps) never runs it", (steps) => {
    const before = play(running.slice(0, steps))
    const { task, command } = play([stopAsked, timeOver], before.record)
    assert.deepStrictEqual([task.lastStatus, command], ["DEPROVISIONING", abandon])
    assert.isTrue(
      task.containers?.every(({ exitCode, lastStatus }) => exitCode === undefined && lastStatus === "STOPPED")
    )
    assert.isUndefined(task.startedAt)
  })

  it("late: containers that start just as the stop comes are stopped properly", () => {
    const { task, record, now } = play([...starting, stopAsked, started("main"), started("side")])
    assert.deepStrictEqual([task.lastStatus, task.desiredStatus, record.dueAt], ["RUNNING", "STOPPED", now])
    assert.strictEqual(play([timeOver], record).task.lastStatus, "DEACTIVATING")
  })

  it("late: a container that comes up when the task was given up is ended", () => {
    const abandoned = play([...starting, stopAsked, timeOver]).record
    assert.deepStrictEqual(step(abandoned, started("main"), 9, options), { record: abandoned, command: abandon })
    const stopping = play([...starting, started("main"), stopAsked, timeOver, timeOver])
    assert.deepStrictEqual(
      [stopping.task.lastStatus, stopping.command],
      ["STOPPING", { _tag: "Stop", names: ["main"] }]
    )
    const late = play([started("side")], stopping.record)
    assert.deepStrictEqual(late.command, { _tag: "Stop", names: ["main", "side"] })
    assert.strictEqual(play([exited("main"), exited("side")], late.record).task.lastStatus, "DEPROVISIONING")
  })

  it("a task is RUNNING when all its containers are past their start, also if one has ended by then", () => {
    assert.strictEqual(play([...starting, started("side")]).task.lastStatus, "ACTIVATING")
    const quick = play([...starting, started("main"), exited("main", 3)])
    assert.strictEqual(quick.task.lastStatus, "ACTIVATING")
    const { task } = play([started("side")], quick.record)
    assert.deepStrictEqual([task.lastStatus, task.stopCode], ["DEACTIVATING", "EssentialContainerExited"])
    assert.isDefined(task.startedAt)
  })

  it("one that cannot start ends those that run, in turn", () => {
    const failed = play([...starting, started("side"), refused("main", "CannotStartContainerError: x")])
    assert.deepStrictEqual([failed.task.lastStatus, failed.task.stopCode], ["DEACTIVATING", "TaskFailedToStart"])
    const stopping = play([timeOver], failed.record)
    assert.deepStrictEqual(stopping.command, { _tag: "Stop", names: ["side"] })
    const { task } = play([exited("side", 143), timeOver], stopping.record)
    assert.strictEqual(task.lastStatus, "STOPPED")
    assert.deepStrictEqual(
      task.containers?.map(({ exitCode }) => exitCode),
      [127, 143]
    )
  })

  it("twice: a second stop changes nothing; nor does one after the end", () => {
    const once = play([...running, stopAsked]).record
    assert.strictEqual(step(once, { ...stopAsked, reason: "again" }, 9, options).record, once)
    const ended = play([...running, exited("main"), timeOver, exited("side"), timeOver]).record
    assert.strictEqual(step(ended, stopAsked, 9, options).record, ended)
  })

  it("twice and late: an exit that is known, or of a task that is over, changes nothing", () => {
    const once = play([...running, exited("side", 1)]).record
    assert.strictEqual(step(once, exited("side", 2), 9, options).record, once)
    const abandoned = play([stopAsked, timeOver]).record
    assert.strictEqual(step(abandoned, exited("main"), 9, options).record, abandoned)
    assert.strictEqual(step(abandoned, started("main"), 9, options).record, abandoned)
    assert.strictEqual(step(abandoned, refused("main", "x"), 9, options).record, abandoned)
  })

  it("an image that cannot be pulled is TaskFailedToStart, with the text as the reason", () => {
    const { task, command } = play([
      timeOver,
      timeOver,
      timeOver,
      refused("main", "CannotPullContainerError: no such image")
    ])
    assert.deepStrictEqual(
      [task.lastStatus, task.stopCode, task.stoppedReason, command],
      ["DEPROVISIONING", "TaskFailedToStart", "CannotPullContainerError: no such image", abandon]
    )
    assert.strictEqual(task.containers?.[0]?.reason, "CannotPullContainerError: no such image")
  })

  it("a program that is not there is told by the container", () => {
    const { task } = play([
      timeOver,
      timeOver,
      timeOver,
      refused("main", "CannotStartContainerError: not found in $PATH")
    ])
    assert.deepStrictEqual([task.stoppedReason, task.containers?.[0]?.exitCode], ["Task failed to start", 127])
  })

  it("a refused container that is not essential does not hold the task up", () => {
    const { task } = play([
      timeOver,
      timeOver,
      timeOver,
      refused("side", "CannotPullContainerError: x"),
      started("main")
    ])
    assert.strictEqual(task.lastStatus, "RUNNING")
    assert.deepStrictEqual(
      task.containers?.map(({ lastStatus }) => lastStatus),
      ["RUNNING", "STOPPED"]
    )
  })

  it(`cuts a container's reason at ${maxReasonLength} characters`, () => {
    const { task } = play([timeOver, timeOver, timeOver, refused("main", "x".repeat(maxReasonLength + 1))])
    assert.strictEqual(task.containers?.[0]?.reason?.length, maxReasonLength)
  })
})
