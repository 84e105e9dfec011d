import type { Cluster, RunTaskRequest, RunTaskResponse, Tag, Task, TaskDefinition } from "@aws-sdk/client-ecs"
import { DueQueue } from "./DueQueue.ts"
import { maxStaleVersions, type StopFault } from "./Fault.ts"
import { FaultBook } from "./FaultBook.ts"
import { type InstanceGroup, type InstanceRecord, makeInstances } from "./instances.ts"
import { type LogStore, makeLogStore } from "./LogStore.ts"
import type { Placing } from "./placement.ts"
import type { ContainerSpec } from "./Runtime.ts"

/**
 * The state of the model. The maps are changed in place, because thousands of tasks a second must not copy them; what
 * they hold (tasks, definitions) are values that are replaced, never changed. Nothing here reads a clock or makes an id:
 * the functions of the model get `now` (epoch milliseconds) as an argument and ids from `newId`.
 */
export interface World {
  readonly options: EcsModelOptions
  readonly regions: Map<string, Region>
  /** Every timed change of every region. */
  readonly due: DueQueue<DueThing>
  /** What goes wrong with the next calls. */
  readonly faults: FaultBook
  sequence: number
}

export interface EcsModelOptions {
  readonly timeScale: TimeScale
  readonly accountId: string
  /** Stopped tasks, and the client tokens that started them, are forgotten after this long. AWS: at least an hour. */
  readonly stoppedTaskSeconds: number
  /** A task is `MISSING` in DescribeTasks and absent in ListTasks for this long after RunTask (eventual consistency). */
  readonly missingAfterRunSeconds: number
  /**
   * Log lines can be read at the latest so long after they were written: a batch, what a container writes within five
   * seconds, so long after its first line. AWS: 5 s of the log driver, and some seconds more.
   */
  readonly logDelaySeconds: number
  /** Log events kept over all streams of a region; the oldest streams are emptied first. */
  readonly maxLogEvents: number
  /** The same for the characters of their texts. */
  readonly maxLogCharacters: number
  /** Clusters that exist from the start, in every region, with the providers FARGATE and FARGATE_SPOT. */
  readonly clusters: ReadonlyArray<string>
  /** Container instances that a cluster has from the moment it exists; other clusters have none. */
  readonly containerInstances: ReadonlyArray<InstanceGroup>
  /** What chance decides about faults follows from this number and the order of the calls. */
  readonly faultSeed: number
  /** The networks of every region; at most one is the default VPC. */
  readonly networks: ReadonlyArray<ModelNetwork>
  /** 32 lower-case hexadecimal digits. */
  readonly newId: () => string
  /** Told of every launch and replay of one, answered or not, and of every task that STOPPED or is lost. */
  readonly onLaunch: (region: string, input: RunTaskRequest, answer: RunTaskResponse) => void
  readonly onEnd: (taskArn: string, now: number) => void
}

/** How long a task stays in each state: no time, about 50 ms each, or as on Fargate (about 20 s to start). */
export type TimeScale = "instant" | "dev" | "fargate"

export interface ModelNetwork {
  readonly vpcId: string
  readonly isDefault: boolean
  readonly subnetIds: ReadonlyArray<string>
  readonly securityGroupId: string
}

export type DueThing =
  | { readonly _tag: "Task"; readonly key: TaskKey }
  | { readonly _tag: "Vanishing"; readonly key: TaskKey }
  | { readonly _tag: "Token"; readonly region: string; readonly cluster: string; readonly token: string }

export interface TaskKey {
  readonly region: string
  readonly cluster: string
  readonly id: string
}

export interface Region {
  readonly name: string
  readonly clusters: Map<string, ClusterRecord>
  readonly families: Map<string, Array<DefinitionRecord>>
  readonly capacityProviders: Map<string, ProviderKind>
  readonly logs: LogStore
}

/** As DescribeCapacityProviders calls it. */
export type ProviderKind = "FARGATE" | "FARGATE_SPOT" | "EC2_AUTOSCALING" | "MANAGED_INSTANCES"

export interface ClusterRecord {
  cluster: Cluster
  /** By ARN. */
  readonly instances: Map<string, InstanceRecord>
  /** Ids of tasks that wait in PROVISIONING for room on an instance, the oldest first. */
  readonly waiting: Set<string>
  readonly tasks: Map<string, TaskRecord>
  /** Task ids by `startedBy`. */
  readonly startedBy: Map<string, Set<string>>
  readonly tokens: Map<string, RecordedLaunch>
}

export interface DefinitionRecord {
  readonly definition: TaskDefinition
  readonly tags: ReadonlyArray<Tag>
}

export interface RecordedLaunch {
  /** Hash of the parameters. */
  readonly hash: string
  readonly response: RunTaskResponse
}

export interface TaskRecord {
  readonly key: TaskKey
  readonly task: Task
  readonly containers: ReadonlyArray<ContainerSpec>
  /** Order of launch, over all regions. */
  readonly sequence: number
  readonly token: string | undefined
  /** Needs room on a container instance, and has it if the task has a `containerInstanceArn`. */
  readonly placing?: Placing | undefined
  /** The platform will stop it so. */
  readonly fate?: StopFault | undefined
  /** Epoch milliseconds until which nobody is told of it; absent = as the options say. */
  readonly hiddenUntil?: number | undefined
  /** It is forgotten so long after it is RUNNING. */
  readonly vanishAfterSeconds?: number | undefined
  /** Names of the containers that were told to start. */
  readonly asked?: ReadonlyArray<string>
  /** When each container began to run, epoch milliseconds. */
  readonly begunAt?: Readonly<Record<string, number>>
  /** What it was before, the oldest first; kept only while a fault asks for it. */
  readonly earlier?: ReadonlyArray<Task>
  /** When the present state ends by itself; undefined = it waits for something else. */
  readonly dueAt: number | undefined
}

/** So large that only a task that asks for nonsense finds no room: like an m6i.32xlarge. */
const largeInstance = { cluster: "default", count: 1, cpu: 131_072, memory: 524_288, gpu: 0 }

export const defaultOptions: Omit<EcsModelOptions, "newId"> = {
  timeScale: "dev",
  accountId: "000000000000",
  stoppedTaskSeconds: 3600,
  missingAfterRunSeconds: 0,
  logDelaySeconds: 0,
  maxLogEvents: 2_000_000,
  maxLogCharacters: 256 * 1024 * 1024,
  clusters: ["default"],
  containerInstances: [
    { ...largeInstance, launchType: "EC2" },
    { ...largeInstance, launchType: "EXTERNAL" }
  ],
  onLaunch: () => {},
  onEnd: () => {},
  faultSeed: 1,
  networks: [
    {
      vpcId: "vpc-0f1ee70000000001",
      isDefault: true,
      subnetIds: ["subnet-0f1ee7000000000a", "subnet-0f1ee7000000000b", "subnet-0f1ee7000000000c"],
      securityGroupId: "sg-0f1ee70000000001"
    },
    {
      vpcId: "vpc-0f1ee70000000002",
      isDefault: false,
      subnetIds: ["subnet-0f1ee7000000001a", "subnet-0f1ee7000000001b"],
      securityGroupId: "sg-0f1ee70000000002"
    }
  ]
}

export const makeWorld = (options: EcsModelOptions): World => ({
  options,
  regions: new Map(),
  due: new DueQueue(),
  faults: new FaultBook(options.faultSeed),
  sequence: 0
})

/** The region, made with its first clusters when it is first asked for. */
export const regionOf = (world: World, name: string): Region => {
  const known = world.regions.get(name)
  if (known !== undefined) return known
  const region: Region = {
    name,
    clusters: new Map(),
    families: new Map(),
    capacityProviders: new Map([
      ["FARGATE", "FARGATE"],
      ["FARGATE_SPOT", "FARGATE_SPOT"]
    ]),
    logs: makeLogStore({ maxEvents: world.options.maxLogEvents, maxCharacters: world.options.maxLogCharacters })
  }
  world.regions.set(name, region)
  const providers = { capacityProviders: ["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy: [] }
  for (const cluster of world.options.clusters) {
    region.clusters.set(cluster, makeCluster(world, region, cluster, { tags: [], ...providers }))
  }
  return region
}

export const makeCluster = (
  world: World,
  region: Region,
  name: string,
  more: Pick<Cluster, "tags" | "settings" | "capacityProviders" | "defaultCapacityProviderStrategy">
): ClusterRecord => ({
  cluster: {
    clusterArn: ecsArn(world, region.name, `cluster/${name}`),
    clusterName: name,
    status: "ACTIVE",
    runningTasksCount: 0,
    pendingTasksCount: 0,
    activeServicesCount: 0,
    statistics: [],
    settings: [{ name: "containerInsights", value: "disabled" }],
    ...more
  },
  instances: makeInstances(world.options.containerInstances, name, region.name, (resource) =>
    ecsArn(world, region.name, resource)
  ),
  waiting: new Set(),
  tasks: new Map(),
  startedBy: new Map(),
  tokens: new Map()
})

/** `arn:<partition>:ecs:<region>:<account>:<resource>`. */
export const ecsArn = (world: World, region: string, resource: string): string =>
  `arn:${partitionOf(region)}:ecs:${region}:${world.options.accountId}:${resource}`

/** China and GovCloud are partitions of their own (AWS General Reference, "ARN format"). */
export const partitionOf = (region: string): string => {
  if (region.startsWith("cn-")) return "aws-cn"
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws"
}

/** The name of a cluster given by name or ARN; absent = `default`. */
export const clusterName = (reference: string | undefined): string =>
  reference === undefined || reference === "" ? "default" : nameOf(reference)

/** The name in an ARN, or the name itself. */
export const nameOf = (reference: string): string => reference.slice(reference.lastIndexOf("/") + 1)

export const findTask = (world: World, key: TaskKey): TaskRecord | undefined =>
  world.regions.get(key.region)?.clusters.get(key.cluster)?.tasks.get(key.id)

/** The key in a task's ARN: `arn:aws:ecs:<region>:<account>:task/<cluster>/<id>`. */
export const parseTaskArn = (arn: string): TaskKey | undefined => {
  const match = /^arn:aws[\w-]*:ecs:([^:]+):[^:]*:task\/([^/]+)\/([^/]+)$/.exec(arn)
  if (match === null) return undefined
  const [, region = "", cluster = "", id = ""] = match
  return { region, cluster, id }
}

/** Stores a task and schedules the end of its state, unless that was `scheduledAt` already. */
export const putTask = (world: World, record: TaskRecord, scheduledAt?: number): void => {
  const tasks = world.regions.get(record.key.region)?.clusters.get(record.key.cluster)?.tasks
  tasks?.set(record.key.id, world.faults.keepsVersions ? withEarlier(record, tasks.get(record.key.id)) : record)
  if (record.dueAt !== undefined && record.dueAt !== scheduledAt) {
    world.due.push(record.dueAt, { _tag: "Task", key: record.key })
  }
}

const withEarlier = (record: TaskRecord, before: TaskRecord | undefined): TaskRecord =>
  before === undefined || before.task.version === record.task.version
    ? record
    : { ...record, earlier: [...(before.earlier ?? []), before.task].slice(-maxStaleVersions) }

/** Removes every trace of a task; false = there was none. */
export const forgetTask = (world: World, key: TaskKey): boolean => {
  const removed = removeTask(world, key)
  if (removed?.record.token !== undefined) removed.cluster.tokens.delete(removed.record.token)
  return removed !== undefined
}

/**
 * Removes a task before its time, as a fault does; false = there was none. Its client token is remembered as if it had
 * stopped just now: what becomes of a task does not shorten AWS's promise about tokens.
 */
export const loseTask = (world: World, key: TaskKey, now: number): boolean => {
  const removed = removeTask(world, key)
  const token = removed?.record.token
  if (token !== undefined) {
    const at = now + world.options.stoppedTaskSeconds * 1000
    world.due.push(at, { _tag: "Token", region: key.region, cluster: key.cluster, token })
  }
  return removed !== undefined
}

const removeTask = (world: World, key: TaskKey) => {
  const cluster = world.regions.get(key.region)?.clusters.get(key.cluster)
  const record = cluster?.tasks.get(key.id)
  if (cluster === undefined || record === undefined) return undefined
  cluster.tasks.delete(key.id)
  cluster.waiting.delete(key.id)
  const group = cluster.startedBy.get(record.task.startedBy ?? "")
  group?.delete(key.id)
  if (group?.size === 0) cluster.startedBy.delete(record.task.startedBy ?? "")
  return { cluster, record }
}
