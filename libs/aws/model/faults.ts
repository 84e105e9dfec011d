import type * as Sdk from "@aws-sdk/client-ecs"
import { Clock, Effect } from "effect"
import type { AwsException } from "./AwsException.ts"
import { Caller } from "./Caller.ts"
import { type BatchFault, everyAction, type Fault, isOfLaunch, isOfLogs } from "./Fault.ts"
import { groupNameOf } from "./logGroups.ts"
import type { Operation } from "./Operations.ts"
import { Paging } from "./Paging.ts"
import { clusterName, findTask, parseTaskArn, type World } from "./World.ts"

/** What a fault may look at to know its calls. */
interface Call {
  readonly action: string
  readonly region: string
  readonly input: unknown
  /** Access key id; a task's own log driver has none. */
  readonly caller?: string | undefined
}

const meets = (world: World, fault: Fault, call: Call): boolean =>
  (fault.action === everyAction || fault.action === call.action) &&
  (fault.accessKeyId === undefined || fault.accessKeyId === call.caller) &&
  (fault.cluster === undefined || clusterName(fault.cluster) === clusterName(textOf(call.input, "cluster"))) &&
  (fault.logGroup === undefined || fault.logGroup === groupNameOf(logGroupIn(call.input))) &&
  (fault.startedBy === undefined || startersOf(world, call).some((each) => isStarter(each, fault.startedBy ?? "")))

const isStarter = (startedBy: string, wanted: string): boolean =>
  startedBy.startsWith(wanted) || startedBy.split("/").includes(wanted)

/** Who started the tasks that a call is about, or those whose log streams it is about. */
const startersOf = (world: World, call: Call): ReadonlyArray<string> => {
  const { region, input } = call
  const own = textOf(input, "startedBy")
  if (own !== undefined) return [own]
  const cluster = clusterName(textOf(input, "cluster"))
  const ofTasks = textsOf(input, "task", "tasks").flatMap((reference) => {
    const key = parseTaskArn(reference) ?? { region, cluster, id: reference }
    return findTask(world, key)?.task.startedBy ?? []
  })
  return [...ofTasks, ...startersOfStreams(world, call)]
}

const startersOfStreams = (world: World, { region, input }: Call): ReadonlyArray<string> => {
  const group = world.regions.get(region)?.logs.groups.get(groupNameOf(logGroupIn(input)))
  if (group === undefined) return []
  const named = textsOf(input, "logStreamName", "logStreamNames")
  const prefix = textOf(input, "logStreamNamePrefix")
  const streams =
    named.length > 0
      ? named.map((name) => group.streams.get(name))
      : [...group.streams.values()].filter(({ name }) => name.startsWith(prefix ?? ""))
  return streams.flatMap((stream) => stream?.startedBy ?? [])
}

const logGroupIn = (input: unknown) => ({
  logGroupName: textOf(input, "logGroupName"),
  logGroupIdentifier: textOf(input, "logGroupIdentifier")
})

/** Members that are a text or a list of texts, e.g. `task` of StopTask and `tasks` of DescribeTasks. */
const textsOf = (input: unknown, ...names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.flatMap((name) => memberOf(input, name)).filter((each) => typeof each === "string")

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

/** A log stream, as far as faults of it look. */
export interface StreamPlace {
  readonly region: string
  readonly group: string
  readonly stream: string
  /** Of the task whose output it is. */
  readonly startedBy?: string | undefined
}

const takeLogFault = (world: World, action: string, place: StreamPlace, now: number): Fault | undefined => {
  const { region, group, stream, startedBy } = place
  const input = { logGroupName: group, logStreamName: stream, ...(startedBy === undefined ? {} : { startedBy }) }
  return world.faults.take(now, (fault) => isOfLogs(fault) && meets(world, fault, { action, region, input }))
}

/** What befalls the next batch of a log stream, whoever writes it. */
export const takeBatchFault = (world: World, place: StreamPlace, now: number): BatchFault | undefined =>
  takeLogFault(world, "PutLogEvents", place, now)?.batch

/** How long nobody is told of a stream that is new. */
export const takeMissingSeconds = (world: World, place: StreamPlace, now: number): number | undefined =>
  takeLogFault(world, "CreateLogStream", place, now)?.missingSeconds

/** The same operation, except that faults of a call happen to it. */
export const spoilt =
  <Input, Output>(world: World, action: string, operation: Operation<Input, Output>): Operation<Input, Output> =>
  (region, input) =>
    Effect.gen(function* () {
      const [now, caller] = [yield* Clock.currentTimeMillis, yield* Caller]
      const call = { action, region, input, caller }
      const isOfCall = (fault: Fault) => !isOfLaunch(fault) && !isOfLogs(fault)
      const fault = world.faults.take(now, (each) => isOfCall(each) && meets(world, each, call))
      const done = operation(region, input)
      return yield* fault === undefined ? done : happening(world, fault, done)
    })

const happening = <Output>(
  world: World,
  fault: Fault,
  done: Effect.Effect<Output, AwsException>
): Effect.Effect<Output, AwsException> => {
  if (fault.error !== undefined) return Effect.fail(exceptionOf(fault.error))
  if (fault.reset === "before") return Effect.fail(lostConnection)
  if (fault.reset === "after") return Effect.andThen(Effect.exit(done), Effect.fail(lostConnection))
  if (fault.page !== undefined) return Effect.provideService(done, Paging, fault.page)
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
