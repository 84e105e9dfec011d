import type { ContainerDefinition, RegisterTaskDefinitionRequest } from "@aws-sdk/client-ecs"
import type { AwsException } from "./AwsException.ts"

/** Limits of a task definition (AWS service quotas). */
export const maxContainers = 10
export const maxDefinitionBytes = 65_536

/** What AWS would refuse in a registration: the first problem found, or undefined. */
export const refuseDefinition = (input: RegisterTaskDefinitionRequest): AwsException | undefined =>
  firstProblem([
    () => refuseFamily(input.family),
    () => refuseContainers(input.containerDefinitions ?? []),
    () => refuseSize(input),
    () => (needsFargate(input) ? refuseForFargate(input) : refuseForEc2(input))
  ])

export const firstProblem = (checks: ReadonlyArray<() => AwsException | undefined>): AwsException | undefined => {
  for (const check of checks) {
    const problem = check()
    if (problem !== undefined) return problem
  }
  return undefined
}

/** `1 vCPU` and `3 GB` become CPU units and MiB, as AWS does at registration; anything else stays. */
export const normaliseCpu = (cpu: string | undefined): string | undefined => scaled(cpu, /^([\d.]+)\s*vcpu$/i)
export const normaliseMemory = (memory: string | undefined): string | undefined => scaled(memory, /^([\d.]+)\s*gb$/i)

const scaled = (text: string | undefined, unit: RegExp): string | undefined => {
  const match = unit.exec(text ?? "")
  return match === null ? text : String(Math.round(Number(match[1]) * 1024))
}

const range = (first: number, last: number, step: number): ReadonlyArray<number> =>
  Array.from({ length: (last - first) / step + 1 }, (_, index) => first + index * step)

/** CPU units -> the MiB that Fargate offers with them. */
const fargateSizes: Readonly<Record<string, ReadonlyArray<number>>> = {
  "256": [512, 1024, 2048],
  "512": range(1024, 4096, 1024),
  "1024": range(2048, 8192, 1024),
  "2048": range(4096, 16_384, 1024),
  "4096": range(8192, 30_720, 1024),
  "8192": range(16_384, 61_440, 4096),
  "16384": range(32_768, 122_880, 8192),
  "32768": [61_440, 122_880, 249_856]
}

/** Whether Fargate runs this pair of CPU units and MiB. */
export const isFargateSize = (cpu: string, memory: string): boolean =>
  fargateSizes[cpu]?.includes(Number(memory)) === true

const client = (message: string): AwsException => ({ __type: "ClientException", message })

const refuseFamily = (family: string | undefined): AwsException | undefined => {
  if (family === undefined || family === "") return client("Family should not be null or empty.")
  if (family.length > 255) return client("Family should not be longer than 255 characters.")
  return /^[\w-]+$/.test(family) ? undefined : client("Family contains invalid characters.")
}

const refuseContainers = (containers: ReadonlyArray<ContainerDefinition>): AwsException | undefined => {
  if (containers.length === 0) return client("Container list cannot be empty.")
  if (containers.length > maxContainers)
    return client(`Container list cannot have more than ${maxContainers} containers.`)
  const names = containers.map((container) => container.name)
  if (new Set(names).size < names.length) return client("Container names must be unique.")
  if (containers.every((container) => container.essential === false)) {
    return client("A task definition must have at least one essential container.")
  }
  return firstProblem(containers.map((container) => () => refuseContainer(container)))
}

const refuseContainer = (container: ContainerDefinition): AwsException | undefined => {
  const { name, image, logConfiguration: logs } = container
  if (name === undefined || name === "") return client("Container.name should not be null or empty.")
  if (!/^[\w-]{1,255}$/.test(name)) return client("Container.name contains invalid characters.")
  if (image === undefined || image === "") return client("Container.image should not be null or empty.")
  if (logs?.logDriver === "awslogs" && !logs.options?.["awslogs-group"]) {
    return client("Log driver awslogs requires options: awslogs-group")
  }
  return undefined
}

const refuseSize = (input: RegisterTaskDefinitionRequest): AwsException | undefined => {
  const length = Buffer.byteLength(JSON.stringify({ ...input, tags: undefined }))
  return length > maxDefinitionBytes
    ? client(`Actual length: '${length}'. Max allowed length is '${maxDefinitionBytes}' bytes.`)
    : undefined
}

const needsFargate = (input: RegisterTaskDefinitionRequest) =>
  input.requiresCompatibilities?.includes("FARGATE") === true

const refuseForFargate = (input: RegisterTaskDefinitionRequest): AwsException | undefined => {
  const [cpu, memory] = [normaliseCpu(input.cpu), normaliseMemory(input.memory)]
  if (input.networkMode !== "awsvpc") return client("Fargate only supports network mode ‘awsvpc’.")
  if (cpu === undefined) return client("Fargate requires that 'cpu' be defined at the task level.")
  if (memory === undefined) return client("Fargate requires that 'memory' be defined at the task level.")
  if (!isFargateSize(cpu, memory)) {
    return client(`No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory.`)
  }
  return firstProblem((input.containerDefinitions ?? []).map((container) => () => refuseOnFargate(input, container)))
}

const refuseOnFargate = (
  input: RegisterTaskDefinitionRequest,
  container: ContainerDefinition
): AwsException | undefined => {
  const logs = container.logConfiguration
  if (container.privileged === true) return client("Fargate tasks do not support privileged containers.")
  if (logs?.logDriver !== "awslogs") return undefined
  if (input.executionRoleArn === undefined) {
    return client("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
  }
  return logs.options?.["awslogs-stream-prefix"]
    ? undefined
    : client("Log driver awslogs requires option: awslogs-stream-prefix on Fargate")
}

const refuseForEc2 = (input: RegisterTaskDefinitionRequest): AwsException | undefined => {
  const bare = input.containerDefinitions?.find(
    (container) =>
      input.memory === undefined && container.memory === undefined && container.memoryReservation === undefined
  )
  return bare === undefined
    ? undefined
    : client(
        `Invalid setting for container '${bare.name}'. At least one of 'memory' or 'memoryReservation' must be specified.`
      )
}
