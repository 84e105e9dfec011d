import { Effect, Option, Result, Schedule, Stream } from "effect"
import { BusUnavailable } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { isEnd, LogCodecs, type LogEnd, type LogLine } from "#ecs-core/LogLine.ts"
import { Codecs, type RunFinished } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"

/** Publishes a request as any producer would; answers the run's id. */
export const request = Effect.fnUntraced(function* (body: unknown, runId?: string) {
  const data = typeof body === "string" ? body : JSON.stringify(body)
  const { seq } = yield* (yield* Publisher).publish({
    stream: Streams.inbox,
    subject: Subjects.runRequested(runId),
    data
  })
  const own = typeof body === "object" && body !== null ? Reflect.get(body, "runId") : undefined
  return runId ?? (typeof own === "string" ? own : `run-${seq}`)
})

export const cancel = Effect.fnUntraced(function* (runId: string, reason?: string) {
  const data = JSON.stringify(reason === undefined ? {} : { reason })
  yield* (yield* Publisher).publish({ stream: Streams.fleet, subject: Subjects.runCancel(runId), data })
})

/** Services that have just been started may still be creating the streams. */
export const onceThere = <A, E, R>(reading: Effect.Effect<A, E | BusUnavailable, R>) =>
  Effect.retry(reading, {
    while: (error) => error instanceof BusUnavailable && error.reason === "Missing",
    schedule: Schedule.spaced("50 millis")
  })

/** The first message on a subject, stored or still to come. */
export const firstOn = Effect.fnUntraced(function* (stream: string, subject: string) {
  const messages = yield* Messages
  const first = yield* onceThere(Stream.runHead(messages.replay({ stream, subject, follow: true })))
  return yield* Effect.fromOption(first)
})

/** How a run ended, as soon as it has. */
export const finished = Effect.fnUntraced(function* (runId: string) {
  const message = yield* firstOn(Streams.fleet, Subjects.runFinished(runId))
  return Result.getOrThrow(Codecs.runFinished.decode(text(message)))
})

/** Waits until this many messages are on a subject (wildcards allowed) and gives them in order. */
export const take = Effect.fnUntraced(function* (stream: string, subject: string, count: number) {
  const messages = yield* Messages
  return yield* onceThere(
    messages.replay({ stream, subject, follow: true }).pipe(Stream.take(count), Stream.runCollect)
  )
})

/** Every message that is stored on a subject now. */
export const stored = Effect.fnUntraced(function* (stream: string, subject: string) {
  return yield* Stream.runCollect((yield* Messages).replay({ stream, subject, follow: false }))
})

export interface Output {
  readonly lines: ReadonlyArray<LogLine>
  readonly end: LogEnd["end"]
}

/** A run's whole output, up to its end marker. */
export const output = Effect.fnUntraced(function* (runId: string) {
  const messages = yield* Messages
  const all = yield* messages.replay({ stream: Streams.logs, subject: Subjects.logs(runId), follow: true }).pipe(
    Stream.map((message) => Result.getOrThrow(LogCodecs.message.decode(text(message)))),
    Stream.takeUntil(isEnd),
    Stream.runCollect
  )
  const end = yield* Effect.fromOption(Option.fromUndefinedOr(all.find(isEnd)))
  return { lines: all.flatMap((message) => (isEnd(message) ? [] : message.lines)), end: end.end } satisfies Output
})

/** All ends of many runs, by run id. */
export const allFinished = (
  runIds: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<RunFinished>, unknown, Messages> =>
  Effect.map(take(Streams.fleet, "run.finished.*", runIds.length), (messages) =>
    messages.map((message) => Result.getOrThrow(Codecs.runFinished.decode(text(message))))
  )
