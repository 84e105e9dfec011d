import { CreateClusterCommand } from "@aws-sdk/client-ecs"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { deadLetterIn } from "#bus/DeadLetter.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { recordWhen, tasksOf, taskWhen } from "#test/support/follow.ts"
import { calls, ecsClient, layerTest as localAws, register, runTask } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { finished, firstOn, request, stored } from "#test/support/runs.ts"

/** Stopping by what Prefect calls an infrastructure id, through the whole fleet. */

const job = { image: "local/shell", command: ["sleep", "60"] }

const cancelByTask = (reference: string, body: Readonly<Record<string, unknown>>) =>
  Publisher.use((publisher) =>
    publisher.publish({ stream: Streams.fleet, subject: Subjects.taskCancel(reference), data: JSON.stringify(body) })
  )

/** The run of this request, and its running task. */
const running = Effect.gen(function* () {
  const runId = yield* request(job)
  yield* taskWhen(runId, "RUNNING")
  const [task] = yield* tasksOf(runId)
  assert(task !== undefined)
  return { runId, task }
})

/** Why the wish under this reference was refused. */
const refusal = (reference: string) =>
  Effect.map(firstOn(Streams.dead, Subjects.dead("dispatcher", `@${reference}`)), (message) => {
    const [code = "", said = ""] = deadLetterIn(message)?.reason.split(": Cannot stop ECS task: ") ?? []
    return { code, said }
  })

layer(layerFleetWith(natsServer, localAws()), { excludeTestServices: true })("a cancel that names a task", (it) => {
  it.effect(
    "stops it, with the reason, and the run ends as cancelled; again, when it has stopped: success (peers 113, 116, 118)",
    () =>
      Effect.gen(function* () {
        const { runId, task } = yield* running
        const infrastructure = `default::${task.taskArn}`
        yield* cancelByTask("first", { infrastructure, reason: "not wanted", graceSeconds: 60 })
        assert.deepInclude(yield* finished(runId), { outcome: "cancelled" })
        const [stopped] = yield* Effect.repeat(tasksOf(runId), {
          until: ([each]) => each?.lastStatus === "STOPPED"
        })
        assert.strictEqual(stopped?.stoppedReason, "fleet:cancelled: not wanted")
        const { notices } = yield* recordWhen(runId, ({ state }) => state === "cancelled")
        assert.lengthOf(
          notices.filter((notice) => notice.includes("graceSeconds 60")),
          1
        )
        yield* cancelByTask("second", { infrastructure })
        yield* cancelByTask("third", { infrastructure: "nothing" })
        yield* refusal("third")
        assert.lengthOf(yield* stored(Streams.dead, Subjects.dead("dispatcher", "@second")), 0)
        assert.lengthOf(yield* stored(Streams.fleet, Subjects.runFinished(runId)), 1)
      })
  )

  it.effect(
    "five errors, each distinct, and no StopTask: another fleet's task runs on (peers 113-115, scenario 46)",
    () =>
      Effect.gen(function* () {
        const { runId, task } = yield* running
        const client = yield* ecsClient
        yield* Effect.promise(() => client.send(new CreateClusterCommand({ clusterName: "empty" })))
        const { tasks = [] } = yield* runTask(yield* register("theirs", ["sleep", "60"]))
        const theirs = tasks[0]?.taskArn
        const inCluster = (cluster: string) => (task.taskArn ?? "").replace("/default/", `/${cluster}/`)
        const stopsBefore = (yield* calls).calls["StopTask"] ?? 0
        const wishes = {
          malformed: "default",
          elsewhere: `empty::${task.taskArn}`,
          nowhere: `nowhere::${inCluster("nowhere")}`,
          empty: `empty::${inCluster("empty")}`,
          theirs: `default::${theirs}`
        }
        yield* Effect.forEach(Object.entries(wishes), ([reference, infrastructure]) =>
          cancelByTask(reference, { infrastructure })
        )
        const told = yield* Effect.forEach(Object.keys(wishes), refusal)
        assert.deepStrictEqual(
          told.map(({ code }) => code),
          [
            "InfrastructureInvalid",
            "InfrastructureNotAvailable",
            "ClusterNotFound",
            "ClusterHasNoTasks",
            "TaskNotFound"
          ]
        )
        for (const [at, says] of [
          "no infrastructure id",
          "cluster 'empty' but",
          "'nowhere' could not be found",
          "'empty' has no tasks",
          `'${theirs}' could not be found`
        ].entries()) {
          assert.include(told[at]?.said, says)
        }
        assert.strictEqual((yield* calls).calls["StopTask"] ?? 0, stopsBefore)
        yield* cancelByTask("last", { infrastructure: `default::${task.taskArn}` })
        yield* finished(runId)
      })
  )

  it.effect("on the subject of another run: refused, because permissions hang on subjects", () =>
    Effect.gen(function* () {
      const { runId, task } = yield* running
      const infrastructure = `default::${task.taskArn}`
      const on = (subject: string) =>
        Publisher.use((publisher) =>
          publisher.publish({ stream: Streams.fleet, subject, data: JSON.stringify({ infrastructure }) })
        )
      yield* on(Subjects.runCancel("mine-alone"))
      const letter = yield* firstOn(Streams.dead, Subjects.dead("dispatcher", "mine-alone"))
      assert.include(deadLetterIn(letter)?.reason, "TaskNotFound: ")
      yield* on(Subjects.runCancel(runId))
      assert.deepInclude(yield* finished(runId), { outcome: "cancelled" })
    })
  )
})
