import type * as Sdk from "@aws-sdk/client-ecs"
import { Clock, Effect } from "effect"
import type { AwsException } from "./AwsException.ts"
import { everyAction, type Fault, isOfLaunch } from "./Fault.ts"
import type { Operation } from "./Operations.ts"
import { clusterName, findTask, parseTaskArn, type World } from "./World.ts"

/** What a fault may look at to know its calls. */
interface Call {
  readonly action: string
  readonly region: string
  readonly input: unknown
}

const meets = (world: World, fault: Fault, call: Call): boolean =>
  (fault.action === everyAction || fault.action === call.action) &&
  (fault.cluster === undefined || clusterName(fault.cluster) === clusterName(textOf(call.input, "cluster"))) &&
  (fault.startedBy === undefined || startersOf(world, call).some((each) => isStarter(each, fault.startedBy ?? "")))

const isStarter = (startedBy: string, wanted: string): boolean =>
  startedBy.startsWith(wanted) || startedBy.split("/").includes(wanted)

/** Who started the tasks that a call is about. */
const startersOf = (world: World, { region, input }: Call): ReadonlyArray<string> => {
  const own = textOf(input, "startedBy")
  if (own !== undefined) return [own]
  const cluster = clusterName(textOf(input, "cluster"))
  return taskReferences(input).flatMap((reference) => {
    const key = parseTaskArn(reference) ?? { region, cluster, id: reference }
    return findTask(world, key)?.task.startedBy ?? []
  })
}

/** `task` of StopTask, `tasks` of DescribeTasks. */
const taskReferences = (input: unknown): ReadonlyArray<string> =>
  [memberOf(input, "task"), memberOf(input, "tasks")].flat().filter((each) => typeof each === "string")

const memberOf = (input: unknown, name: string): unknown =>
  typeof input === "object" && input !== null ? Reflect.get(input, name) : undefined

const textOf = (input: unknown, name: string): string | undefined => {
  const value = memberOf(input, name)
  return typeof value === "string" ? value : undefined
}

/** The fault of a new launch; a replay of a token uses up none. */
export const takeLaunchFault = (
  world: World,
  region: string,
  input: Sdk.RunTaskRequest,
  now: number
): Fault | undefined =>
  world.faults.take(now, (fault) => isOfLaunch(fault) && meets(world, fault, { action: "RunTask", region, input }))

/** The same operation, except that faults of a call happen to it. */
export const spoilt =
  <Input, Output>(world: World, action: string, operation: Operation<Input, Output>): Operation<Input, Output> =>
  (region, input) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const call = { action, region, input }
      const fault = world.faults.take(now, (each) => !isOfLaunch(each) && meets(world, each, call))
      const done = operation(region, input)
      return fault === undefined ? done : happening(world, fault, done)
    })

const happening = <Output>(
  world: World,
  fault: Fault,
  done: Effect.Effect<Output, AwsException>
): Effect.Effect<Output, AwsException> => {
  if (fault.error !== undefined) return Effect.fail(exceptionOf(fault.error))
  if (fault.reset === "before") return Effect.fail(lostConnection)
  if (fault.reset === "after") return Effect.andThen(Effect.exit(done), Effect.fail(lostConnection))
  if (fault.staleVersions !== undefined) return Effect.map(done, staleAnswer(world, fault, fault.staleVersions))
  const millis = (fault.delaySeconds ?? 0) * 1000
  return Effect.flatMap(Effect.exit(done), (answer) => Effect.andThen(Effect.sleep(millis), answer))
}

/** The answer of DescribeTasks with the tasks that the fault is about as they were some versions before. */
const staleAnswer =
  (world: World, { startedBy }: Fault, versions: number) =>
  <Output>(answer: Output): Output => {
    const tasks: unknown = memberOf(answer, "tasks")
    if (!Array.isArray(tasks)) return answer
    const older = (task: Sdk.Task): Sdk.Task => {
      if (startedBy !== undefined && !isStarter(task.startedBy ?? "", startedBy)) return task
      const key = parseTaskArn(task.taskArn ?? "")
      const earlier = (key === undefined ? undefined : findTask(world, key)?.earlier) ?? []
      return earlier.at(-versions) ?? earlier[0] ?? task
    }
    return { ...answer, tasks: tasks.map(older) }
  }

/** All operations of a service, each `spoilt`. */
export const allSpoilt = <Operations extends object>(world: World, operations: Operations): Operations =>
  Object.fromEntries(
    Object.entries(operations).map(([action, operation]) => [action, spoilt(world, action, operation)])
  ) as Operations

const exceptionOf = ({ name, message, status, resourceIds }: NonNullable<Fault["error"]>): AwsException => ({
  __type: name,
  message,
  ...(resourceIds === undefined ? {} : { resourceIds }),
  ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } })
})

/** As the SDK shows a reset connection. */
const lostConnection: AwsException = { __type: "TimeoutError", message: "read ECONNRESET", code: "ECONNRESET" }
