import { Result } from "effect"
import type { Problem } from "./errors.ts"

/**
 * What Prefect calls the identifier of a run's infrastructure: `<cluster>::<task ARN>`, the cluster by name or ARN. Who
 * holds one, and no run id, can have the run cancelled whose task it is.
 */
export interface InfrastructureId {
  /** As given: a name or an ARN. */
  readonly cluster: string
  readonly taskArn: string
  /** Of the task. */
  readonly region: string
  /** The cluster in the task's ARN; old ARNs have none. */
  readonly taskCluster: string | undefined
}

/** A cluster's ARN and a task's together are far shorter. */
export const INFRASTRUCTURE_ID_MAX = 1000

const CLUSTER = /^(?:arn:aws[\w-]*:ecs:[a-z0-9-]+:\d{12}:cluster\/)?[A-Za-z0-9_-]{1,255}$/
const TASK = /^arn:aws[\w-]*:ecs:([a-z0-9-]+):\d{12}:task\/(?:([A-Za-z0-9_-]{1,255})\/)?[A-Za-z0-9-]+$/
const SEPARATOR = "::"

/** Splits at the first `::`. */
export const parseInfrastructureId = (given: string): Result.Result<InfrastructureId, Problem> => {
  const at = given.indexOf(SEPARATOR)
  if (at < 0) return Result.fail(invalid(given, "there is no `::` in it"))
  const [cluster, taskArn] = [given.slice(0, at), given.slice(at + SEPARATOR.length)]
  if (!CLUSTER.test(cluster)) return Result.fail(invalid(given, "what stands before the first `::` is no cluster"))
  const [, region, taskCluster] = TASK.exec(taskArn) ?? []
  return region === undefined
    ? Result.fail(invalid(given, "what stands behind the first `::` is no ARN of a task"))
    : Result.succeed({ cluster, taskArn, region, taskCluster })
}

const SHOWN_MAX = 200

const invalid = (given: string, why: string): Problem => ({
  code: "InfrastructureInvalid",
  field: "infrastructure",
  message: `Cannot stop ECS task: "${given.slice(0, SHOWN_MAX)}" is no infrastructure id: ${why}.`,
  advice: "Give `<cluster>::<task ARN>`, such as prod::arn:aws:ecs:eu-west-1:123456789012:task/prod/0f1e…"
})

/** The last part of an ARN, or the name itself. */
const nameOf = (cluster: string): string => cluster.slice(cluster.lastIndexOf("/") + 1)

/** Two ARNs have to be equal; a name equals every ARN that ends in it. */
const isSame = (one: string, other: string): boolean =>
  one.startsWith("arn:") && other.startsWith("arn:") ? one === other : nameOf(one) === nameOf(other)

/**
 * The identifier names another cluster than the one in which the task is: the one in its ARN, or, where it is known, the
 * one that ECS told at the launch.
 */
export const clusterProblem = (id: InfrastructureId, clusterArn?: string): Problem | undefined => {
  const actual = clusterArn ?? id.taskCluster
  if (actual === undefined || isSame(id.cluster, actual)) return undefined
  return {
    code: "InfrastructureNotAvailable",
    field: "infrastructure",
    message: `Cannot stop ECS task: the infrastructure id names cluster '${id.cluster}' but the task is running in cluster '${nameOf(actual)}'.`,
    advice: "Give the cluster of the task, or the run's id: `fleet stop <runId>`."
  }
}

/** The three ways of not being there. */
export const clusterUnknown = ({ cluster, region }: InfrastructureId): Problem => ({
  code: "ClusterNotFound",
  field: "infrastructure",
  message: `Cannot stop ECS task: the cluster '${cluster}' could not be found.`,
  advice: `Look for it in the region of the task: \`aws ecs list-clusters --region ${region}\`.`
})

export const clusterEmpty = ({ cluster }: InfrastructureId): Problem => ({
  code: "ClusterHasNoTasks",
  field: "infrastructure",
  message: `Cannot stop ECS task: the cluster '${cluster}' has no tasks.`,
  advice: "Nothing runs there, so that there is nothing to stop."
})

/** `runId`: the run that was named beside it, of which it is no task. */
export const taskUnknown = ({ cluster, taskArn }: InfrastructureId, runId?: string): Problem => ({
  code: "TaskNotFound",
  field: "infrastructure",
  message: `Cannot stop ECS task: the task '${taskArn}' could not be found in cluster '${cluster}'${runId === undefined ? "" : ` among those of run ${runId}`}.`,
  advice:
    runId === undefined
      ? "No run of this fleet had it within FLEET_STREAM_AGE_SECONDS, and tasks of others are not stopped: see `fleet ps --all`."
      : `Publish on run.cancel.@<reference> if the run is not known; \`fleet describe ${runId}\` shows this one's tasks.`
})
