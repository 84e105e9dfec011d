import { Option, Schema } from "effect"
import type { ContainerSpec } from "#aws/model/Runtime.ts"

/** What is asked of a Docker engine for a container of a task, and what its answers mean on ECS. */

/** What an engine can do, from `GET /info`. */
export const EngineInfo = Schema.fromJsonString(
  Schema.Struct({
    NCPU: Schema.Int,
    /** False where the kernel cannot bound a container's CPU. */
    CpuCfsQuota: Schema.Boolean
  })
)
export type EngineInfo = typeof EngineInfo.Type

/** Whose containers they are. */
export interface Ownership {
  /** The same for a local-aws and the one started after it. */
  readonly owner: string
  /** Of one process. */
  readonly instance: string
}

export const ownerLabel = "ecs-fleet.local-aws.owner"
export const instanceLabel = "ecs-fleet.local-aws.instance"

/** `docker ps --filter label=…` finds them; the last two are the ECS agent's own. */
export const labelsOf = (spec: ContainerSpec, { owner, instance }: Ownership): Record<string, string> => ({
  [ownerLabel]: owner,
  [instanceLabel]: instance,
  "com.amazonaws.ecs.task-arn": spec.taskArn,
  "com.amazonaws.ecs.container-name": spec.containerName
})

/** Docker's own names for `image` as `POST /images/create` wants it: a tag, or a digest in its place. */
export const splitReference = (image: string): { readonly name: string; readonly tag: string } => {
  const [, name = image, digest] = /^([^@]+)@(.+)$/.exec(image) ?? []
  const [, repository, tag] = /^(.+):([^/:]+)$/.exec(name) ?? []
  return { name: repository ?? name, tag: digest ?? tag ?? "latest" }
}

const nanosPerCpuUnit = 1e9 / 1024
const bytesPerMiB = 1024 * 1024

/** The body of `POST /containers/create`. A limit above what the machine has is the machine's. */
export const createBody = (spec: ContainerSpec, ownership: Ownership, network: string, engine: EngineInfo) => {
  const { entryPoint, limits = {} } = spec
  const { cpuUnits, memoryMiB, memoryReservationMiB, taskCpuUnits } = limits
  const command = spec.command.slice(entryPoint?.length ?? 0)
  const nanoCpus = Math.min(Math.round((taskCpuUnits ?? 0) * nanosPerCpuUnit), engine.NCPU * 1e9)
  const memory = (memoryMiB ?? 0) * bytesPerMiB
  return {
    Image: spec.image,
    ...(entryPoint === undefined ? {} : { Entrypoint: entryPoint }),
    ...(command.length === 0 ? {} : { Cmd: command }),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ...(spec.workingDirectory === undefined ? {} : { WorkingDir: spec.workingDirectory }),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: labelsOf(spec, ownership),
    // ECS knows the task definition's health check, and never the image's.
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      NetworkMode: network,
      ReadonlyRootfs: spec.hasReadonlyRootFilesystem === true,
      NanoCpus: engine.CpuCfsQuota ? nanoCpus : 0,
      CpuShares: cpuUnits ?? 0,
      Memory: memory,
      MemorySwap: memory,
      MemoryReservation: (memoryReservationMiB ?? 0) * bytesPerMiB,
      // Lines come by attaching: a second copy on the disk is nobody's.
      LogConfig: { Type: "none" }
    }
  }
}

const Progress = Schema.fromJsonString(Schema.Struct({ error: Schema.optionalKey(Schema.String) }))
const decodeProgress = Schema.decodeUnknownOption(Progress)

/** What went wrong with a pull that began well: the engine says it in one of the lines of its progress. */
export const pullError = (progress: string): string | undefined =>
  progress
    .split("\n")
    .map((line) => Option.getOrUndefined(decodeProgress(line))?.error)
    .find((error) => error !== undefined)

/** As the ECS agent words them. */
export const cannotPull = (reason: string): string => `CannotPullContainerError: ${reason}`
export const cannotCreate = (reason: string): string => `CannotCreateContainerError: ${reason}`
export const cannotStart = (reason: string): string => `CannotStartContainerError: ${reason}`

export const outOfMemory = "OutOfMemoryError: Container killed due to memory usage"

/** What the program wrote, and the rest of a frame that is not complete. */
export interface Frames {
  readonly frames: ReadonlyArray<{ readonly stream: number; readonly bytes: Buffer }>
  readonly rest: Buffer
}

const headerBytes = 8

/** Docker's multiplexed stream: a byte for stdout (1) or stderr (2), three of nothing, the length in four, the bytes. */
export const readFrames = (rest: Buffer, chunk: Buffer): Frames => {
  const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
  const frames: Array<Frames["frames"][number]> = []
  let at = 0
  while (all.length - at >= headerBytes) {
    const end = at + headerBytes + all.readUInt32BE(at + 4)
    if (end > all.length) break
    frames.push({ stream: all.readUInt8(at), bytes: all.subarray(at + headerBytes, end) })
    at = end
  }
  return { frames, rest: all.subarray(at) }
}
