import type {
  ContainerDefinition,
  ContainerDependency,
  ContainerOverride,
  HealthCheck,
  KeyValuePair,
  TaskDefinition,
  TaskOverride
} from "@aws-sdk/client-ecs"
import { cpuUnits, memoryMiB } from "#ecs-core/FargateSizes.ts"
import type { ContainerLimits, ContainerSpec, Dependency } from "./Runtime.ts"
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
    const task = { cpu: overrides?.cpu ?? definition.cpu, memory: overrides?.memory ?? definition.memory }
    return { ...containerSpec(container, override, key, taskArn), limits: limitsOf(container, override, task) }
  })

/** The task's sizes hold for each of its containers; together they may use more than the task has. */
const limitsOf = (
  container: ContainerDefinition,
  override: ContainerOverride | undefined,
  task: { readonly cpu: string | undefined; readonly memory: string | undefined }
): ContainerLimits => {
  const cpu = override?.cpu ?? container.cpu ?? 0
  const reservation = override?.memoryReservation ?? container.memoryReservation
  const memories = [override?.memory ?? container.memory, memoryMiB(task.memory)].filter((each) => each !== undefined)
  const taskCpu = cpuUnits(task.cpu)
  return {
    ...(taskCpu === undefined ? {} : { taskCpuUnits: taskCpu }),
    ...(cpu === 0 ? {} : { cpuUnits: cpu }),
    ...(memories.length === 0 ? {} : { memoryMiB: Math.min(...memories) }),
    ...(reservation === undefined ? {} : { memoryReservationMiB: reservation })
  }
}

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
    ...surroundings(container),
    ...ordering(container),
    ...healthCheckOf(container.healthCheck),
    ...(logs === undefined ? {} : { logs })
  }
}

const surroundings = ({ entryPoint = [], readonlyRootFilesystem, user, workingDirectory }: ContainerDefinition) => ({
  ...(entryPoint.length === 0 ? {} : { entryPoint }),
  ...(readonlyRootFilesystem === true ? { hasReadonlyRootFilesystem: true } : {}),
  ...(user === undefined ? {} : { user }),
  ...(workingDirectory === undefined ? {} : { workingDirectory })
})

const ordering = ({ dependsOn = [], startTimeout }: ContainerDefinition) => ({
  ...(dependsOn.length === 0 ? {} : { dependsOn: dependsOn.map(dependency) }),
  ...(startTimeout === undefined ? {} : { startTimeoutSeconds: startTimeout })
})

const dependency = ({ containerName = "", condition = "START" }: ContainerDependency): Dependency => ({
  containerName,
  condition
})

/** ECS's defaults; `NONE` switches off what the image has. */
const healthCheckOf = (check: HealthCheck | undefined): Pick<ContainerSpec, "healthCheck"> => {
  const [kind, ...rest] = check?.command ?? []
  if (check === undefined || kind === undefined || kind === "NONE") return {}
  const command = kind === "CMD-SHELL" ? ["/bin/sh", "-c", rest.join(" ")] : kind === "CMD" ? rest : [kind, ...rest]
  const { interval = 30, timeout = 5, retries = 3, startPeriod = 0 } = check
  const seconds = { intervalSeconds: interval, timeoutSeconds: timeout, startPeriodSeconds: startPeriod }
  return { healthCheck: { command, retries, ...seconds } }
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
