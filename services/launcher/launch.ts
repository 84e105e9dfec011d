import type { RunTaskCommandInput, Task } from "@aws-sdk/client-ecs"
import { Clock, Effect, Random, Result } from "effect"
import { classifyFailures } from "#aws/AwsError.ts"
import { mutable } from "#aws/Mutable.ts"
import { AwsFailure } from "#ecs-core/errors.ts"
import type { FleetId } from "#ecs-core/Ids.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import type { TaskdefReady } from "#ecs-core/Messages.ts"
import { clientToken, startedBy } from "#ecs-core/RunTaskInput.ts"
import { type LaunchedTask, type Settled, settleFailure } from "./decide.ts"
import type { Fleet } from "./Fleet.ts"
import { type LaunchNetwork, networkOf, otherNetwork } from "./network.ts"

/** RunTask with this try's token, and what its answer means. */
export const launch = (
  fleet: Fleet,
  order: TaskdefReady,
  context: { readonly try: number; readonly deliveries: number }
): Effect.Effect<Settled> =>
  Effect.gen(function* () {
    const answer = yield* Effect.result(call(fleet, order, context.try))
    const now = yield* Clock.currentTimeMillis
    const jitter = yield* Random.next
    return Result.isSuccess(answer)
      ? { _tag: "Started", task: answer.success }
      : settleFailure(order, answer.failure, { ...context, jitter }, now)
  })

const call = Effect.fnUntraced(function* (fleet: Fleet, order: TaskdefReady, tryNumber: number) {
  const callIn = (network: LaunchNetwork) => runTask(fleet, order, inputOf(fleet, order, tryNumber, network))
  const network = yield* networkOf(fleet.network, order)
  return yield* callIn(network).pipe(
    Effect.catch((failure) =>
      Effect.flatMap(otherNetwork(fleet.network, order, network, failure), (other) =>
        other === undefined
          ? Effect.fail(failure)
          : Effect.andThen(fleet.pace.take("runTask", order.target), callIn(other))
      )
    )
  )
})

const inputOf = (
  fleet: Fleet,
  order: TaskdefReady,
  tryNumber: number,
  network: LaunchNetwork
): RunTaskCommandInput => ({
  ...mutable(order.runTask),
  ...network.input,
  count: 1,
  clientToken: clientToken(fleet.fleetId, order.runId, order.attempt, tryNumber),
  startedBy: startedBy(fleet.fleetId, order.runId, order.attempt)
})

const runTask = (
  fleet: Fleet,
  order: TaskdefReady,
  input: RunTaskCommandInput
): Effect.Effect<LaunchedTask, AwsFailure> =>
  Effect.flatMap(fleet.ecs.runTask(order.target, input), ({ tasks, failures }) => {
    const task = tasks.map(launchedOf).find((each) => each !== undefined)
    return task === undefined ? Effect.fail(classifyFailures(failures)) : Effect.succeed(task)
  })

const launchedOf = (task: Task): LaunchedTask | undefined =>
  task.taskArn === undefined || task.clusterArn === undefined
    ? undefined
    : {
        taskArn: task.taskArn,
        clusterArn: task.clusterArn,
        lastStatus: task.lastStatus ?? "PROVISIONING",
        createdAt: task.createdAt === undefined ? undefined : instantOf(task.createdAt.getTime())
      }

/** The attempt's task as ECS knows it by `startedBy`, where there is one that has not stopped. */
export const findTask = (fleet: Fleet, order: TaskdefReady): Effect.Effect<LaunchedTask | undefined, AwsFailure> =>
  Effect.gen(function* () {
    const { cluster } = order.runTask
    const arns = yield* fleet.ecs.listTasks(order.target, cluster, ownerOf(fleet.fleetId, order))
    return arns.length === 0 ? undefined : yield* ours(fleet, order, arns)
  })

/**
 * Among named tasks, the one that this attempt started; undefined = they are somebody else's. A task that ECS names but
 * cannot describe yet may be ours: that is a passing failure, since "not ours" leads to another launch.
 */
export const ours = (
  fleet: Fleet,
  order: TaskdefReady,
  arns: ReadonlyArray<string>
): Effect.Effect<LaunchedTask | undefined, AwsFailure> => {
  const asked = arns.slice(0, 100)
  return Effect.flatMap(fleet.ecs.describeTasks(order.target, order.runTask.cluster, asked), ({ tasks }) => {
    const task = tasks
      .filter(({ startedBy }) => startedBy === ownerOf(fleet.fleetId, order))
      .map(launchedOf)
      .find((each) => each !== undefined)
    return task === undefined && tasks.length < asked.length ? notDescribed() : Effect.succeed(task)
  })
}

const notDescribed = () =>
  new AwsFailure({
    code: "TaskNotFound",
    retry: "transient",
    action: "DescribeTasks",
    message: "ECS names a task of this launch and does not describe it yet.",
    advice: "It is asked again."
  })

const ownerOf = (fleetId: FleetId, order: TaskdefReady): string => startedBy(fleetId, order.runId, order.attempt)
