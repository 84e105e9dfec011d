import { Effect, Schema, SchemaIssue, SchemaTransformation } from "effect"
import type { InstanceGroup } from "#aws/model/instances.ts"

/** Instances of one group; each costs nothing, but a slip of the keyboard should not make a million. */
const countMax = 10_000

const form = /^([A-Za-z0-9_-]{1,255})(?::(EC2|EXTERNAL))?=(\d{1,5})x(\d{1,9})x(\d{1,9})(?:x(\d{1,3}))?$/

const parse = (text: string): InstanceGroup | undefined => {
  const match = form.exec(text.trim())
  if (match === null) return undefined
  const [, cluster = "", launchType = "EC2", count, cpu, memory, gpu = "0"] = match
  const group = { cluster, count: Number(count), cpu: Number(cpu), memory: Number(memory), gpu: Number(gpu) }
  const isWithin = group.count <= countMax && group.cpu > 0 && group.memory > 0
  return isWithin ? { ...group, launchType: launchType === "EXTERNAL" ? "EXTERNAL" : "EC2" } : undefined
}

const print = ({ cluster, launchType, count, cpu, memory, gpu }: InstanceGroup): string =>
  `${cluster}:${launchType}=${count}x${cpu}x${memory}x${gpu}`

const message = `must be CLUSTER=COUNTxCPUxMEMORY, e.g. default=2x4096x8192 (CPU units, MiB; at most ${countMax}), comma-separated, with xGPUS behind it for GPUs, and :EXTERNAL after the cluster for instances of one's own`

const isGroups = (value: unknown): value is ReadonlyArray<InstanceGroup> => Array.isArray(value)

/**
 * `default=2x4096x8192`: two container instances of 4096 CPU units and 8192 MiB; `gpus=1x4096x8192x2`: with two GPUs;
 * `default:EXTERNAL=1x4096x8192`: for launch type EXTERNAL. Any number of groups, comma-separated.
 */
export const InstanceGroupsFromText = Schema.String.pipe(
  Schema.decodeTo(
    Schema.declare(isGroups),
    SchemaTransformation.transformEffect({
      decode: (text: string) => {
        const groups = text.split(",").map(parse)
        const known = groups.filter((group) => group !== undefined)
        return known.length < groups.length
          ? Effect.fail(new SchemaIssue.InvalidValue({ message }))
          : Effect.succeed<ReadonlyArray<InstanceGroup>>(known)
      },
      encode: (groups: ReadonlyArray<InstanceGroup>) => Effect.succeed(groups.map(print).join(","))
    })
  )
)
