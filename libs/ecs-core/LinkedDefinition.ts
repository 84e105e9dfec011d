import { definitionProblems } from "./DefinitionProblems.ts"
import type { Problem } from "./errors.ts"
import type { Job } from "./Job.ts"
import { textOf } from "./Json.ts"
import { orchestrationContainer } from "./PrepareDefinition.ts"

export interface LinkedDefinition {
  /** As ECS reads it back: it is never changed, registered again or deregistered (peers 2, 52). */
  readonly definition: object
  readonly containerName: string
  readonly problems: ReadonlyArray<Problem>
  /** What the job says and a definition kept elsewhere cannot take, in words for the user. */
  readonly notices: ReadonlyArray<string>
}

/**
 * A definition that somebody else keeps, as a job may launch it. `readBack` is DescribeTaskDefinition's answer; its
 * container is looked for again in it (peers 23).
 */
export const linkDefinition = (job: Job, readBack: object): LinkedDefinition => {
  const containerName = orchestrationContainer(readBack, job.containerName)
  const ignored = ignoredFields(job)
  return {
    definition: readBack,
    containerName,
    problems: [...inactive(job, readBack), ...definitionProblems(job, readBack, containerName)],
    notices:
      ignored.length === 0
        ? []
        : [
            `Task definition ${job.linkedDefinition ?? ""} is used as it is, so that these have no effect: ${ignored.join(", ")}.`
          ]
  }
}

const inactive = (job: Job, readBack: object): ReadonlyArray<Problem> => {
  const status = textOf(Reflect.get(readBack, "status")) ?? "ACTIVE"
  if (status === "ACTIVE") return []
  return [
    {
      code: "TaskDefinitionInactive",
      field: "taskDefinitionArn",
      message: `Task definition ${job.linkedDefinition ?? ""} is ${status}: ECS starts no new task of it.`,
      advice: "Link an ACTIVE revision, or name the family alone, which is its latest ACTIVE revision."
    }
  ]
}

/** Everything that would have to change the definition (peers 2); sizes, roles and GPUs become overrides instead. */
const ignoredFields = (job: Job): ReadonlyArray<string> => {
  const { logs } = job
  const fields: ReadonlyArray<readonly [name: string, isSaid: boolean]> = [
    ["image", job.image !== undefined],
    ["secrets", Object.keys(job.secrets).length > 0],
    ["runtimePlatform", Object.keys(job.runtimePlatform ?? {}).length > 0],
    ["family", job.family !== undefined],
    ["configureCloudwatchLogs", logs.configure !== undefined && logs.configure !== logs.stream],
    ["cloudwatchLogsOptions", Object.keys(logs.options).length > 0],
    ["cloudwatchLogsPrefix", logs.prefix !== undefined],
    ["autoDeregisterTaskDefinition", job.autoDeregisterTaskDefinition],
    ["matchLatestRevisionInFamily", job.matchLatestRevisionInFamily]
  ]
  return [
    ...fields.flatMap(([name, isSaid]) => (isSaid ? [name] : [])),
    ...job.unsetEnv.map((name) => `env.${name} (null)`),
    ...Object.keys(job.taskDefinition).map((member) => `taskDefinition.${member}`)
  ]
}
