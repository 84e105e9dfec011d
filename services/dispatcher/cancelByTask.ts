import { Effect, Result } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { clusterProblem, type InfrastructureId } from "#ecs-core/InfrastructureId.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { type RecordUnreadable, readRun } from "#process/RunRecords.ts"
import { launchOf } from "#process/TaskLaunch.ts"
import type { Fleet } from "./Fleet.ts"
import { notOurs, reasonOf, ruleTaskCancel, type TaskCancel } from "./taskCancel.ts"

/**
 * A wish that names a task: find the run, wish the same of that, ack. Repeated after a crash it is wished twice, which
 * is once.
 */
export const cancelByTask = (
  fleet: Fleet,
  wish: TaskCancel
): Effect.Effect<Verdict, PublishError | RecordUnreadable | AwsFailure> =>
  Effect.gen(function* () {
    const started = yield* launchNamed(fleet, wish)
    const { run } = started === undefined ? { run: undefined } : yield* readRun(fleet.runs, started.runId)
    const ruling = ruleTaskCancel(wish, started, run)
    switch (ruling._tag) {
      case "Done":
        return Verdict.ack
      case "Refuse":
        return Verdict.dead(reasonOf(ruling.problem))
      case "Ask":
        return Verdict.dead(reasonOf(notOurs(ruling.id, yield* tasksIn(fleet, ruling.id))))
      case "Cancel": {
        const data = Codecs.runCancel.encode(ruling.message)
        yield* fleet.publisher.publish({ stream: Streams.fleet, subject: Subjects.runCancel(ruling.runId), data })
        return Verdict.ack
      }
    }
  })

/** Only a good identifier is worth the search. */
const launchNamed = (fleet: Fleet, { id }: TaskCancel) =>
  Result.isFailure(id) || clusterProblem(id.success) !== undefined
    ? Effect.undefined
    : launchOf(fleet.messages, id.success.taskArn)

/** Tasks that are pending or running in the cluster, by ECS; undefined = there is no such cluster. */
const tasksIn = (fleet: Fleet, { cluster, region }: InfrastructureId): Effect.Effect<number | undefined, AwsFailure> =>
  fleet.ecs.describeCluster({ region }, cluster).pipe(
    Effect.map(({ pendingTasksCount = 0, runningTasksCount = 0 }) => pendingTasksCount + runningTasksCount),
    Effect.catchIf(
      ({ code }) => code === "ClusterNotFound",
      () => Effect.undefined
    ),
    Effect.catchIf(
      ({ retry }) => retry === "never",
      ({ message }) =>
        Effect.as(Effect.logWarning("ECS does not say what is in a cluster", { cluster, why: message }), UNKNOWN)
    )
  )

/** The cluster may have tasks: what is certain is that this fleet did not launch the one asked for. */
const UNKNOWN = Number.POSITIVE_INFINITY
