import { Clock, Effect } from "effect"
import { type Bulk, storeAll } from "#bench/bulk.ts"
import { bucketSubject } from "#bus/buckets.ts"
import { bytes } from "#bus/Message.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { type Run, RunCodec } from "#ecs-core/Run.ts"
import { startedBy } from "#ecs-core/RunTaskInput.ts"
import { BucketNames, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { defaults } from "#services/local-aws/config.ts"
import { maxLongRunning } from "#services/local-aws/longRunning.ts"
import { aRun } from "#test/support/builders.ts"
import { launchLongRunning, register } from "#test/support/LocalAws.ts"
import { changed, ready, requested, started } from "#test/support/messages.ts"

/**
 * Runs whose programs have been at work for a quarter of an hour, without a launch of each: their tasks are made in
 * local-aws, and what a launcher and a dispatcher would have left is stored: the fact `task.started`, the record, and the
 * key among the live runs.
 */

const region = "us-east-1"
const RUNNING_SECONDS = 900

export const runIdOf = (at: number): string => `held-${at}`

/** Makes `count` of them, each asked about every so many seconds as its request says; the ARNs of their tasks. */
export const holdRuns = (count: number, pollIntervalSeconds: number) =>
  Effect.gen(function* () {
    const { fleetId } = yield* setUpFleet(topologyDefaults)
    const taskDefinition = yield* register("held", ["simulate", "--seconds", "86400"])
    const at = instantOf((yield* Clock.currentTimeMillis) - RUNNING_SECONDS * 1000)
    const subnets = defaults.networks.flatMap(({ isDefault, subnetIds }) => (isDefault ? subnetIds : []))
    const networkConfiguration = { awsvpcConfiguration: { subnets: subnets.slice(0, 1) } }
    const runTask = { taskDefinition, launchType: "FARGATE" as const, networkConfiguration }
    const arns: Array<string> = []
    for (let from = 0; from < count; from += maxLongRunning) {
      const runIds = Array.from({ length: Math.min(maxLongRunning, count - from) }, (_, index) => runIdOf(from + index))
      const owners = runIds.map((runId) => startedBy(fleetId, runId, 1))
      const made = yield* launchLongRunning({ region, runTask, startedBy: owners, runningSeconds: RUNNING_SECONDS })
      const facts = runIds.map((runId, index) =>
        startedOf(runId, made[index] ?? "", { at, taskDefinitionArn: taskDefinition, pollIntervalSeconds })
      )
      yield* storeAll(facts.map(factOf))
      yield* storeAll(facts.map(recordOf))
      yield* storeAll(facts.map(liveKeyOf))
      arns.push(...made)
    }
    return arns
  })

const startedOf = (
  runId: string,
  taskArn: string,
  known: Pick<TaskStarted, "at" | "taskDefinitionArn" | "pollIntervalSeconds">
): TaskStarted =>
  started(0, {
    ...known,
    runId: runId as TaskStarted["runId"],
    target: { region },
    taskArn,
    clusterArn: taskArn.replace(/:task\/([^/]+)\/.*$/, ":cluster/$1"),
    logs: { sources: [] },
    startDeadline: known.at,
    runTimeoutSeconds: 86_400
  }).message

/** In the trace of its run, as every message is. */
const factOf = (fact: TaskStarted): Bulk => {
  const taskId = fact.taskArn.slice(-32)
  return {
    subject: Subjects.taskStarted(fact.runId, fact.attempt),
    data: bytes(Codecs.taskStarted.encode(fact)),
    headers: { traceparent: `00-${taskId}-${taskId.slice(-16)}-01` }
  }
}

const recordOf = (fact: TaskStarted): Bulk => ({
  subject: bucketSubject(BucketNames.runs, fact.runId),
  data: bytes(RunCodec.encode(runOf(fact))),
  headers: {}
})

/** As the dispatcher folds it. */
const runOf = (fact: TaskStarted): Run => {
  const { at, runId, target, taskArn, taskDefinitionArn } = fact
  const runTask = { cluster: fact.clusterArn, taskDefinition: taskDefinitionArn, overrides: { containerOverrides: [] } }
  return aRun(
    requested(0, { runId, at }),
    ready(0, { runId, at, target, runTask }),
    { kind: "task.started", message: fact },
    changed(0, "RUNNING", 4, { runId, at, taskArn, times: { createdAt: at, startedAt: at } })
  )
}

const liveKeyOf = ({ at, runId }: TaskStarted): Bulk => ({
  subject: bucketSubject(BucketNames.live, runId),
  data: bytes(JSON.stringify({ requestedAt: at })),
  headers: {}
})
