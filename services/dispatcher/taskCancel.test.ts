import { assert, describe, it } from "@effect/vitest"
import type { RunCancel } from "#ecs-core/Messages.ts"
import { Subjects } from "#ecs-core/Subjects.ts"
import { aRun, aTaskStarted } from "#test/support/builders.ts"
import * as messages from "#test/support/messages.ts"
import { clusterArn, runId, taskArn } from "#test/support/messages.ts"
import { notOurs, readTaskCancel, ruleTaskCancel, type TaskRuling } from "./taskCancel.ts"

const infrastructure = `batch::${taskArn}`

const read = (body: unknown, subject = Subjects.taskCancel("mine")) =>
  readTaskCancel({ subject, text: JSON.stringify(body) })

const wish = (body: Partial<RunCancel> = {}, subject?: string) => {
  const found = read({ infrastructure, ...body }, subject)
  assert(found !== undefined)
  return found
}

const short = (ruling: TaskRuling): string => {
  if (ruling._tag === "Refuse") return `Refuse ${ruling.problem.code}`
  return ruling._tag === "Cancel" ? `Cancel ${ruling.runId}` : ruling._tag
}

describe("readTaskCancel", () => {
  it.each([
    { what: "by task", body: { infrastructure }, subject: Subjects.taskCancel("mine"), run: undefined },
    { what: "by task, no reference", body: { infrastructure }, subject: Subjects.taskCancel(""), run: undefined },
    { what: "by task and run", body: { infrastructure }, subject: Subjects.runCancel(runId), run: runId }
  ])("$what: of run $run", ({ body, run, subject }) => {
    assert.deepInclude(read(body, subject), { runId: run })
  })

  it.each([
    { what: "by run alone", body: {}, subject: Subjects.runCancel(runId) },
    { what: "unreadable", body: { infrastructure: 5 }, subject: Subjects.runCancel(runId) },
    { what: "too long", body: { infrastructure: "x".repeat(1001) }, subject: Subjects.runCancel(runId) }
  ])("$what: not a cancel by task", ({ body, subject }) => {
    assert.isUndefined(read(body, subject))
  })
})

describe("ruleTaskCancel", () => {
  const started = aTaskStarted()
  const first = aRun(messages.ready(1), messages.started(2))
  const told = aRun(messages.ready(1))
  const between = aRun(messages.ready(1), messages.started(2), messages.broken(3))
  const second = aRun(messages.ready(1), messages.started(2), messages.broken(3), messages.ready(4, { attempt: 2 }))
  const over = aRun(messages.ready(1), messages.started(2), messages.stopped(3))
  const runSubject = Subjects.runCancel(runId)
  const elsewhere = { ...started, clusterArn: clusterArn.replace("batch", "other") }

  it.each([
    { what: "the run's task", wish: wish(), started, run: first, expected: "Cancel nightly" },
    {
      what: "late: the record does not know the task yet",
      wish: wish(),
      started,
      run: told,
      expected: "Cancel nightly"
    },
    { what: "named with its run", wish: wish({}, runSubject), started, run: first, expected: "Cancel nightly" },
    { what: "between two attempts", wish: wish(), started, run: between, expected: "Cancel nightly" },
    { what: "the run goes on with another task", wish: wish(), started, run: second, expected: "Done" },
    { what: "late: the run is over", wish: wish(), started, run: over, expected: "Done" },
    { what: "late: the record is gone", wish: wish(), started, run: undefined, expected: "Done" },
    { what: "nobody's", wish: wish(), started: undefined, run: undefined, expected: "Ask" },
    {
      what: "another run's",
      wish: wish({}, Subjects.runCancel("weekly")),
      started,
      run: first,
      expected: "Refuse TaskNotFound"
    },
    {
      what: "said to be in another cluster",
      wish: wish({ infrastructure: `other::${taskArn}` }),
      started: undefined,
      run: undefined,
      expected: "Refuse InfrastructureNotAvailable"
    },
    {
      what: "launched in another cluster",
      wish: wish(),
      started: elsewhere,
      run: first,
      expected: "Refuse InfrastructureNotAvailable"
    },
    {
      what: "no task at all",
      wish: wish({ infrastructure: "batch" }),
      started: undefined,
      run: undefined,
      expected: "Refuse InfrastructureInvalid"
    }
  ])("$what: $expected", ({ expected, run, started, wish }) => {
    assert.strictEqual(short(ruleTaskCancel(wish, started, run)), expected)
  })

  it("passes reason and grace on, as the run's own wish", () => {
    const ruling = ruleTaskCancel(wish({ reason: "too slow", graceSeconds: 60 }), started, first)
    assert(ruling._tag === "Cancel")
    assert.deepStrictEqual(ruling.message, { reason: "too slow", graceSeconds: 60 })
  })
})

describe("notOurs", () => {
  it.each([
    { tasks: undefined, code: "ClusterNotFound", says: "the cluster 'batch' could not be found." },
    { tasks: 0, code: "ClusterHasNoTasks", says: "the cluster 'batch' has no tasks." },
    { tasks: 3, code: "TaskNotFound", says: `the task '${taskArn}' could not be found in cluster 'batch'.` }
  ])("$tasks tasks in the cluster: $code (peers 115)", ({ code, says, tasks }) => {
    const ruling = ruleTaskCancel(wish(), undefined, undefined)
    assert(ruling._tag === "Ask")
    const problem = notOurs(ruling.id, tasks)
    assert.deepStrictEqual([problem.code, problem.message], [code, `Cannot stop ECS task: ${says}`])
  })
})
