import { Effect, Result, Stream } from "effect"
import { type BusMessage, text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import type { Codec } from "#ecs-core/Codec.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { type Run, RunCodec } from "#ecs-core/Run.ts"
import { BucketNames, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { launchedTasks } from "./LocalAws.ts"
import { onceThere } from "./runs.ts"

/** Waiting for facts about a run, and reading what there is. */

const decoded =
  <A>(codec: Codec<A>) =>
  (message: BusMessage): A =>
    Result.getOrThrow(codec.decode(text(message)))

/** The first message on a subject, stored or still to come, that is as wanted. */
export const firstThat = Effect.fnUntraced(function* <A>(
  place: { readonly stream: string; readonly subject: string },
  codec: Codec<A>,
  isIt: (message: A) => boolean
) {
  const all = (yield* Messages).replay({ ...place, follow: true }).pipe(Stream.map(decoded(codec)))
  return yield* Effect.flatMap(onceThere(Stream.runHead(Stream.filter(all, isIt))), Effect.fromOption)
})

/** Every message that is stored on a subject now, decoded. */
export const all = Effect.fnUntraced(function* <A>(subject: string, codec: Codec<A>) {
  const messages = (yield* Messages).replay({ stream: Streams.fleet, subject, follow: false })
  return (yield* Stream.runCollect(messages)).map(decoded(codec))
})

/** The fact that ECS moved the attempt's task there. */
export const taskWhen = (runId: string, lastStatus: string, attempt = 1) =>
  firstThat(
    { stream: Streams.fleet, subject: Subjects.taskChanged(runId, attempt) },
    Codecs.taskChanged,
    (fact) => fact.lastStatus === lastStatus
  )

/** What was told of the attempt's task, in order. */
export const statusesOf = (runId: string, attempt = 1) =>
  Effect.map(all(Subjects.taskChanged(runId, attempt), Codecs.taskChanged), (facts) =>
    facts.map(({ lastStatus }) => lastStatus)
  )

/** The run's record, as soon as it is as wanted. */
export const recordWhen = (runId: string, isIt: (run: Run) => boolean) =>
  firstThat({ stream: `KV_${BucketNames.runs}`, subject: `$KV.${BucketNames.runs}.${runId}` }, RunCodec, isIt)

/** Every task that was launched for a run, in order. */
export const tasksOf = (runId: string) =>
  Effect.map(launchedTasks, (tasks) => tasks.filter(({ startedBy }) => startedBy?.split("/")[1] === runId))
