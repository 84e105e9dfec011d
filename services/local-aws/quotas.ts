import { filterLogEventsElsewhere, filterLogEventsQuotas } from "#aws/Pace.ts"

/**
 * AWS's own token buckets: how many calls at once, and how many per second after that, by class of action. Source:
 * "Request throttling for the Amazon ECS API", "AWS Fargate throttling quotas", "Request throttling for the Amazon EC2
 * API", "CloudWatch Logs quotas". All services of an account share them, per region.
 */
export interface Bucket {
  readonly burst: number
  readonly perSecond: number
}

export const awsBuckets = {
  clusterResourceModify: { burst: 100, perSecond: 40 },
  fargateRunTask: { burst: 20, perSecond: 20 },
  fargateLaunch: { burst: 100, perSecond: 20 },
  clusterResourceRead: { burst: 100, perSecond: 20 },
  taskDefinitionModify: { burst: 20, perSecond: 1 },
  taskDefinitionRead: { burst: 50, perSecond: 20 },
  clusterModify: { burst: 20, perSecond: 1 },
  clusterRead: { burst: 50, perSecond: 20 },
  tagModify: { burst: 20, perSecond: 10 },
  tagRead: { burst: 50, perSecond: 20 },
  describeVpcs: { burst: 100, perSecond: 20 },
  describeSubnets: { burst: 100, perSecond: 20 },
  describeSecurityGroups: { burst: 100, perSecond: 20 },
  describeSecurityGroupsUnfiltered: { burst: 50, perSecond: 10 },
  createLogGroup: { burst: 10, perSecond: 10 },
  createLogStream: { burst: 50, perSecond: 50 },
  putLogEvents: { burst: 5000, perSecond: 5000 },
  describeLogGroups: { burst: 10, perSecond: 10 },
  describeLogStreams: { burst: 25, perSecond: 25 },
  getLogEvents: { burst: 25, perSecond: 25 },
  filterLogEvents: { burst: 10, perSecond: 10 }
} as const satisfies Readonly<Record<string, Bucket>>

export type BucketName = keyof typeof awsBuckets

/** Regions that allow fewer GetLogEvents. */
const getLogEventsTen: ReadonlySet<string> = new Set(["us-west-2", "eu-west-1", "eu-central-1"])

const evenly = (calls: number): Bucket => ({ burst: calls, perSecond: calls })

export const bucketOf = (name: BucketName, region: string): Bucket => {
  if (name === "filterLogEvents") return evenly(filterLogEventsQuotas.get(region) ?? filterLogEventsElsewhere)
  return name === "getLogEvents" && getLogEventsTen.has(region) ? evenly(10) : awsBuckets[name]
}

/** What a call takes from a bucket. */
export interface Charge {
  readonly bucket: BucketName
  readonly tokens: number
}

const one = (bucket: BucketName): ReadonlyArray<Charge> => [{ bucket, tokens: 1 }]

const member = (input: object, name: string): unknown => Object.entries(input).find(([key]) => key === name)?.[1]

/** Launches on container instances take nothing from Fargate's buckets. */
const runTask = (input: object): ReadonlyArray<Charge> => {
  const count = member(input, "count")
  if (["EC2", "EXTERNAL"].includes(String(member(input, "launchType")))) return one("clusterResourceModify")
  return [
    ...one("clusterResourceModify"),
    ...one("fargateRunTask"),
    { bucket: "fargateLaunch", tokens: typeof count === "number" ? count : 1 }
  ]
}

const securityGroups = (input: object): ReadonlyArray<Charge> =>
  one(Object.keys(input).length === 0 ? "describeSecurityGroupsUnfiltered" : "describeSecurityGroups")

const charges: Readonly<Record<string, BucketName | ((input: object) => ReadonlyArray<Charge>)>> = {
  RunTask: runTask,
  StopTask: "clusterResourceModify",
  DescribeTasks: "clusterResourceRead",
  ListTasks: "clusterResourceRead",
  RegisterTaskDefinition: "taskDefinitionModify",
  DeregisterTaskDefinition: "taskDefinitionModify",
  DescribeTaskDefinition: "taskDefinitionRead",
  ListTaskDefinitions: "taskDefinitionRead",
  ListTaskDefinitionFamilies: "taskDefinitionRead",
  CreateCluster: "clusterModify",
  DeleteCluster: "clusterModify",
  PutClusterCapacityProviders: "clusterModify",
  CreateCapacityProvider: "clusterModify",
  DescribeCapacityProviders: "clusterRead",
  RegisterContainerInstance: "clusterResourceModify",
  ListContainerInstances: "clusterResourceRead",
  DescribeContainerInstances: "clusterResourceRead",
  DescribeClusters: "clusterRead",
  ListClusters: "clusterRead",
  TagResource: "tagModify",
  ListTagsForResource: "tagRead",
  DescribeVpcs: "describeVpcs",
  DescribeSubnets: "describeSubnets",
  DescribeSecurityGroups: securityGroups,
  CreateLogGroup: "createLogGroup",
  CreateLogStream: "createLogStream",
  PutLogEvents: "putLogEvents",
  DescribeLogGroups: "describeLogGroups",
  DescribeLogStreams: "describeLogStreams",
  GetLogEvents: "getLogEvents",
  FilterLogEvents: "filterLogEvents"
}

/** What a call of `action` costs; nothing for an action without a quota. */
export const chargesOf = (action: string, input: object): ReadonlyArray<Charge> => {
  const charge = Object.hasOwn(charges, action) ? charges[action] : undefined
  if (charge === undefined) return []
  return typeof charge === "string" ? one(charge) : charge(input)
}

interface Level {
  readonly tokens: number
  readonly atMillis: number
}

/** How full each bucket was, and when; a bucket never used is full. */
export type Levels = Readonly<Partial<Record<BucketName, Level>>>

const levelOf = (levels: Levels, bucket: BucketName, region: string, nowMillis: number): number => {
  const { burst, perSecond } = bucketOf(bucket, region)
  const level = levels[bucket]
  if (level === undefined) return burst
  return Math.min(burst, level.tokens + ((nowMillis - level.atMillis) / 1000) * perSecond)
}

/** Takes all charges, or none and the call is throttled. */
export const take = (
  levels: Levels,
  wanted: ReadonlyArray<Charge>,
  region: string,
  nowMillis: number
): { readonly allowed: boolean; readonly levels: Levels } => {
  const after = wanted.map(
    ({ bucket, tokens }) => [bucket, levelOf(levels, bucket, region, nowMillis) - tokens] as const
  )
  if (after.some(([, tokens]) => tokens < 0)) return { allowed: false, levels }
  const changed = after.map(([bucket, tokens]) => [bucket, { tokens, atMillis: nowMillis }])
  return { allowed: true, levels: { ...levels, ...Object.fromEntries(changed) } }
}
