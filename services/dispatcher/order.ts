import type { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import { definitionProblems } from "#ecs-core/DefinitionProblems.ts"
import type { Problem } from "#ecs-core/errors.ts"
import type { Attempt, RunId } from "#ecs-core/Ids.ts"
import { type Instant, instantOf, millisOf } from "#ecs-core/Instant.ts"
import type { Job } from "#ecs-core/Job.ts"
import { isOfFargate } from "#ecs-core/LaunchOn.ts"
import { logPlan } from "#ecs-core/LogPlan.ts"
import type { DefinitionSource, TaskdefReady } from "#ecs-core/Messages.ts"
import { nearest } from "#ecs-core/Nearest.ts"
import { networkPlan } from "#ecs-core/Network.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import type { RetryPolicy } from "#ecs-core/RetryPolicy.ts"
import { overridesProblem, runTaskInput, withAttempt } from "#ecs-core/RunTaskInput.ts"
import { later } from "#ecs-core/Timeline.ts"
import type { Place } from "./register.ts"

/** A definition that a job can be launched with: prepared, or kept by somebody else and read back. */
export interface Launchable {
  readonly definition: object
  readonly containerName: string
  readonly place: Place
  /** Known where the cluster had to be asked. */
  readonly clusterHasDefaultStrategy?: boolean
  /** Known with it: that strategy names capacity providers of the account's own. */
  readonly clusterHasOwnProviders?: boolean
}

/** One attempt, as the record knows it. */
export interface DefinedAttempt {
  readonly runId: RunId
  readonly attempt: Attempt
  readonly at: Instant
  readonly taskDefinitionArn: string
  readonly source: DefinitionSource | undefined
  readonly notBefore?: Instant | undefined
  /** The policy that the run began with; absent = the job's. */
  readonly retry?: RetryPolicy | undefined
}

/** RunTask's input for an attempt. */
export const inputOf = (
  job: Job,
  attempt: Pick<DefinedAttempt, "runId" | "attempt" | "taskDefinitionArn">,
  { definition, containerName, clusterHasDefaultStrategy }: Launchable
) =>
  runTaskInput(job, {
    runId: attempt.runId,
    attempt: attempt.attempt,
    taskDefinitionArn: attempt.taskDefinitionArn,
    definition,
    containerName,
    ...(clusterHasDefaultStrategy === undefined ? {} : { clusterHasDefaultStrategy })
  })

/** The order to launch an attempt: all that RunTask will see, an inferred network aside. */
export const orderOf = (job: Job, attempt: DefinedAttempt, launchable: Launchable): TaskdefReady => {
  const { definition, containerName, place } = launchable
  const { runId, at, source, notBefore, retry } = attempt
  return {
    runId,
    attempt: attempt.attempt,
    at,
    target: place,
    runTask: inputOf(job, attempt, launchable),
    ...networkPlan(job, definition),
    ...(source === undefined ? {} : { definition: source }),
    containerName,
    logs: logPlan(job, definition, containerName, place.region),
    ...(notBefore === undefined ? {} : { notBefore }),
    launchDeadline: instantOf(millisOf(awaitedFrom(attempt)) + job.launchTimeoutSeconds * 1000),
    taskStartTimeoutSeconds: job.taskStartTimeoutSeconds,
    ...(waitsForInstances(job, launchable) ? { provisioningTimeoutSeconds: job.provisioningTimeoutSeconds } : {}),
    runTimeoutSeconds: job.runTimeoutSeconds,
    pollIntervalSeconds: job.pollIntervalSeconds,
    retry: retry ?? job.retry
  }
}

/** The next attempt as the one before was ordered: for a run whose request has left the inbox meanwhile. */
export const orderAfter = (
  previous: TaskdefReady,
  { at, attempt, notBefore }: Pick<DefinedAttempt, "at" | "attempt" | "notBefore">
): TaskdefReady => {
  const { notBefore: _earlier, ...kept } = previous
  const launchMillis = millisOf(previous.launchDeadline) - millisOf(awaitedFrom(previous))
  return {
    ...kept,
    attempt,
    at,
    runTask: withAttempt(previous.runTask, previous.runId, attempt),
    ...(notBefore === undefined ? {} : { notBefore }),
    launchDeadline: instantOf(millisOf(awaitedFrom({ at, notBefore })) + launchMillis)
  }
}

/** From when on an attempt has `launchTimeoutSeconds`. */
const awaitedFrom = ({ at, notBefore }: Pick<DefinedAttempt, "at" | "notBefore">): Instant => later(at, notBefore ?? at)

/** A strategy of the account's own providers decides: the task is PROVISIONING until one of them has an instance for it. */
const waitsForInstances = (job: Job, { clusterHasOwnProviders }: Launchable): boolean =>
  clusterHasOwnProviders === true ||
  (job.capacityProviderStrategy.length > 0 && !isOfFargate(job.capacityProviderStrategy))

/** The definition of a job that links none. */
export const preparedFor = (job: Job, place: Place) => ({ ...prepareTaskDefinition(job, place.region), place })

/** What is wrong with a launch, from the job and its definition alone. */
export const launchProblems = (
  job: Job,
  attempt: Pick<DefinedAttempt, "runId" | "attempt">,
  launchable: Launchable
): ReadonlyArray<Problem> => {
  const tooLarge = overridesProblem(inputOf(job, { ...attempt, taskDefinitionArn: "" }, launchable))
  return tooLarge === undefined ? [] : [tooLarge]
}

/** Everything that is wrong with a job before AWS is asked anything; of a linked definition nothing is known yet. */
export const problemsBeforeAws = (job: Job, runId: RunId, place: Place): ReadonlyArray<Problem> => {
  if (job.linkedDefinition !== undefined) return []
  const prepared = preparedFor(job, place)
  return [
    ...definitionProblems(job, prepared.definition, prepared.containerName),
    ...launchProblems(job, { runId, attempt: 1 }, prepared)
  ]
}

/** The pool names a set of credentials that nobody has told this dispatcher. */
export const credentialsProblem = (
  { credentials, pool }: Pick<Job, "credentials" | "pool">,
  sets: Pick<typeof CredentialSets.Service, "find" | "names">
): Problem | undefined => {
  if (credentials === undefined || sets.find(credentials) !== undefined) return undefined
  const meant = nearest(credentials, sets.names())
  return {
    code: "InvalidRequest",
    field: "pool",
    message: `Pool "${pool}" names the set of credentials "${credentials}", which the dispatcher does not know.${meant === undefined ? "" : ` Did you mean "${meant}"?`}`,
    advice: `Correct the pool, or add the set to the file that FLEET_AWS_CREDENTIALS_FILE names. Known are ${sets.names().join(", ")}. Then publish the request again under a new run id.`
  }
}
