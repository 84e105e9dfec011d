import type { Problem } from "./errors.ts"
import type { Examined } from "./FargateProblems.ts"
import { cpuUnits, memoryMiB } from "./FargateSizes.ts"
import { fieldProblem } from "./FieldProblem.ts"
import { isJson, type Json, listOf, objectsOf, textOf } from "./Json.ts"

/** Limits of a task definition (ECS service quotas). */
export const CONTAINERS_MAX = 10
export const DEFINITION_BYTES_MAX = 65_536

/** What RegisterTaskDefinition refuses of any definition, whatever it is for. */
export const registrationProblems = (examined: Examined): ReadonlyArray<Problem> => [
  ...choiceProblems(examined),
  ...examined.containers.flatMap((container, index) => containerProblems(examined, container, index)),
  ...sumProblems(examined),
  ...countProblems(examined),
  ...bytesProblems(examined)
]

const NETWORK_MODES: ReadonlySet<unknown> = new Set(["awsvpc", "bridge", "host", "none", undefined])
const COMPATIBILITIES: ReadonlyArray<unknown> = ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]

const choiceProblems = ({ definition }: Examined): ReadonlyArray<Problem> => {
  const networkMode = definition["networkMode"]
  const unknown = listOf(definition["requiresCompatibilities"]).filter((each) => !COMPATIBILITIES.includes(each))
  return [
    ...(NETWORK_MODES.has(networkMode)
      ? []
      : [
          fieldProblem(
            "taskDefinition.networkMode",
            `ECS has no network mode '${String(networkMode)}'.`,
            "Use awsvpc, bridge, host or none."
          )
        ]),
    ...unknown.map((each) =>
      fieldProblem(
        "taskDefinition.requiresCompatibilities",
        `ECS has no compatibility '${String(each)}'.`,
        `Use ${COMPATIBILITIES.join(", ")}.`
      )
    )
  ]
}

const containerProblems = (examined: Examined, container: Json, index: number): ReadonlyArray<Problem> => {
  const path = `taskDefinition.containerDefinitions.${index}`
  const isOwn = container["name"] === examined.containerName
  return [
    ...nameProblems(examined, container, index),
    ...imageProblems(container, path, isOwn),
    ...memoryProblems(examined, container, path),
    ...secretProblems(examined, container),
    ...logGroupProblems(container, path),
    ...portProblems(examined, container, path)
  ]
}

const nameProblems = ({ containers }: Examined, container: Json, index: number): ReadonlyArray<Problem> => {
  const field = `taskDefinition.containerDefinitions.${index}.name`
  const name = textOf(container["name"])
  const rule = "Name it with 1 to 255 letters, digits, hyphens or underscores."
  if (name === undefined) return [fieldProblem(field, "A container has no name.", rule)]
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(name)) {
    return [fieldProblem(field, `'${name.slice(0, 80)}' cannot be the name of a container.`, rule)]
  }
  return containers.findIndex((each) => each["name"] === name) === index
    ? []
    : [fieldProblem(field, `Two containers are named '${name}'.`, "Rename one of them.")]
}

const imageProblems = (container: Json, path: string, isOwn: boolean): ReadonlyArray<Problem> => {
  if (textOf(container["image"]) !== undefined) return []
  const missing = `Container '${String(container["name"])}' has no image.`
  return isOwn
    ? [fieldProblem("image", missing, 'Add "image" to the request or to the pool.')]
    : [fieldProblem(`${path}.image`, missing, "Add its image.")]
}

const memoryProblems = (examined: Examined, container: Json, path: string): ReadonlyArray<Problem> => {
  const sizes = [examined.definition["memory"], container["memory"], container["memoryReservation"]]
  if (examined.isForFargate || sizes.some((size) => size !== undefined)) return []
  const message = `Container '${String(container["name"])}' has neither memory nor memoryReservation, and the task has no memory.`
  return [fieldProblem(`${path}.memory`, message, "Set one of them, in MiB.")]
}

const secretProblems = ({ definition }: Examined, container: Json): ReadonlyArray<Problem> => {
  if (listOf(container["secrets"]).length === 0 || textOf(definition["executionRoleArn"]) !== undefined) return []
  const message = `Container '${String(container["name"])}' has secrets, and ECS needs an execution role to fetch them.`
  return [fieldProblem("executionRoleArn", message, "Set executionRoleArn in the request or its pool.")]
}

const logGroupProblems = (container: Json, path: string): ReadonlyArray<Problem> => {
  const logs: Json = isJson(container["logConfiguration"]) ? container["logConfiguration"] : {}
  const options: Json = isJson(logs["options"]) ? logs["options"] : {}
  if (logs["logDriver"] !== "awslogs" || textOf(options["awslogs-group"]) !== undefined) return []
  const message = "The log driver awslogs needs the option awslogs-group."
  return [fieldProblem(`${path}.logConfiguration.options`, message, "Add awslogs-group.")]
}

/** With an ENI of its own, a task has no other ports than its containers'. */
const portProblems = ({ definition }: Examined, container: Json, path: string): ReadonlyArray<Problem> =>
  definition["networkMode"] !== "awsvpc"
    ? []
    : objectsOf(container["portMappings"]).flatMap(({ containerPort, hostPort }, index) => {
        if (!hostPort || hostPort === containerPort) return []
        const message = `With network mode 'awsvpc' the host port must be the container's ${String(containerPort)}, not ${String(hostPort)}.`
        return [fieldProblem(`${path}.portMappings.${index}.hostPort`, message, "Leave hostPort out.")]
      })

/** What the containers ask for must fit into the task; of memory the part that is reserved counts. */
const sumProblems = ({ job, definition, containers, at }: Examined): ReadonlyArray<Problem> =>
  [
    { size: "cpu" as const, read: cpuUnits, of: (container: Json) => container["cpu"] },
    {
      size: "memory" as const,
      read: memoryMiB,
      of: (container: Json) => container["memoryReservation"] ?? container["memory"]
    }
  ].flatMap(({ size, read, of }) => {
    const task = read(definition[size])
    const sum = containers.reduce((total, container) => total + (read(of(container)) ?? 0), 0)
    if (task === undefined || sum <= task) return []
    const field = job.taskDefinition[size] === undefined ? size : at(size)
    const message = `The containers ask for ${size} ${sum} together, the task has ${task}.`
    return [fieldProblem(field, message, `Raise ${field} to ${sum} or more, or lower that of the containers.`)]
  })

const countProblems = ({ containers }: Examined): ReadonlyArray<Problem> => {
  if (containers.length <= CONTAINERS_MAX) return []
  const message = `A task definition has at most ${CONTAINERS_MAX} containers, this one has ${containers.length}.`
  return [fieldProblem("taskDefinition.containerDefinitions", message, "Leave some out, or split the work over runs.")]
}

const bytesProblems = ({ definition }: Examined): ReadonlyArray<Problem> => {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...definition, tags: undefined })).length
  if (bytes <= DEFINITION_BYTES_MAX) return []
  const message = `The task definition is ${bytes} bytes of JSON; ECS takes at most ${DEFINITION_BYTES_MAX}.`
  return [fieldProblem("taskDefinition", message, "Move long values to environmentFiles in S3, or into the image.")]
}
