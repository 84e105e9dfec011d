import { hash } from "node:crypto"
import type * as Sdk from "@aws-sdk/client-ecs"
import { Result } from "effect"
import { type Answer, type AwsException, client, firstProblem, invalid } from "./AwsException.ts"
import { activeCluster } from "./clusterRecords.ts"
import { takeLaunchFault } from "./faults.ts"
import { launchOne } from "./launch.ts"
import { type LaunchPlan, planLaunches } from "./launchPlan.ts"
import type { Launch } from "./newTask.ts"
import { refuseForDefinition, refuseRequest } from "./runTaskRules.ts"
import { findDefinition } from "./taskDefinitions.ts"
import { type ClusterRecord, clusterName, type DefinitionRecord, regionOf, type World } from "./World.ts"

/** A token is known this long when its launch started nothing; else as long as its task (AWS: at most 24 hours). */
export const emptyTokenSeconds = 86_400

/** Tasks of a cluster that wait for a capacity provider's instances at one time (AWS service quotas). */
export const maxWaitingTasks = 500

/**
 * Launches, or gives the recorded answer when the token is known: failures included, so a new try needs a new token. The
 * same token with other parameters is a conflict that names the tasks of the first launch.
 */
export const runTask = (
  world: World,
  region: string,
  input: Sdk.RunTaskRequest,
  now: number
): Answer<Sdk.RunTaskResponse> =>
  Result.map(decide(world, region, input, now), (response) => {
    world.options.onLaunch(region, input, response)
    return response
  })

const decide = (world: World, region: string, input: Sdk.RunTaskRequest, now: number): Answer<Sdk.RunTaskResponse> => {
  const problem = refuseRequest(input)
  if (problem !== undefined) return Result.fail(problem)
  const cluster = activeCluster(regionOf(world, region), input.cluster)
  if (Result.isFailure(cluster)) return Result.fail(cluster.failure)
  const { tokens } = cluster.success
  const token = input.clientToken
  const recorded = token === undefined ? undefined : tokens.get(token)
  const parameters = token === undefined ? "" : parameterHash(input)
  if (recorded !== undefined) return replay(recorded, parameters)
  return Result.map(launchNew(world, region, input, cluster.success, now), (response) => {
    if (token !== undefined) {
      tokens.set(token, { hash: parameters, response })
      if ((response.tasks ?? []).length === 0) forgetTokenLater(world, { region, cluster: input.cluster, token }, now)
    }
    return response
  })
}

const replay = (
  recorded: { readonly hash: string; readonly response: Sdk.RunTaskResponse },
  parameters: string
): Answer<Sdk.RunTaskResponse> => {
  if (recorded.hash === parameters) return Result.succeed(recorded.response)
  const resourceIds = (recorded.response.tasks ?? []).flatMap(({ taskArn }) => taskArn ?? [])
  const message = "The request was made with a client token that was already used with different parameters."
  return Result.fail({ __type: "ConflictException", message, resourceIds })
}

const launchNew = (
  world: World,
  region: string,
  input: Sdk.RunTaskRequest,
  cluster: ClusterRecord,
  now: number
): Answer<Sdk.RunTaskResponse> => {
  const home = regionOf(world, region)
  const definition = findDefinition(home, input.taskDefinition)
  if (definition === undefined) return Result.fail(client("TaskDefinition not found."))
  if (definition.definition.status !== "ACTIVE") return Result.fail(client("TaskDefinition is inactive"))
  return Result.flatMap(planLaunches(home, cluster, input), (plans) => {
    const refusal = refusePlans(world, input, definition, cluster, plans)
    return refusal === undefined
      ? Result.succeed(launch(world, { region, input, cluster, definition }, plans, now))
      : Result.fail(refusal)
  })
}

const refusePlans = (
  world: World,
  input: Sdk.RunTaskRequest,
  { definition }: DefinitionRecord,
  cluster: ClusterRecord,
  plans: ReadonlyArray<LaunchPlan>
): AwsException | undefined => {
  const different = plans.filter(
    ({ launchType }, index) => plans.findIndex((each) => each.launchType === launchType) === index
  )
  return firstProblem([
    ...different.map((plan) => () => refuseForDefinition(world, input, definition, plan)),
    ...different.map((plan) => () => refuseWithoutInstances(cluster, plan)),
    () => refuseWaiting(cluster, plans)
  ])
}

const refuseWithoutInstances = (cluster: ClusterRecord, { launchType, provider }: LaunchPlan) => {
  if (provider !== undefined || (launchType !== "EC2" && launchType !== "EXTERNAL")) return undefined
  return [...cluster.instances.values()].some((instance) => instance.launchType === launchType)
    ? undefined
    : invalid("No Container Instances were found in your cluster.")
}

const refuseWaiting = (cluster: ClusterRecord, plans: ReadonlyArray<LaunchPlan>) => {
  const waits = plans.filter(({ launchType, provider }) => launchType === "EC2" && provider !== undefined).length
  return waits > 0 && cluster.waiting.size + waits > maxWaitingTasks
    ? client(`The limit of ${maxWaitingTasks} tasks in the PROVISIONING state for this cluster is reached.`)
    : undefined
}

/** Those that find room are launched; why the first of the others finds none is told for each container instance. */
const launch = (world: World, order: Launch, plans: ReadonlyArray<LaunchPlan>, now: number): Sdk.RunTaskResponse => {
  const fault = takeLaunchFault(world, order.region, order.input, now)
  const failures = fault?.failures?.map((failure) => ({ ...failure })) ?? []
  const tasks: Array<Sdk.Task> = []
  for (const plan of failures.length === 0 ? plans : plans.slice(0, fault?.launched ?? 0)) {
    const launched = launchOne(world, order, plan, fault, now)
    if (Result.isFailure(launched)) return { tasks, failures: launched.failure }
    tasks.push(launched.success)
  }
  return { tasks, failures }
}

const forgetTokenLater = (
  world: World,
  { region, cluster, token }: { readonly region: string; readonly cluster: string | undefined; readonly token: string },
  now: number
): void =>
  world.due.push(now + emptyTokenSeconds * 1000, { _tag: "Token", region, cluster: clusterName(cluster), token })

/** The parameters without the token, whatever the order of their members. */
const parameterHash = (input: Sdk.RunTaskRequest): string =>
  hash("sha256", JSON.stringify({ ...input, clientToken: undefined }, sortMembers), "base64")

const sortMembers = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value
