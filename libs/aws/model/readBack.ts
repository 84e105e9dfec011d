import type * as Sdk from "@aws-sdk/client-ecs"
import { cpuUnits, memoryMiB } from "#ecs-core/FargateSizes.ts"
import { refuseForFargate } from "./fargateRules.ts"

/**
 * A task definition as AWS gives it back. AWS adds its defaults, writes sizes as numbers, and does not keep the order of
 * lists that are sets to it: here these come back in falling order, so that what was sent in order never is.
 */
export const readBack = (
  input: Definition,
  registered: {
    readonly taskDefinitionArn: string
    readonly revision: number
    readonly registeredAt: Date
    readonly registeredBy: string
  }
): Sdk.TaskDefinition =>
  withoutNulls({
    ...input,
    ...registered,
    cpu: sizeText(input.cpu, cpuUnits),
    memory: sizeText(input.memory, memoryMiB),
    containerDefinitions: (input.containerDefinitions ?? []).map((each) => readBackContainer(each, input.networkMode)),
    volumes: (input.volumes ?? []).map((volume) => (Object.keys(volume).length > 1 ? volume : { ...volume, host: {} })),
    placementConstraints: input.placementConstraints ?? [],
    status: "ACTIVE",
    requiresAttributes: requiresAttributes(input),
    compatibilities: compatibilities(input),
    enableFaultInjection: input.enableFaultInjection ?? false
  })

export type Definition = Omit<Sdk.RegisterTaskDefinitionRequest, "tags">

/** `1 vCPU` and `3 GB` become CPU units and MiB. */
const sizeText = (text: string | undefined, read: (text: unknown) => number | undefined): string | undefined => {
  const size = read(text)
  return size === undefined ? text : String(size)
}

const readBackContainer = (
  container: Sdk.ContainerDefinition,
  networkMode: Sdk.NetworkMode | undefined
): Sdk.ContainerDefinition =>
  withoutNulls({
    ...container,
    cpu: container.cpu ?? 0,
    essential: container.essential ?? true,
    environment: falling(container.environment ?? [], ({ name = "" }) => name),
    ...(container.secrets === undefined ? {} : { secrets: falling(container.secrets, ({ name = "" }) => name) }),
    mountPoints: container.mountPoints ?? [],
    volumesFrom: container.volumesFrom ?? [],
    systemControls: container.systemControls ?? [],
    portMappings: falling(
      (container.portMappings ?? []).map((port) => readBackPort(port, networkMode)),
      ({ containerPort = 0 }) => containerPort
    )
  })

const readBackPort = (port: Sdk.PortMapping, networkMode: Sdk.NetworkMode | undefined): Sdk.PortMapping => ({
  ...port,
  hostPort: port.hostPort ?? (networkMode === "awsvpc" || networkMode === "host" ? port.containerPort : 0),
  protocol: port.protocol ?? ("tcp" as const)
})

const falling = <A>(list: ReadonlyArray<A>, by: (item: A) => string | number): Array<A> =>
  list.toSorted((a, b) => (by(a) < by(b) ? 1 : by(a) > by(b) ? -1 : 0))

const withoutNulls = <A extends object>(value: A): A => {
  const kept = { ...value }
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined || member === null) Reflect.deleteProperty(kept, key)
  }
  return kept
}

/** Where the definition can run, whatever it requires: ECS tries each launch type's rules on it. */
const compatibilities = (input: Definition): Array<Sdk.Compatibility> => [
  ...(input.ephemeralStorage === undefined ? ["EC2" as const] : []),
  ...(refuseForFargate(input) === undefined ? ["FARGATE" as const] : []),
  ...(input.networkMode === "awsvpc" ? [] : ["EXTERNAL" as const]),
  ...(input.networkMode === "awsvpc" || input.networkMode === "host" ? ["MANAGED_INSTANCES" as const] : [])
]

/** What an instance's agent must be able to do; the names that AWS's documentation shows. */
const requiresAttributes = (input: Definition): Array<Sdk.Attribute> => {
  const containers = input.containerDefinitions ?? []
  const role = input.networkMode === "host" ? "task-iam-role-network-host" : "task-iam-role"
  const names = [
    "com.amazonaws.ecs.capability.docker-remote-api.1.18",
    ...(input.networkMode === "awsvpc" ? ["ecs.capability.task-eni"] : []),
    ...(input.taskRoleArn === undefined ? [] : [`com.amazonaws.ecs.capability.${role}`]),
    ...containers.flatMap(({ logConfiguration, image = "", privileged, secrets = [] }) => [
      ...(logConfiguration?.logDriver === undefined
        ? []
        : [`com.amazonaws.ecs.capability.logging-driver.${logConfiguration.logDriver}`]),
      ...(image.includes(".dkr.ecr.") ? ["com.amazonaws.ecs.capability.ecr-auth"] : []),
      ...(privileged === true ? ["com.amazonaws.ecs.capability.privileged-container"] : []),
      ...(secrets.length > 0 ? ["ecs.capability.secrets.asm.environment-variables"] : [])
    ])
  ]
  return [...new Set(names)].map((name) => ({ name }))
}
