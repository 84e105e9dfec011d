import { hash } from "node:crypto"
import type { ContainerInstance, Resource, TaskDefinition, TaskOverride } from "@aws-sdk/client-ecs"
import { cpuUnits, memoryMiB } from "#ecs-core/FargateSizes.ts"

/** What a container instance has and a task needs. */
export interface Resources {
  /** CPU units; 1024 = one vCPU. */
  readonly cpu: number
  /** MiB. */
  readonly memory: number
  readonly gpu: number
}

/** Equal container instances that a cluster has from the moment it exists. */
export interface InstanceGroup extends Resources {
  readonly cluster: string
  readonly launchType: "EC2" | "EXTERNAL"
  readonly count: number
}

/** A container instance of a cluster; `free` and `groups` are changed in place. */
export interface InstanceRecord {
  readonly arn: string
  readonly launchType: "EC2" | "EXTERNAL"
  readonly total: Resources
  free: Resources
  /** What placement constraints ask for, e.g. `ecs.os-type`. */
  readonly attributes: Readonly<Record<string, string>>
  /** How many tasks of each task group run here. */
  readonly groups: Map<string, number>
}

/** The instances of a cluster that its groups ask for. `arnOf` makes an ARN of `container-instance/<cluster>/<id>`. */
export const makeInstances = (
  groups: ReadonlyArray<InstanceGroup>,
  cluster: string,
  region: string,
  arnOf: (resource: string) => string
): Map<string, InstanceRecord> => {
  const instances = groups
    .filter((group) => group.cluster === cluster)
    .flatMap((group) => Array.from({ length: group.count }, () => group))
    .map((group, index) => {
      const id = hash("sha256", `${region}/${cluster}/${index}`, "hex").slice(0, 32)
      return makeInstance(group, group.launchType, arnOf(`container-instance/${cluster}/${id}`), region, index)
    })
  return new Map(instances.map((instance) => [instance.arn, instance]))
}

export const makeInstance = (
  total: Resources,
  launchType: "EC2" | "EXTERNAL",
  arn: string,
  region: string,
  index: number
): InstanceRecord => ({
  arn,
  launchType,
  total: { cpu: total.cpu, memory: total.memory, gpu: total.gpu },
  free: { cpu: total.cpu, memory: total.memory, gpu: total.gpu },
  attributes: {
    "ecs.os-type": "linux",
    "ecs.os-family": "LINUX",
    "ecs.cpu-architecture": "x86_64",
    ...(launchType === "EC2"
      ? { "ecs.availability-zone": `${region}${String.fromCodePoint(97 + (index % 3))}` }
      : { "ecs.capability.external": "true" })
  },
  groups: new Map()
})

/**
 * What a task takes of a container instance: its task sizes, else the sums of its containers (of memory the reservation,
 * where there is one); overrides win.
 */
export const needsOf = (definition: TaskDefinition, overrides: TaskOverride | undefined): Resources => {
  const containers = (definition.containerDefinitions ?? []).map((container) => {
    const override = overrides?.containerOverrides?.find(({ name }) => name === container.name)
    const gpus = override?.resourceRequirements ?? container.resourceRequirements ?? []
    return {
      cpu: override?.cpu ?? container.cpu ?? 0,
      memory: override?.memoryReservation ?? container.memoryReservation ?? override?.memory ?? container.memory ?? 0,
      gpu: gpus.filter(({ type }) => type === "GPU").reduce((sum, { value }) => sum + Number(value), 0)
    }
  })
  const sum = (name: keyof Resources) => containers.reduce((total, container) => total + container[name], 0)
  return {
    cpu: cpuUnits(overrides?.cpu ?? definition.cpu) ?? sum("cpu"),
    memory: memoryMiB(overrides?.memory ?? definition.memory) ?? sum("memory"),
    gpu: sum("gpu")
  }
}

export const takeRoom = (instance: InstanceRecord, needs: Resources, group: string): void => {
  instance.free = {
    cpu: instance.free.cpu - needs.cpu,
    memory: instance.free.memory - needs.memory,
    gpu: instance.free.gpu - needs.gpu
  }
  instance.groups.set(group, (instance.groups.get(group) ?? 0) + 1)
}

export const giveBackRoom = (instance: InstanceRecord, needs: Resources, group: string): void => {
  instance.free = {
    cpu: instance.free.cpu + needs.cpu,
    memory: instance.free.memory + needs.memory,
    gpu: instance.free.gpu + needs.gpu
  }
  const left = (instance.groups.get(group) ?? 1) - 1
  if (left === 0) instance.groups.delete(group)
  else instance.groups.set(group, left)
}

/** As DescribeContainerInstances shows it. */
export const describeInstance = (instance: InstanceRecord): ContainerInstance => ({
  containerInstanceArn: instance.arn,
  status: "ACTIVE",
  agentConnected: true,
  version: 1,
  registeredResources: resources(instance.total),
  remainingResources: resources(instance.free),
  runningTasksCount: [...instance.groups.values()].reduce((sum, count) => sum + count, 0),
  pendingTasksCount: 0,
  attributes: Object.entries(instance.attributes).map(([name, value]) => ({ name, value })),
  attachments: [],
  tags: []
})

const resources = ({ cpu, memory, gpu }: Resources): Array<Resource> => [
  { name: "CPU", type: "INTEGER", integerValue: cpu },
  { name: "MEMORY", type: "INTEGER", integerValue: memory },
  { name: "PORTS", type: "STRINGSET", stringSetValue: [] },
  {
    name: "GPU",
    type: "STRINGSET",
    stringSetValue: Array.from({ length: gpu }, (_, index) => `gpu${index}`)
  }
]
