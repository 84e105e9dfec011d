import { Result } from "effect"
import type { AwsTarget } from "#aws/Target.ts"
import { cpuUnits } from "#ecs-core/FargateSizes.ts"
import { isJson, type Json, listOf, objectsOf, textOf } from "#ecs-core/Json.ts"
import { isOfFargate } from "#ecs-core/LaunchOn.ts"
import { mergeLevels } from "#ecs-core/Levels.ts"
import { builtInPool, DEFAULT_CPU, DEFAULT_LOG_GROUP, encodePoolEntry, type Pool, PoolCodec } from "#ecs-core/Pool.ts"

/** What a run of a pool that says nothing itself would ask of AWS. */
export interface PoolPlan {
  readonly pool: string
  /** With region: the pool's, else that of its set of credentials, else the process's. */
  readonly target: AwsTarget & { readonly region: string }
  readonly cluster: string
  readonly executionRoleArn: string | undefined
  /** A definition kept elsewhere has its own role and its own logs. */
  readonly isLinked: boolean
  /** Absent where nothing is logged, or by a configuration of the container's own. */
  readonly logs?: { readonly group: string; readonly region: string; readonly isCreated: boolean }
  /** Absent where tasks have no network of their own. */
  readonly network?: { readonly vpcId?: string; readonly subnets?: ReadonlyArray<string> }
  /** Absent off Fargate. */
  readonly fargate?: { readonly vcpus: number; readonly isSpot: boolean }
  readonly maxRunning?: number
  readonly maxSubmitPerSecond?: number
}

export interface PlanContext {
  readonly runTimeoutSecondsMax: number
  readonly region: string
  readonly regionOfSet: (name: string | undefined) => string | undefined
}

/** Undefined = the pool needs values that only a request can give, or is not valid. */
export const planOf = (pool: string, said: Json, context: PlanContext): PoolPlan | undefined => {
  const decoded = PoolCodec.decode(encodePoolEntry({ pool: said, isFromFile: false }))
  return Result.isFailure(decoded) ? undefined : planOfPool(pool, decoded.success, context)
}

const planOfPool = (pool: string, given: Pool, context: PlanContext): PoolPlan => {
  const { v: _v, credentials, maxRunning, maxSubmitPerSecond, variables: _variables, ...fields } = given
  const merged = mergeLevels([builtInPool(context.runTimeoutSecondsMax), fields])
  const { taskDefinition, taskRunRequest } = merged
  const region = merged.region ?? context.regionOfSet(credentials ?? undefined) ?? context.region
  const strategy = merged.capacityProviderStrategy ?? []
  const isFargate = strategy.length > 0 ? isOfFargate(strategy) : merged.launchType?.startsWith("FARGATE") === true
  const isSpot = strategy.length > 0 ? isSpotAlone(strategy) : merged.launchType === "FARGATE_SPOT"
  const cpu = cpuUnits(taskDefinition["cpu"]) ?? merged.cpu ?? DEFAULT_CPU
  const networkSaid = networkOf(merged.networkConfiguration ?? awsvpcIn(taskRunRequest), merged.vpcId)
  const logs = logsOf(merged, region)
  return {
    pool,
    target: { region, ...(credentials ? { credentials } : {}) },
    cluster: textOf(taskRunRequest["cluster"]) ?? merged.cluster ?? "default",
    executionRoleArn: merged.executionRoleArn ?? textOf(taskDefinition["executionRoleArn"]),
    isLinked: merged.taskDefinitionArn !== undefined,
    ...(logs === undefined ? {} : { logs }),
    ...(isFargate || networkSaid.subnets !== undefined ? { network: networkSaid } : {}),
    ...(isFargate ? { fargate: { vcpus: cpu / 1024, isSpot } } : {}),
    ...(maxRunning ? { maxRunning } : {}),
    ...(maxSubmitPerSecond ? { maxSubmitPerSecond } : {})
  }
}

const isSpotAlone = (strategy: ReadonlyArray<{ readonly capacityProvider: string }>): boolean =>
  strategy.every(({ capacityProvider }) => capacityProvider === "FARGATE_SPOT")

const awsvpcIn = (taskRunRequest: Json): unknown => {
  const network = taskRunRequest["networkConfiguration"]
  return isJson(network) ? network["awsvpcConfiguration"] : undefined
}

const networkOf = (network: unknown, vpcId: string | undefined): NonNullable<PoolPlan["network"]> => {
  const subnets = isJson(network) ? listOf(network["subnets"]).filter((each) => typeof each === "string") : []
  return { ...(vpcId === undefined ? {} : { vpcId }), ...(subnets.length === 0 ? {} : { subnets }) }
}

const logsOf = (merged: ReturnType<typeof mergeLevels>, region: string): PoolPlan["logs"] => {
  const hasOwn = objectsOf(merged.taskDefinition["containerDefinitions"]).some((each) => "logConfiguration" in each)
  const isWanted = merged.configureCloudwatchLogs ?? merged.streamOutput ?? !hasOwn
  if (!isWanted || merged.taskDefinitionArn !== undefined) return undefined
  const options = merged.cloudwatchLogsOptions ?? {}
  return {
    group: options["awslogs-group"] ?? DEFAULT_LOG_GROUP,
    region: options["awslogs-region"] ?? region,
    isCreated: (options["awslogs-create-group"] ?? "true") === "true"
  }
}

/** A thing in AWS that pools need, each once, and which pools. */
export interface Asked<A> {
  readonly what: A
  readonly pools: ReadonlyArray<PoolPlan>
}

/** The different things that plans ask for, in the order of the plans. */
export const different = <A>(
  plans: ReadonlyArray<PoolPlan>,
  of: (plan: PoolPlan) => A | undefined
): ReadonlyArray<Asked<A>> => {
  const found = new Map<string, { what: A; pools: Array<PoolPlan> }>()
  for (const plan of plans) {
    const what = of(plan)
    if (what === undefined) continue
    const known = found.get(JSON.stringify(what))
    if (known === undefined) found.set(JSON.stringify(what), { what, pools: [plan] })
    else known.pools.push(plan)
  }
  return [...found.values()]
}
