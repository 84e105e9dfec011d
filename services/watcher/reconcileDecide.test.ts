import { assert, describe, it } from "@effect/vitest"
import type { Run } from "#ecs-core/Run.ts"
import { aRun, aTask, aTaskdefReady, millis } from "#test/support/builders.ts"
import {
  at,
  broken,
  cancel,
  changed,
  clusterArn,
  ready,
  requested,
  started,
  stopped,
  taskArn
} from "#test/support/messages.ts"
import { deadlineOf } from "./decide.ts"
import { clusterOf, findingOf, launchedOf, startedAgain, watchedAgain } from "./reconcileDecide.ts"

const other = taskArn.replace(/.$/, "0")
const graceMillis = 300_000
const whole = { isHeld: false, wholeSince: millis(-1000), graceMillis }
const trimmed = { ...whole, wholeSince: millis(100) }
const incomplete = (run: Run): Run => ({ ...run, incomplete: true })
const running = aRun(ready(1), started(2), changed(3, "RUNNING", 3))
const over = aRun(ready(1), started(2), stopped(50))
const retry = { attempts: 0, platformAttempts: 5, backoffSeconds: 1, maxBackoffSeconds: 1, rerunUnknown: false }
const again = aRun(ready(1, { retry }), started(2), broken(50), ready(60, { attempt: 2, retry }))

describe("a task of this fleet that runs", () => {
  it.each([
    { what: "its run has no record", run: undefined, is: "unclaimed" },
    { what: "its run is a wish", run: aRun(cancel(0)), is: "unclaimed" },
    { what: "it is the attempt's", run: running, is: "fine" },
    {
      what: "it is the attempt's, and its start is held",
      run: running,
      looked: { ...trimmed, isHeld: true },
      is: "fine"
    },
    { what: "it is the attempt's, and its start is gone", run: running, looked: trimmed, is: "unwatched" },
    { what: "its launch is not told yet", run: aRun(ready(1)), is: "fine" },
    {
      what: "its launch is not told, its order is held",
      run: aRun(ready(1)),
      looked: { ...trimmed, isHeld: true },
      is: "fine"
    },
    { what: "its launch is not told, its order is gone", run: aRun(ready(1)), looked: trimmed, is: "untold" },
    { what: "its attempt is in no incomplete record", run: incomplete(aRun(requested(0))), is: "untold" },
    { what: "its attempt is in no record yet", run: aRun(requested(0)), is: "fine" },
    { what: "its run is over, at the grace", run: over, now: 350, is: "fine" },
    { what: "its run is over, behind the grace", run: over, now: 350.001, is: "orphan" },
    { what: "its run was over before the task came", run: over, createdAt: at(100), now: 400, is: "fine" },
    { what: "its attempt is over, behind the grace", run: again, now: 400, is: "orphan" },
    { what: "another task is the attempt's, behind the grace", run: running, arn: other, now: 400, is: "orphan" },
    { what: "another task is the attempt's, at the grace", run: running, arn: other, now: 301, is: "fine" }
  ])("$what: $is", ({ arn = taskArn, createdAt = at(1), is, looked = whole, now = 120, run }) => {
    assert.strictEqual(findingOf(run, { attempt: 1, taskArn: arn, createdAt }, looked, millis(now)), is)
  })
})

describe("the task that must be there", () => {
  it.each([
    { what: "running", run: running, arn: taskArn },
    { what: "not told", run: aRun(ready(1)), arn: undefined },
    { what: "over", run: over, arn: undefined },
    { what: "to be launched again", run: again, arn: undefined },
    { what: "unknown", run: undefined, arn: undefined }
  ])("of a run that is $what", ({ arn, run }) => {
    assert.strictEqual(launchedOf(run)?.taskArn, arn)
  })
})

describe("a start that is gone", () => {
  const known = launchedOf(running) ?? assert.fail("it runs")
  const task = aTask({ times: { createdAt: at(2), startedAt: at(3) } })
  const order = aTaskdefReady({ runTimeoutSeconds: 60, taskStartTimeoutSeconds: 30 })

  it("is made again from the order, with its deadlines", () => {
    const fact = startedAgain(running, known, order, { task, runTimeoutSeconds: 1000 })
    assert.deepInclude(fact, {
      taskArn,
      clusterArn,
      containerName: "main",
      runTimeoutSeconds: 60,
      startDeadline: at(32)
    })
    const watched = watchedAgain(fact, known, undefined, undefined)
    assert.deepInclude(watched, { version: 3, lastStatus: "RUNNING" })
    assert.deepInclude(deadlineOf({ ...watched, startedAt: millis(3) }), { at: millis(63) })
  })

  it("is made again without the order, with the longest deadlines there are", () => {
    const fact = startedAgain(running, known, undefined, { task, runTimeoutSeconds: 1000 })
    assert.deepInclude(fact, { runTimeoutSeconds: 1000, startDeadline: at(1002) })
  })

  it("takes the only container for the program's, where nothing says which it is", () => {
    const unknown = { ...known, containerName: "unknown" }
    const one = startedAgain(running, unknown, undefined, { task, runTimeoutSeconds: 1 })
    assert.strictEqual(one.containerName, "main")
    const [container] = task.containers
    const two = {
      ...task,
      containers: [...task.containers, { ...container, name: "sidecar", exitCode: 0, reason: undefined }]
    }
    assert.strictEqual(
      startedAgain(running, unknown, undefined, { task: two, runTimeoutSeconds: 1 }).containerName,
      "unknown"
    )
  })

  it("has its cluster from the task's ARN, where nobody told it", () => {
    assert.strictEqual(clusterOf({ taskArn }), "batch")
    assert.strictEqual(clusterOf(known), clusterArn)
  })
})
