import type { Problem } from "./errors.ts"
import {
  cpuUnits,
  fargateCpus,
  fargateCpusWindows,
  fargateMemories,
  isFargateSize,
  memoryMiB,
  neighbours
} from "./FargateSizes.ts"
import { fieldProblem } from "./FieldProblem.ts"
import type { Job } from "./Job.ts"
import { isJson, type Json, listOf, objectsOf, textOf } from "./Json.ts"
import { runsOnFargate } from "./LaunchOn.ts"

/** A definition with all that its checks look at. */
export interface Examined {
  readonly job: Job
  readonly definition: Json
  readonly containers: ReadonlyArray<Json>
  readonly containerName: string
  readonly isLinked: boolean
  /** It runs on Fargate, or asks ECS to be registered as if it would. */
  readonly isForFargate: boolean
  /** RunTask's own, as the free run request has them. */
  readonly overrides: Json
  /** The field that a path of the definition is set by. */
  readonly at: (path: string) => string
}

/** What Fargate cannot do, and what only Fargate can (ECS developer guide, task definition differences for Fargate). */
export const fargateProblems = (examined: Examined): ReadonlyArray<Problem> => [
  ...storageProblems(examined),
  ...platformProblems(examined),
  ...(examined.isForFargate ? sizeProblems(examined) : []),
  ...(examined.isForFargate ? gpuProblems(examined) : []),
  ...(runsOnFargate(examined.job, examined.definition) ? placementProblems(examined) : []),
  ...(examined.isForFargate && !examined.isLinked ? memberProblems(examined) : []),
  ...(examined.isForFargate && !examined.isLinked ? logProblems(examined) : [])
]

type Size = "cpu" | "memory"

/** The size that counts, and the field that says it: an override at launch beats the definition. */
const sizeOf = ({ job, definition, overrides, isLinked, at }: Examined, size: Size) => {
  if (overrides[size] !== undefined) return { value: overrides[size], field: `taskRunRequest.overrides.${size}` }
  if (isLinked && job[size] !== undefined) return { value: job[size], field: size }
  const isFree = isLinked || job.taskDefinition[size] !== undefined
  return { value: definition[size], field: isFree ? at(size) : size }
}

const isWindows = (definition: Json): boolean => platformOf(definition).os.startsWith("WINDOWS")

const platformOf = (definition: Json) => {
  const platform = isJson(definition["runtimePlatform"]) ? definition["runtimePlatform"] : {}
  return {
    os: textOf(platform["operatingSystemFamily"]) ?? "LINUX",
    architecture: textOf(platform["cpuArchitecture"]) ?? "X86_64"
  }
}

const sizeProblems = (examined: Examined): ReadonlyArray<Problem> => {
  const [cpu, memory] = [sizeOf(examined, "cpu"), sizeOf(examined, "memory")]
  if (cpu.value === undefined || memory.value === undefined) return []
  const [units, mib] = [cpuUnits(cpu.value), memoryMiB(memory.value)]
  const windows = isWindows(examined.definition)
  const allowed = windows ? fargateCpusWindows : fargateCpus
  if (units === undefined || !allowed.includes(units)) {
    const found = `Fargate${windows ? " for Windows" : ""} has no cpu of ${String(cpu.value)}.`
    const advice = `Set ${cpu.field} to ${nearest(allowed, units)} CPU units; it has ${allowed.join(", ")}.`
    return [fieldProblem(cpu.field, found, advice)]
  }
  if (mib !== undefined && isFargateSize(units, mib)) return []
  const memories = fargateMemories(units)
  const found = `No Fargate configuration exists for given values: ${units} CPU, ${String(memory.value)} memory.`
  const range = `with cpu ${units} it has ${memories[0]} to ${memories.at(-1)}`
  const advice = `Set ${memory.field} to ${nearest(memories, mib)} MiB (${range}), or change cpu.`
  return [fieldProblem(memory.field, found, advice)]
}

const nearest = (allowed: ReadonlyArray<number>, wanted: number | undefined): string =>
  (wanted === undefined ? allowed : neighbours(allowed, wanted)).join(" or ")

/** GiB that Fargate can be asked for; it gives 20 by itself (EphemeralStorage). */
const STORAGE_MIN = 21
const STORAGE_MAX = 200

const storageProblems = (examined: Examined): ReadonlyArray<Problem> => {
  const { job, definition, overrides, isLinked, isForFargate, at } = examined
  const ofJob = isLinked && job.ephemeralStorageGiB !== undefined ? { sizeInGiB: job.ephemeralStorageGiB } : undefined
  const storage = overrides["ephemeralStorage"] ?? ofJob ?? definition["ephemeralStorage"]
  if (!isJson(storage)) return []
  const isFree = job.taskDefinition["ephemeralStorage"] !== undefined
  const inDefinition = isFree ? at("ephemeralStorage.sizeInGiB") : "ephemeralStorageGiB"
  const field = overrides["ephemeralStorage"] === undefined ? inDefinition : "taskRunRequest.overrides.ephemeralStorage"
  const size = Number(storage["sizeInGiB"])
  if (!isForFargate) {
    return [fieldProblem(field, "Ephemeral storage can be sized on Fargate only.", "Remove it, or launch on Fargate.")]
  }
  if (isWindows(definition)) {
    return [fieldProblem(field, "Fargate for Windows has no ephemeral storage to size.", "Remove it.")]
  }
  if (size >= STORAGE_MIN && size <= STORAGE_MAX) return []
  const message = `Fargate has ephemeral storage of ${STORAGE_MIN} to ${STORAGE_MAX} GiB, not ${String(storage["sizeInGiB"])}.`
  return [fieldProblem(field, message, `Set it to ${STORAGE_MIN} to ${STORAGE_MAX}, or leave it out for 20.`)]
}

const platformProblems = ({ job, definition, isLinked, at }: Examined): ReadonlyArray<Problem> => {
  const { os, architecture } = platformOf(definition)
  if (isLinked || architecture === "X86_64" || os === "LINUX") return []
  const field = isJson(job.taskDefinition["runtimePlatform"]) ? at("runtimePlatform") : "runtimePlatform"
  const message = `${architecture} runs Linux only, not ${os}.`
  return [fieldProblem(field, message, "Set cpuArchitecture to X86_64, or operatingSystemFamily to LINUX.")]
}

const gpuProblems = ({ job, containers, overrides, at }: Examined): ReadonlyArray<Problem> => {
  const asksGpu = (container: Json) => objectsOf(container["resourceRequirements"]).some(({ type }) => type === "GPU")
  const problem = (field: string) =>
    fieldProblem(field, "Fargate has no GPUs.", 'Remove it, or set launchType to "EC2".')
  if (job.gpu !== undefined) return [problem("gpu")]
  return [
    ...containers.flatMap((container, index) =>
      asksGpu(container) ? [problem(at(`containerDefinitions.${index}.resourceRequirements`))] : []
    ),
    ...objectsOf(overrides["containerOverrides"]).flatMap((override, index) =>
      asksGpu(override) ? [problem(`taskRunRequest.overrides.containerOverrides.${index}.resourceRequirements`)] : []
    )
  ]
}

const placementProblems = ({ job, definition, at }: Examined): ReadonlyArray<Problem> => {
  const said: ReadonlyArray<readonly [field: string, value: unknown]> = [
    ["placementConstraints", job.placementConstraints],
    ["placementStrategy", job.placementStrategy],
    ["taskRunRequest.placementConstraints", job.taskRunRequest["placementConstraints"]],
    ["taskRunRequest.placementStrategy", job.taskRunRequest["placementStrategy"]],
    [at("placementConstraints"), definition["placementConstraints"]]
  ]
  return said.flatMap(([field, value]) =>
    listOf(value).length === 0
      ? []
      : [fieldProblem(field, "Fargate takes no placement: it has no instances to choose from.", "Remove it.")]
  )
}

/** Members that Fargate refuses; only a value that asks for something counts. */
const CONTAINER_MEMBERS = [
  "privileged",
  "links",
  "dnsServers",
  "dnsSearchDomains",
  "extraHosts",
  "dockerSecurityOptions",
  "disableNetworking"
]
const LINUX_PARAMETERS = ["devices", "tmpfs", "sharedMemorySize", "maxSwap", "swappiness"]
const LOG_DRIVERS = ["awslogs", "splunk", "awsfirelens"]
/** Seconds between SIGTERM and SIGKILL. */
const STOP_TIMEOUT_SECONDS_MAX = 120

const memberProblems = ({ definition, containers, at }: Examined): ReadonlyArray<Problem> => [
  ...asked(definition, ["ipcMode"]).map((member) => notOnFargate(at(member), member)),
  ...((textOf(definition["pidMode"]) ?? "task") === "task" ? [] : [notOnFargate(at("pidMode"), "pidMode host")]),
  ...objectsOf(definition["volumes"]).flatMap(({ host, dockerVolumeConfiguration }, index) => [
    ...asked(isJson(host) ? host : {}, ["sourcePath"]).map((member) =>
      notOnFargate(at(`volumes.${index}.host`), member)
    ),
    ...asked({ dockerVolumeConfiguration }, ["dockerVolumeConfiguration"]).map((member) =>
      notOnFargate(at(`volumes.${index}`), member)
    )
  ]),
  ...containers.flatMap((container, index) => {
    const path = (member: string) => at(`containerDefinitions.${index}.${member}`)
    const linux = isJson(container["linuxParameters"]) ? container["linuxParameters"] : {}
    const driver = isJson(container["logConfiguration"]) ? container["logConfiguration"]["logDriver"] : undefined
    return [
      ...asked(container, CONTAINER_MEMBERS).map((member) => notOnFargate(path(member), member)),
      ...asked(linux, LINUX_PARAMETERS).map((member) => notOnFargate(path(`linuxParameters.${member}`), member)),
      ...(driver === undefined || LOG_DRIVERS.includes(String(driver))
        ? []
        : [driverProblem(path("logConfiguration.logDriver"), String(driver))]),
      ...(Number(container["stopTimeout"] ?? 0) <= STOP_TIMEOUT_SECONDS_MAX ? [] : [stopProblem(path("stopTimeout"))])
    ]
  })
]

const asked = (value: Json, members: ReadonlyArray<string>): ReadonlyArray<string> =>
  members.filter((member) => {
    const said = value[member]
    return said !== undefined && said !== false && !(Array.isArray(said) && said.length === 0)
  })

const notOnFargate = (field: string, member: string): Problem =>
  fieldProblem(field, `Fargate does not support ${member}.`, 'Remove it, or set launchType to "EC2".')

const driverProblem = (field: string, driver: string): Problem =>
  fieldProblem(field, `Fargate has no log driver ${driver}.`, `Use one of ${LOG_DRIVERS.join(", ")}.`)

const stopProblem = (field: string): Problem =>
  fieldProblem(
    field,
    `Fargate waits at most ${STOP_TIMEOUT_SECONDS_MAX} seconds for a container to stop.`,
    `Lower it to ${STOP_TIMEOUT_SECONDS_MAX}.`
  )

/** Fargate itself writes the logs, with the execution role, and names the streams. */
const logProblems = ({ definition, containers, at }: Examined): ReadonlyArray<Problem> =>
  containers.flatMap(({ logConfiguration }, index) => {
    if (!isJson(logConfiguration) || logConfiguration["logDriver"] !== "awslogs") return []
    const options: Json = isJson(logConfiguration["options"]) ? logConfiguration["options"] : {}
    const field = at(`containerDefinitions.${index}.logConfiguration.options`)
    const hasRole = textOf(definition["executionRoleArn"]) !== undefined
    const message = "Fargate needs an execution role for the log driver awslogs."
    return [
      ...(hasRole
        ? []
        : [fieldProblem("executionRoleArn", message, "Set executionRoleArn in the request or its pool.")]),
      ...["awslogs-region", "awslogs-stream-prefix"].flatMap((name) =>
        textOf(options[name]) === undefined
          ? [fieldProblem(field, `On Fargate the log driver awslogs needs the option ${name}.`, `Add ${name}.`)]
          : []
      )
    ]
  })
