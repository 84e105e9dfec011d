import { Effect, Option, Result } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { AwsFailure } from "#ecs-core/errors.ts"
import { Codecs, type TaskdefReady } from "#ecs-core/Messages.ts"
import { startedBy } from "#ecs-core/RunTaskInput.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { lastFact } from "#process/Handling.ts"
import type { Evidence } from "./evidence.ts"
import type { Fleet } from "./Fleet.ts"
import { launchedOf } from "./launch.ts"
import type { LaunchedTask } from "./settle.ts"

/** What is stored about the attempt's launch, by leader reads. */
export const readEvidence = (
  { messages }: Fleet,
  { runId, attempt }: TaskdefReady
): Effect.Effect<Evidence, BusUnavailable> =>
  Effect.gen(function* () {
    const called = yield* messages.last(Streams.fleet, Subjects.taskLaunching(runId, attempt))
    const deferred = yield* lastFact(messages, Subjects.taskDeferred(runId, attempt), Codecs.taskDeferred)
    const rejected = yield* messages.last(Streams.fleet, Subjects.taskRejected(runId, attempt))
    const marker = Option.flatMap(called, (last) =>
      Option.map(Result.getSuccess(Codecs.taskLaunching.decode(text(last))), (message) => ({ seq: last.seq, message }))
    )
    return { marker: Option.getOrUndefined(marker), deferred, isRejected: Option.isSome(rejected) }
  })

/** The attempt's task as ECS knows it by `startedBy`, where there is one that has not stopped. */
export const findTask = (fleet: Fleet, order: TaskdefReady): Effect.Effect<LaunchedTask | undefined, AwsFailure> =>
  Effect.gen(function* () {
    const listed = fleet.ecs.listTasks(order.target, order.runTask.cluster, ownerOf(fleet, order))
    const arns = yield* fleet.pace.paced("readTasks", order.target)(listed)
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
  const described = fleet.ecs.describeTasks(order.target, order.runTask.cluster, asked)
  return Effect.flatMap(fleet.pace.paced("readTasks", order.target)(described), ({ tasks }) => {
    const task = tasks
      .filter(({ startedBy }) => startedBy === ownerOf(fleet, order))
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

const ownerOf = ({ fleetId }: Fleet, { runId, attempt }: TaskdefReady): string => startedBy(fleetId, runId, attempt)
