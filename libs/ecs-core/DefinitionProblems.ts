import type { Problem } from "./errors.ts"
import { type Examined, fargateProblems } from "./FargateProblems.ts"
import { fieldProblem } from "./FieldProblem.ts"
import type { Job } from "./Job.ts"
import { isJson, type Json, listOf, objectsOf, textOf } from "./Json.ts"
import { type Compatibility, runsOnFargate } from "./LaunchOn.ts"
import { DEFAULT_CONTAINER } from "./Pool.ts"
import { containersOf } from "./PrepareDefinition.ts"
import { registrationProblems } from "./RegistrationProblems.ts"

/**
 * What is wrong with launching a definition, prepared from the job or read back of a linked one: all of it at once, before
 * anything is registered or launched (peers 9, 13–19). What ECS checked when a linked one was registered is not repeated.
 */
export const definitionProblems = (job: Job, definition: object, containerName: string): ReadonlyArray<Problem> => {
  const examined = examine(job, definition, containerName)
  return [
    ...containerNameProblems(examined),
    ...essentialProblems(examined),
    ...launchTypeProblems(examined),
    ...logRoleProblems(examined),
    ...overrideNameProblems(examined),
    ...(examined.isLinked ? [] : registrationProblems(examined)),
    ...fargateProblems(examined)
  ]
}

const examine = (job: Job, definition: object, containerName: string): Examined => {
  const isLinked = job.linkedDefinition !== undefined
  const whole: Json = { ...definition }
  const overrides = job.taskRunRequest["overrides"]
  const requiresFargate = listOf(whole["requiresCompatibilities"]).includes("FARGATE")
  return {
    job,
    definition: whole,
    containers: containersOf(whole),
    containerName,
    isLinked,
    isForFargate: runsOnFargate(job, whole) || (!isLinked && requiresFargate),
    overrides: isJson(overrides) ? overrides : {},
    at: (path) => (isLinked ? "taskDefinitionArn" : `taskDefinition.${path}`)
  }
}

/** `main` is added to a prepared definition that lacks it; any other name has to be there (peers 19). */
const containerNameProblems = ({ job, containers, containerName, isLinked }: Examined): ReadonlyArray<Problem> => {
  if (containers.some(({ name }) => name === containerName)) return []
  if (containerName === DEFAULT_CONTAINER && !isLinked) return []
  const names = containers.flatMap(({ name }) => textOf(name) ?? []).join(", ")
  const message = `Container '${containerName}' not found in task definition.`
  const field = job.containerName === undefined && isLinked ? "taskDefinitionArn" : "containerName"
  return [fieldProblem(field, message, `Set containerName to one that it has: ${names}.`)]
}

const essentialProblems = ({ containers, at }: Examined): ReadonlyArray<Problem> =>
  containers.every(({ essential }) => essential === false)
    ? [
        fieldProblem(
          at("containerDefinitions"),
          "At least one container in the task definition must be marked as essential.",
          'Set "essential" of the container that runs the program to true, or leave it out.'
        )
      ]
    : []

/** Whether ECS lets a definition run so: as required at its registration, else as ECS itself found (peers 14, 18). */
const offers = (definition: Json, wanted: Compatibility): boolean => {
  const lists = [definition["requiresCompatibilities"], definition["compatibilities"]].map(listOf)
  return lists.find((list) => list.length > 0)?.includes(wanted) ?? true
}

/** With a capacity strategy ECS itself finds out what fits (peers 16). */
const launchTypeProblems = (examined: Examined): ReadonlyArray<Problem> => {
  const { launchType, capacityProviderStrategy: strategy } = examined.job
  const needs = "Use either the 'EC2' launch type or the 'awsvpc' network mode."
  if (launchType === "FARGATE_SPOT" || (launchType === "FARGATE" && strategy.length === 0)) {
    return [
      ...compatibilityProblems(examined, "FARGATE", launchType),
      ...(isAwsvpc(examined) ? [] : [networkModeProblem(examined, launchType, needs)])
    ]
  }
  return [
    ...(launchType === "EXTERNAL" ? externalProblems(examined) : []),
    ...(examined.isForFargate && !examined.isLinked && !isAwsvpc(examined)
      ? [networkModeProblem(examined, "FARGATE", "Use 'awsvpc', or leave FARGATE out of requiresCompatibilities.")]
      : [])
  ]
}

const isAwsvpc = ({ definition }: Examined): boolean => (textOf(definition["networkMode"]) ?? "awsvpc") === "awsvpc"

/** Instances of one's own cannot be given an ENI (peers 14). */
const externalProblems = (examined: Examined): ReadonlyArray<Problem> => {
  const hasEni = textOf(examined.definition["networkMode"]) === "awsvpc"
  return [
    ...compatibilityProblems(examined, "EXTERNAL", "EXTERNAL"),
    ...(hasEni ? [networkModeProblem(examined, "EXTERNAL", "Use 'bridge', 'host' or 'none'.")] : [])
  ]
}

const compatibilityProblems = (
  { definition, at }: Examined,
  wanted: Compatibility,
  launchType: string
): ReadonlyArray<Problem> => {
  if (offers(definition, wanted)) return []
  const required = listOf(definition["requiresCompatibilities"])
  const found = required.length > 0 ? required : listOf(definition["compatibilities"])
  return [
    fieldProblem(
      at("requiresCompatibilities"),
      `Task definition does not have '${wanted}' in 'requiresCompatibilities' and cannot be used with launch type '${launchType}'.`,
      `Set launchType to one that it has: ${found.join(", ")}.`
    )
  ]
}

const networkModeProblem = ({ definition, at }: Examined, launchType: string, advice: string): Problem =>
  fieldProblem(
    at("networkMode"),
    `Found network mode '${String(definition["networkMode"])}' which is not compatible with launch type '${launchType}'.`,
    advice
  )

/** A linked definition may be lent a role at launch; one that is registered has to have its own (peers 9). */
const logRoleProblems = ({ job, definition, isLinked, overrides }: Examined): ReadonlyArray<Problem> => {
  const lent = isLinked ? (textOf(overrides["executionRoleArn"]) ?? job.executionRoleArn) : undefined
  const role = textOf(definition["executionRoleArn"]) ?? lent
  if (job.logs.configure !== true || role !== undefined) return []
  return [
    fieldProblem(
      "executionRoleArn",
      "An `executionRoleArn` must be set on the task definition to use `configureCloudwatchLogs`, but it has none.",
      "Set executionRoleArn, or set configureCloudwatchLogs to false."
    )
  ]
}

/** An override has to name a container of the definition; the first may leave it out (peers 65). */
const overrideNameProblems = ({ containers, containerName, overrides }: Examined): ReadonlyArray<Problem> =>
  objectsOf(overrides["containerOverrides"]).flatMap((override, index) => {
    const name = textOf(override["name"])
    const field = `taskRunRequest.overrides.containerOverrides.${index}.name`
    if (name === undefined) {
      const message = 'Container "name" must be provided in "containerOverrides".'
      return index === 0 ? [] : [fieldProblem(field, message, "Name the container that this override is for.")]
    }
    if (name === containerName || containers.some((container) => container["name"] === name)) return []
    const names = containers.flatMap((container) => textOf(container["name"]) ?? []).join(", ")
    return [fieldProblem(field, `No such container found by container name: ${name}.`, `Name one of ${names}.`)]
  })
