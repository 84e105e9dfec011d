import { Result } from "effect"
import type { Problem } from "#ecs-core/errors.ts"
import type { RunId } from "#ecs-core/Ids.ts"
import {
  clusterEmpty,
  clusterProblem,
  clusterUnknown,
  type InfrastructureId,
  parseInfrastructureId,
  taskUnknown
} from "#ecs-core/InfrastructureId.ts"
import { Codecs, type RunCancel, type TaskStarted } from "#ecs-core/Messages.ts"
import { currentAttempt, isFinal, type Run } from "#ecs-core/Run.ts"
import { isTaskCancel, parseSubject } from "#ecs-core/Subjects.ts"
import type { Stored } from "./decide.ts"

/**
 * A cancel that names a task, and perhaps no run. It becomes the ordinary cancel of the run whose last task that is, so
 * that every phase and every promise hold; a task that no run of this fleet had is nobody's to stop here. On
 * `run.cancel.<runId>` the task must be that run's, because permissions hang on subjects; on `run.cancel.@<reference>`
 * any run's will do.
 */
export interface TaskCancel {
  readonly id: Result.Result<InfrastructureId, Problem>
  /** The subject names this run; undefined = it names none. */
  readonly runId: string | undefined
  readonly message: RunCancel
}

/** The wish in a message of `run.cancel.*`; undefined = it names no task, or cannot be read. */
export const readTaskCancel = ({ subject, text }: Pick<Stored, "subject" | "text">): TaskCancel | undefined => {
  const parsed = parseSubject(subject)
  const message = Result.getOrElse(Codecs.runCancel.decode(text), () => undefined)
  if (parsed?.kind !== "run.cancel" || message?.infrastructure === undefined) return undefined
  const runId = isTaskCancel(parsed.runId) ? undefined : parsed.runId
  return { id: parseInfrastructureId(message.infrastructure), runId, message }
}

export type TaskRuling =
  | { readonly _tag: "Refuse"; readonly problem: Problem }
  /** No run of this fleet had such a task: what ECS knows of the cluster tells which error it is. */
  | { readonly _tag: "Ask"; readonly id: InfrastructureId }
  /** The run is over, or goes on with another task: this one has stopped, and stopping it again is no error. */
  | { readonly _tag: "Done" }
  /** The wish as the run's own. */
  | { readonly _tag: "Cancel"; readonly runId: RunId; readonly message: RunCancel }

/** What becomes of the wish; `started` = the launch of that task, `run` = the record of its run. */
export const ruleTaskCancel = (
  { id, message, runId }: TaskCancel,
  started: TaskStarted | undefined,
  run: Run | undefined
): TaskRuling => {
  if (Result.isFailure(id)) return { _tag: "Refuse", problem: id.failure }
  const problem = clusterProblem(id.success, started?.clusterArn)
  if (problem !== undefined) return { _tag: "Refuse", problem }
  if (started === undefined) return { _tag: "Ask", id: id.success }
  if (runId !== undefined && started.runId !== runId) {
    return { _tag: "Refuse", problem: taskUnknown(id.success, runId) }
  }
  const isLast = run !== undefined && !isFinal(run) && (currentAttempt(run)?.attempt ?? 0) <= started.attempt
  const { infrastructure: _task, ...ownMessage } = message
  return isLast ? { _tag: "Cancel", runId: started.runId, message: ownMessage } : { _tag: "Done" }
}

/** The error for a task that this fleet did not launch; `tasks` = those in the cluster, undefined = no such cluster. */
export const notOurs = (id: InfrastructureId, tasks: number | undefined): Problem => {
  if (tasks === undefined) return clusterUnknown(id)
  return tasks === 0 ? clusterEmpty(id) : taskUnknown(id)
}

/** Why the wish is dead, as its dead letter tells it: the code first. */
export const reasonOf = ({ advice, code, message }: Problem): string => `${code}: ${message} ${advice}`
