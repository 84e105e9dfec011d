import { Effect, Option, Result, Stream } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import type { Messages } from "#bus/Messages.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { Filters, Streams } from "#ecs-core/Subjects.ts"

/**
 * The launch of a task by its ARN, whatever became of its run; undefined = this fleet launched no such task within the
 * age of its stream. Reads every `task.started` up to it: a question of operators, now and then.
 */
export const launchOf = (
  messages: typeof Messages.Service,
  taskArn: string
): Effect.Effect<TaskStarted | undefined, BusUnavailable> =>
  messages.replay({ stream: Streams.fleet, subject: Filters.taskStarted, follow: false }).pipe(
    Stream.map(text),
    Stream.filter((each) => each.includes(taskArn)),
    Stream.map((each) => Result.getSuccess(Codecs.taskStarted.decode(each))),
    Stream.filter(Option.isSome),
    Stream.map(({ value }) => value),
    Stream.filter((started) => started.taskArn === taskArn),
    Stream.runHead,
    Effect.map(Option.getOrUndefined)
  )
