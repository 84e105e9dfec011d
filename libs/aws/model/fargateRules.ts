import type { ContainerDefinition, RegisterTaskDefinitionRequest } from "@aws-sdk/client-ecs"
import { cpuUnits, fargateCpusWindows, isFargateSize, memoryMiB } from "#ecs-core/FargateSizes.ts"
import { type AwsException, client, firstProblem } from "./AwsException.ts"

/** GiB that a task may ask for; without asking it has 20 (ECS developer guide). */
export const minEphemeralStorage = 21
export const maxEphemeralStorage = 200

export const isEphemeralStorage = (sizeInGiB: number | undefined): boolean =>
  sizeInGiB !== undefined &&
  Number.isInteger(sizeInGiB) &&
  sizeInGiB >= minEphemeralStorage &&
  sizeInGiB <= maxEphemeralStorage

export const ephemeralStorageText = `Invalid setting for ephemeral storage. Size must be between ${minEphemeralStorage} GiB and ${maxEphemeralStorage} GiB.`

/** Log drivers that Fargate has. */
const logDrivers = ["awslogs", "splunk", "awsfirelens"]

type Input = RegisterTaskDefinitionRequest

/** What keeps a definition from Fargate ("Amazon ECS task definition differences for Fargate"), or undefined. */
export const refuseForFargate = (input: Input): AwsException | undefined =>
  firstProblem([
    () => refuseTask(input),
    () => refusePlatform(input),
    ...(input.containerDefinitions ?? []).map((container) => () => refuseContainer(input, container))
  ])

/** AWS's answer to a pair that Fargate does not have. */
export const noFargateSize = (cpu: string, memory: string): AwsException =>
  client(`No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory.`)

const notSupported = (member: string): AwsException =>
  client(`Fargate compatible task definitions do not support ${member}`)

const refuseTask = (input: Input): AwsException | undefined => {
  const [cpu, memory] = [cpuUnits(input.cpu), memoryMiB(input.memory)]
  if (input.networkMode !== "awsvpc") return client("Fargate only supports network mode ‘awsvpc’.")
  if (cpu === undefined) return client("Fargate requires that 'cpu' be defined at the task level.")
  if (memory === undefined) return client("Fargate requires that 'memory' be defined at the task level.")
  if (!isFargateSize(cpu, memory)) return noFargateSize(String(cpu), String(memory))
  if ((input.placementConstraints ?? []).length > 0) return notSupported("constraints")
  if (input.ipcMode !== undefined) return notSupported("ipcMode")
  if (input.pidMode !== undefined && input.pidMode !== "task") return notSupported("pidMode host")
  if ((input.volumes ?? []).some(({ host }) => host?.sourcePath)) return notSupported("sourcePath")
  if ((input.volumes ?? []).some((volume) => volume.dockerVolumeConfiguration)) {
    return notSupported("dockerVolumeConfiguration")
  }
  return input.ephemeralStorage === undefined || isEphemeralStorage(input.ephemeralStorage.sizeInGiB)
    ? undefined
    : client(ephemeralStorageText)
}

const refusePlatform = (input: Input): AwsException | undefined => {
  const { operatingSystemFamily: system = "LINUX", cpuArchitecture = "X86_64" } = input.runtimePlatform ?? {}
  if (system === "LINUX") return undefined
  if (!system.startsWith("WINDOWS_SERVER_")) return client(`operatingSystemFamily ${system} is not known.`)
  if (cpuArchitecture !== "X86_64") return client("Windows tasks on Fargate need cpuArchitecture X86_64.")
  return fargateCpusWindows.includes(cpuUnits(input.cpu) ?? 0)
    ? undefined
    : noFargateSize(String(cpuUnits(input.cpu)), String(memoryMiB(input.memory)))
}

/** Members of a container that only an instance of one's own can give. */
const unsupported: ReadonlyArray<readonly [string, (container: ContainerDefinition) => boolean]> = [
  ["privileged", ({ privileged }) => privileged === true],
  ["links", ({ links }) => isGiven(links)],
  ["dnsServers", ({ dnsServers }) => isGiven(dnsServers)],
  ["dnsSearchDomains", ({ dnsSearchDomains }) => isGiven(dnsSearchDomains)],
  ["extraHosts", ({ extraHosts }) => isGiven(extraHosts)],
  ["dockerSecurityOptions", ({ dockerSecurityOptions }) => isGiven(dockerSecurityOptions)],
  ["disableNetworking", ({ disableNetworking }) => disableNetworking === true],
  ["devices", ({ linuxParameters }) => isGiven(linuxParameters?.devices)],
  ["tmpfs", ({ linuxParameters }) => isGiven(linuxParameters?.tmpfs)],
  ["sharedMemorySize", ({ linuxParameters }) => linuxParameters?.sharedMemorySize !== undefined],
  ["maxSwap", ({ linuxParameters }) => linuxParameters?.maxSwap !== undefined],
  ["swappiness", ({ linuxParameters }) => linuxParameters?.swappiness !== undefined]
]

const isGiven = (list: ReadonlyArray<unknown> | undefined): boolean => list !== undefined && list.length > 0

const refuseContainer = (input: Input, container: ContainerDefinition): AwsException | undefined => {
  const [name] = unsupported.find(([, has]) => has(container)) ?? []
  if (name !== undefined) return notSupported(name)
  if (container.resourceRequirements?.some(({ type }) => type === "GPU") === true) {
    return client("Tasks using the Fargate launch type do not support GPU resource requirements")
  }
  const logs = container.logConfiguration
  const driver = logs?.logDriver
  if (driver !== undefined && !logDrivers.includes(driver)) {
    return client(`${driver} is not a valid log driver. Must be one of [${logDrivers.join(", ")}]`)
  }
  if (driver !== "awslogs") return undefined
  if (!input.executionRoleArn) {
    return client("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
  }
  return logs?.options?.["awslogs-stream-prefix"]
    ? undefined
    : client("Log driver awslogs requires option: awslogs-stream-prefix on Fargate")
}
