import { Effect, Option, Result, Stream } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { type BusMessage, text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Filters, Streams } from "#ecs-core/Subjects.ts"
import { onceThere, request } from "#test/support/runs.ts"

/** Requests that are on their way at a time. */
const AT_ONCE = 100

/** A request, and the id of its run. */
export interface Wanted {
  readonly runId: string
  readonly job: unknown
}

/** `count` runs with ids of this prefix, of the job that is made for each. */
export const wanted = (prefix: string, count: number, jobOf: (at: number) => unknown): ReadonlyArray<Wanted> =>
  Array.from({ length: count }, (_, at) => ({ runId: `${prefix}-${at}`, job: jobOf(at) }))

/** Hands all in as fast as they are taken, and ends when each has finished and its lines have their end. None may fail. */
export const runAll = (all: ReadonlyArray<Wanted>) =>
  Effect.gen(function* () {
    const [facts, lines] = [yield* behind(Streams.fleet), yield* behind(Streams.logs)]
    yield* Effect.forEach(all, ({ job, runId }) => request(job, runId), { concurrency: AT_ONCE, discard: true })
    const [finished] = yield* Effect.all(
      [
        taken({ stream: Streams.fleet, subject: Filters.runFinished, fromSeq: facts }, all.length, () => true),
        taken({ stream: Streams.logs, subject: Filters.logs[0], fromSeq: lines }, all.length, isEndOfLines)
      ],
      { concurrency: "unbounded" }
    )
    const ends = finished.map((message) => Result.getOrThrow(Codecs.runFinished.decode(text(message))))
    const failed = ends.filter(({ outcome }) => outcome !== "succeeded")
    if (failed.length > 0) return yield* Effect.die(`${failed.length} runs failed: ${JSON.stringify(failed[0])}`)
  })

/** The sequence behind the last message of a stream. */
const behind = (stream: string) =>
  Effect.flatMap(Messages, (messages) =>
    Effect.map(onceThere(messages.last(stream, ">")), (last) =>
      Option.match(last, { onNone: () => 1, onSome: ({ seq }) => seq + 1 })
    )
  )

const isEndOfLines = (message: BusMessage): boolean => isEnd(Result.getOrThrow(LogCodecs.message.decode(text(message))))

const taken = (
  from: { readonly stream: string; readonly subject: string; readonly fromSeq: number },
  count: number,
  isWanted: (message: BusMessage) => boolean
): Effect.Effect<ReadonlyArray<BusMessage>, BusUnavailable, Messages> =>
  Effect.flatMap(Messages, (messages) =>
    messages.replay({ ...from, follow: true }).pipe(Stream.filter(isWanted), Stream.take(count), Stream.runCollect)
  )
