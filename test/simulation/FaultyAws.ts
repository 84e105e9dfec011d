import type { Task } from "@aws-sdk/client-ecs"
import { Duration, Effect, Layer } from "effect"
import { classify } from "#aws/AwsError.ts"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs, type TaskPage, type TasksAndFailures } from "#aws/Ecs.ts"
import type { EcsModel } from "#aws/model/EcsModel.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import type { Fate } from "./Process.ts"
import type { World } from "./World.ts"

export interface BaseAws {
  readonly ecs: typeof Ecs.Service
  readonly network: typeof Ec2Network.Service
  readonly logs: typeof ContainerLogs.Service
  readonly model: typeof EcsModel.Service
}

/** AWS as one process sees it through the seed's weather. */
export const faultyAws = (world: World, fate: Fate, base: BaseAws): Layer.Layer<Ecs | Ec2Network | ContainerLogs> => {
  const call = caller(world, fate)
  const { ecs, network, logs } = base
  return Layer.mergeAll(
    Layer.succeed(
      Ecs,
      Ecs.of({
        ...ecs,
        registerTaskDefinition: (target, input) =>
          call("RegisterTaskDefinition", ecs.registerTaskDefinition(target, input)),
        describeTaskDefinition: (target, ref) =>
          call("DescribeTaskDefinition", ecs.describeTaskDefinition(target, ref)),
        deregisterTaskDefinition: (target, arn) =>
          call("DeregisterTaskDefinition", ecs.deregisterTaskDefinition(target, arn)),
        describeCluster: (target, cluster) => call("DescribeClusters", ecs.describeCluster(target, cluster)),
        runTask: (target, input) =>
          call("RunTask", runTask(world, base.model, input.startedBy ?? "", ecs.runTask(target, input))),
        describeTasks: (target, cluster, arns) =>
          call("DescribeTasks", describeTasks(world, ecs.describeTasks(target, cluster, arns))),
        listTasks: (target, cluster, startedBy) =>
          call("ListTasks", listTasks(world, ecs.listTasks(target, cluster, startedBy))),
        listRunning: (target, cluster, nextToken) =>
          call("ListTasks", listRunning(world, ecs.listRunning(target, cluster, nextToken))),
        stopTask: (target, cluster, arn, reason) => call("StopTask", ecs.stopTask(target, cluster, arn, reason))
      })
    ),
    Layer.succeed(Ec2Network, {
      describe: (target, vpcId) => call("DescribeVpcs", network.describe(target, vpcId)),
      refresh: (target, vpcId, stale) => call("DescribeVpcs", network.refresh(target, vpcId, stale))
    }),
    Layer.succeed(ContainerLogs, { read: (target, input) => call("FilterLogEvents", logs.read(target, input)) })
  )
}

const fail = (action: string, name: string, message: string, status = 400) =>
  Effect.fail(classify(action, { name, message, $metadata: { httpStatusCode: status } }))

const caller =
  (world: World, fate: Fate) =>
  <A>(action: string, effect: Effect.Effect<A, AwsFailure>): Effect.Effect<A, AwsFailure> =>
    Effect.gen(function* () {
      const { dice } = world
      yield* delay(world, fate)
      if (fate.dead) return yield* Effect.never
      const { weather } = world
      if (outage(world))
        return yield* fail(action, "ExpiredTokenException", "The security token included in the request is expired")
      if (dice.chance(weather.throttled)) return yield* fail(action, "ThrottlingException", "Rate exceeded")
      if (dice.chance(weather.serverError)) return yield* fail(action, "ServerException", "Internal", 500)
      if (dice.chance(weather.callLost)) return yield* hang(action)
      const answer = yield* Effect.result(effect)
      yield* delay(world, fate)
      if (fate.dead) return yield* Effect.never
      if (dice.chance(weather.callAnswerLost)) return yield* dice.chance(0.5) ? hang(action) : reset(action)
      return yield* Effect.fromResult(answer)
    })

const delay = (world: World, fate: Fate): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { weather, dice } = world
    const most = weather.callLatencyMillis
    const thaw = Math.max(0, fate.frozenUntil - world.now())
    const millis =
      thaw +
      (most === 0
        ? 0
        : dice.chance(0.9)
          ? dice.whole(0, Math.ceil(Math.min(most, 500)))
          : dice.whole(0, Math.ceil(most)))
    return millis === 0 ? Effect.yieldNow : Effect.sleep(millis)
  })

const reset = (action: string) =>
  Effect.fail(classify(action, { name: "TimeoutError", message: "read ECONNRESET", code: "ECONNRESET" }))
const hang = (action: string) =>
  Effect.andThen(
    Effect.sleep(Duration.seconds(15)),
    Effect.fail(classify(action, { name: "TimeoutError", message: "socket timed out", code: "ETIMEDOUT" }))
  )

const outage = (world: World): boolean => {
  const of = world.weather.credentialsOutage
  if (of === undefined) return false
  const seconds = (world.now() - world.startedAt) / 1000
  return seconds >= of.afterSeconds && seconds < of.afterSeconds + of.seconds
}

const runTask = (
  world: World,
  model: typeof EcsModel.Service,
  startedBy: string,
  effect: Effect.Effect<TasksAndFailures, AwsFailure>
): Effect.Effect<TasksAndFailures, AwsFailure> =>
  Effect.suspend(() => {
    const { dice, weather, witness } = world
    const counted = Effect.tap(effect, ({ tasks }) => {
      for (const task of tasks) witness.launched(startedBy, task)
      return countRunning(world, model, startedBy)
    })
    const launch = Effect.map(counted, (answer) => {
      return answer.tasks.length > 0 && dice.chance(weather.partialSuccess)
        ? { ...answer, failures: [{ reason: "RESOURCE:CPU" }] }
        : answer
    })
    if (dice.chance(weather.noCapacity)) {
      const reason = dice.pick([
        "RESOURCE:MEMORY",
        "AGENT",
        "Capacity is unavailable at this time. Please try again later or in a different availability zone"
      ])
      return Effect.andThen(model.faults.failLaunches({ reason }, 1), launch)
    }
    return launch
  })

/** How many tasks of the run's pool are not STOPPED, right after one more was launched. */
const countRunning = ({ witness }: World, { unspoilt }: typeof EcsModel.Service, startedBy: string) =>
  Effect.gen(function* () {
    const pool = witness.limitedPoolOf(startedBy)
    const arns = pool === undefined ? [] : witness.countedTasks(pool)
    if (pool === undefined || arns.length === 0) return
    const { tasks = [] } = yield* unspoilt.ecs.DescribeTasks("us-east-1", { tasks: [...arns] })
    witness.counted(pool, tasks)
  }).pipe(Effect.orDie)

const describeTasks = (world: World, effect: Effect.Effect<TasksAndFailures, AwsFailure>) =>
  Effect.map(effect, (answer): TasksAndFailures => {
    const { dice, weather, witness } = world
    const tasks = answer.tasks.flatMap((task): ReadonlyArray<Task> => {
      const older = witness.olderView(task)
      if (isYoung(world, task.createdAt) && dice.chance(weather.hidden)) return []
      return [dice.chance(weather.staleDescribe) ? older : task]
    })
    return { ...answer, tasks }
  })

const listRunning = (world: World, effect: Effect.Effect<TaskPage, AwsFailure>) =>
  Effect.flatMap(effect, (page) =>
    Effect.map(listTasks(world, Effect.succeed(page.arns)), (arns): TaskPage => ({ ...page, arns }))
  )

const listTasks = (world: World, effect: Effect.Effect<ReadonlyArray<string>, AwsFailure>) =>
  Effect.map(effect, (arns) =>
    arns.filter((arn) => !(isYoung(world, world.witness.createdAt(arn)) && world.dice.chance(world.weather.hidden)))
  )

/** ECS calls itself eventually consistent: a task of the last seconds may be missing in an answer. */
const YOUNG_MILLIS = 20_000

const isYoung = (world: World, createdAt: Date | undefined): boolean =>
  createdAt !== undefined && world.now() - createdAt.getTime() < YOUNG_MILLIS
