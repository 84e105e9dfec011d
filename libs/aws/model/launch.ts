import type * as Sdk from "@aws-sdk/client-ecs"
import { Result } from "effect"
import { containerSpecs } from "./containers.ts"
import type { Fault } from "./Fault.ts"
import { needsOf, takeRoom } from "./instances.ts"
import type { LaunchPlan } from "./launchPlan.ts"
import { groupOf, type Launch, newTask } from "./newTask.ts"
import { type Placing, place } from "./placement.ts"
import { stateMillis } from "./taskChanges.ts"
import { type ClusterRecord, findTask, putTask, type TaskKey, type World } from "./World.ts"

/**
 * Makes one task. Fargate and Managed Instances have room for everything; with launch type EC2 or EXTERNAL the task is
 * placed now or refused; with the provider of an Auto Scaling group it waits in PROVISIONING until an instance has room.
 */
export const launchOne = (
  world: World,
  order: Launch,
  plan: LaunchPlan,
  fault: Fault | undefined,
  now: number
): Result.Result<Sdk.Task, Array<Sdk.Failure>> => {
  const { cluster, region } = order
  const placing = placingOf(order, plan)
  const placed = placing === undefined ? undefined : place(cluster.instances.values(), placing)
  if (plan.provider === undefined && placed !== undefined && Result.isFailure(placed))
    return Result.fail(placed.failure)
  const instance = placed !== undefined && Result.isSuccess(placed) ? placed.success : undefined
  const key: TaskKey = { region, cluster: cluster.cluster.clusterName ?? "", id: world.options.newId() }
  const isHeld = fault?.hold !== undefined
  const waits = placing !== undefined && instance === undefined && !isHeld
  if (waits) cluster.waiting.add(key.id)
  if (placing !== undefined && instance !== undefined) takeRoom(instance, placing.needs, placing.group)
  const base = newTask(world, order, plan, key, now)
  const isConnected = base.attachments?.length === 0 && plan.provider === undefined && !isHeld
  const task: Sdk.Task = {
    ...base,
    ...(instance === undefined ? {} : { containerInstanceArn: instance.arn }),
    ...(isConnected ? { lastStatus: "PENDING", connectivity: "CONNECTED", connectivityAt: new Date(now) } : {})
  }
  const millis = stateMillis[world.options.timeScale][isConnected ? "PENDING" : "PROVISIONING"]
  putTask(world, {
    key,
    task,
    containers: containerSpecs(order.definition.definition, order.input.overrides, key, task.taskArn ?? ""),
    sequence: world.sequence++,
    token: order.input.clientToken,
    placing,
    fate: fault?.stop,
    hiddenUntil: fault?.missingSeconds === undefined ? undefined : now + fault.missingSeconds * 1000,
    vanishAfterSeconds: fault?.vanishAfterSeconds,
    dueAt: waits || isHeld ? undefined : now + millis
  })
  rememberStarter(cluster, order.input.startedBy, key.id)
  return Result.succeed(task)
}

/** Places what waits and finds room now; the oldest first, without holding up smaller ones behind. */
export const placeWaiting = (world: World, region: string, cluster: ClusterRecord, now: number): void => {
  for (const id of cluster.waiting) {
    const record = findTask(world, { region, cluster: cluster.cluster.clusterName ?? "", id })
    if (record?.placing === undefined || record.task.desiredStatus === "STOPPED") {
      cluster.waiting.delete(id)
      continue
    }
    const placed = place(cluster.instances.values(), record.placing)
    if (Result.isFailure(placed)) continue
    cluster.waiting.delete(id)
    takeRoom(placed.success, record.placing.needs, record.placing.group)
    putTask(world, {
      ...record,
      task: { ...record.task, containerInstanceArn: placed.success.arn, version: (record.task.version ?? 0) + 1 },
      dueAt: now + stateMillis[world.options.timeScale].PROVISIONING
    })
  }
}

const placingOf = ({ input, definition: { definition } }: Launch, { launchType }: LaunchPlan): Placing | undefined =>
  launchType === "EC2" || launchType === "EXTERNAL"
    ? {
        launchType,
        needs: needsOf(definition, input.overrides),
        group: groupOf(input, definition),
        constraints: [...(definition.placementConstraints ?? []), ...(input.placementConstraints ?? [])],
        strategy: input.placementStrategy ?? []
      }
    : undefined

const rememberStarter = (cluster: ClusterRecord, startedBy: string | undefined, id: string): void => {
  if (startedBy === undefined) return
  const group = cluster.startedBy.get(startedBy) ?? new Set()
  cluster.startedBy.set(startedBy, group.add(id))
}
