import type { ContainerDefinition, ContainerDependency } from "@aws-sdk/client-ecs"
import { type AwsException, client, firstProblem } from "./AwsException.ts"

const conditions = ["START", "COMPLETE", "SUCCESS", "HEALTHY"]

type Containers = ReadonlyArray<ContainerDefinition>

/** What AWS refuses about the order of containers. Only the text about essential containers is known to be AWS's own. */
export const refuseDependencies = (containers: Containers): AwsException | undefined =>
  firstProblem([
    ...containers.flatMap(({ name = "", dependsOn = [] }) =>
      dependsOn.map((dependency) => () => refuseDependency(containers, name, dependency))
    ),
    () => refuseCycle(containers)
  ])

const refuseDependency = (
  containers: Containers,
  name: string,
  { containerName = "", condition }: ContainerDependency
): AwsException | undefined => {
  if (condition === undefined || !conditions.includes(condition)) {
    return client(`Container dependency condition should be one of [${conditions.join(",")}], not ${condition}.`)
  }
  const needed = containers.find((container) => container.name === containerName)
  if (needed === undefined) {
    return client(`Container '${name}' depends on container '${containerName}', which the task definition lacks.`)
  }
  if ((condition === "SUCCESS" || condition === "COMPLETE") && needed.essential !== false) {
    return client("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")
  }
  return condition === "HEALTHY" && needed.healthCheck === undefined
    ? client(`Container '${name}' waits for container '${containerName}' to be HEALTHY, which has no health check.`)
    : undefined
}

/** Takes away containers whose needs are all taken away, until none is left; those in a cycle never are. */
const refuseCycle = (containers: Containers): AwsException | undefined => {
  let left = containers
  while (left.length > 0) {
    const names = new Set(left.map(({ name }) => name))
    const waiting = left.filter(({ dependsOn = [] }) => dependsOn.some(({ containerName }) => names.has(containerName)))
    if (waiting.length === left.length) {
      return client(`The container dependencies of [${waiting.map(({ name }) => name).join(",")}] are circular.`)
    }
    left = waiting
  }
  return undefined
}
