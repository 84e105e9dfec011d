import type {
  ContainerDefinition,
  ContainerOverride,
  KeyValuePair,
  TaskDefinition,
  TaskOverride
} from "@aws-sdk/client-ecs"
import type { ContainerSpec } from "./Runtime.ts"
import type { TaskKey } from "./World.ts"

/** ECS's default (the agent's `ECS_CONTAINER_STOP_TIMEOUT`). */
export const defaultStopTimeoutSeconds = 30

/** What each container of a task will run: the definition with the overrides of RunTask on top. */
export const containerSpecs = (
  definition: TaskDefinition,
  overrides: TaskOverride | undefined,
  key: TaskKey,
  taskArn: string
): ReadonlyArray<ContainerSpec> =>
  (definition.containerDefinitions ?? []).map((container) => {
    const override = overrides?.containerOverrides?.find((each) => each.name === container.name)
    return containerSpec(container, override, key, taskArn)
  })

const containerSpec = (
  container: ContainerDefinition,
  override: ContainerOverride | undefined,
  key: TaskKey,
  taskArn: string
): ContainerSpec => {
  const logs = logLocation(container, key)
  return {
    taskArn,
    containerName: container.name ?? "",
    image: container.image ?? "",
    command: [...(container.entryPoint ?? []), ...(override?.command ?? container.command ?? [])],
    environment: { ...record(container.environment), ...record(override?.environment) },
    essential: container.essential ?? true,
    stopTimeoutSeconds: container.stopTimeout ?? defaultStopTimeoutSeconds,
    ...(logs === undefined ? {} : { logs })
  }
}

const record = (pairs: ReadonlyArray<KeyValuePair> | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries((pairs ?? []).flatMap(({ name, value }) => (name === undefined ? [] : [[name, value ?? ""]])))

/** `<prefix>/<container>/<task id>`; without a prefix the stream bears the container's own id. */
const logLocation = (container: ContainerDefinition, key: TaskKey): ContainerSpec["logs"] => {
  const logs = container.logConfiguration
  const group = logs?.options?.["awslogs-group"]
  if (logs?.logDriver !== "awslogs" || group === undefined) return undefined
  const prefix = logs.options?.["awslogs-stream-prefix"]
  return {
    region: logs.options?.["awslogs-region"] ?? key.region,
    group,
    stream: prefix === undefined ? `${key.id}-${container.name}` : `${prefix}/${container.name}/${key.id}`,
    createGroup: logs.options?.["awslogs-create-group"] === "true"
  }
}
