import type { Job, LaunchType } from "./Job.ts"
import { isJson, type Json, listOf, textOf } from "./Json.ts"

/**
 * What a job runs on, and what follows from it: ECS has launch types, capacity providers and a cluster's default, and
 * each asks another shape of the definition. Everything that depends on it is decided here, in one table.
 */

/** ECS's own launch types; also what `requiresCompatibilities` may hold. */
export type Compatibility = Exclude<LaunchType, "FARGATE_SPOT">

interface Shape {
  /** Asked of ECS in `requiresCompatibilities`. */
  readonly compatibility?: Compatibility
  /** Where CPU and memory belong: at the task as text, or at the container as integers. */
  readonly sizesAt: "task" | "container"
  /** Where the definition names none; ECS's own default is `bridge`. */
  readonly networkMode?: "awsvpc"
}

const fargate: Shape = { compatibility: "FARGATE", sizesAt: "task", networkMode: "awsvpc" }

const shapes: Readonly<Record<LaunchType, Shape>> = {
  FARGATE: fargate,
  FARGATE_SPOT: fargate,
  EC2: { compatibility: "EC2", sizesAt: "container" },
  EXTERNAL: { compatibility: "EXTERNAL", sizesAt: "container" },
  MANAGED_INSTANCES: { compatibility: "MANAGED_INSTANCES", sizesAt: "container", networkMode: "awsvpc" }
}

/** A strategy of the account's own capacity providers: nothing may be asked of ECS, as they can be of either kind. */
const ownProviders: Shape = { sizesAt: "container" }

/** Whether a strategy names Fargate's two providers only. */
export const isOfFargate = (strategy: ReadonlyArray<unknown>): boolean =>
  strategy.every((item) => isJson(item) && /^FARGATE(_SPOT)?$/.test(String(item["capacityProvider"])))

/** In the order in which one is taken where a definition allows several. */
const others: ReadonlyArray<Compatibility> = ["EC2", "MANAGED_INSTANCES", "EXTERNAL"]

/**
 * What a definition demands because it cannot run on Fargate; undefined where it can. One that says nothing can
 * (peers 18), unless ECS's own list or a network mode that Fargate lacks tells otherwise.
 */
export const demandOf = (definition: Json): Compatibility | undefined => {
  const listed = [definition["requiresCompatibilities"], definition["compatibilities"]].map(listOf)
  const decisive = listed.find((list) => list.length > 0)
  if (decisive !== undefined) {
    return decisive.includes("FARGATE") ? undefined : others.find((each) => decisive.includes(each))
  }
  return (textOf(definition["networkMode"]) ?? "awsvpc") === "awsvpc" ? undefined : "EC2"
}

/** How the definition of a job is prepared (peers 31–33). */
export const shapeOf = (job: Job): Shape => {
  const { launchType, capacityProviderStrategy: strategy } = job
  const demand = demandOf(job.taskDefinition)
  if (strategy.length > 0 && !isOfFargate(strategy)) {
    if (launchType === undefined) return demand === undefined ? ownProviders : shapes[demand]
    return shapes[launchType] === fargate && demand !== undefined ? shapes[demand] : shapes[launchType]
  }
  if (launchType !== undefined) return shapes[launchType]
  return demand === undefined || strategy.length > 0 ? fargate : shapes[demand]
}

/** Where a linked definition's sizes are overridden: where its launch reads them. */
export const sizesAt = (job: Job, definition: object): "task" | "container" =>
  runsOnFargate(job, definition) ? "task" : "container"

/**
 * Who decides what the task runs on: the job and its definition, or the cluster, which has to be asked for its default
 * strategy (peers 17, 63, 76).
 */
export const launchesOn = (job: Job, definition: object): "given" | "cluster" => {
  const { launchType, capacityProviderStrategy: strategy } = job
  const isGiven = launchType !== undefined || strategy.length > 0 || demandOf({ ...definition }) !== undefined
  return isGiven ? "given" : "cluster"
}

/** Whether the task runs on Fargate; what only the cluster knows counts as Fargate. */
export const runsOnFargate = (job: Job, definition: object): boolean => {
  const { launchType, capacityProviderStrategy: strategy } = job
  if (strategy.length > 0) return isOfFargate(strategy)
  if (launchType !== undefined) return shapes[launchType] === fargate
  return demandOf({ ...definition }) === undefined
}
