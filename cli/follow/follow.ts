import { Deferred, Effect, Option, Result, Stream } from "effect"
import type { Buckets } from "#bus/Bucket.ts"
import type { BusUnavailable } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { RunCodec } from "#ecs-core/Run.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { runLines } from "./lines.ts"
import { openRuns } from "./records.ts"
import { beginning, type FollowEvent, type FollowItem, reduce } from "./reduce.ts"
import { isCut } from "./select.ts"

/** After `run.finished`, the end of the lines is waited for at most this long; a log-streamer drains in less. */
export const LINES_END_SECONDS = 70

/** A dispatcher takes a request in milliseconds; after this long something must be said. */
export const DISPATCHER_SECONDS = 5

/** All there is to show of a run, from its beginning to its outcome; ends with the item `finished`. `more`: other news of it. */
export const follow = <R>(
  runId: string,
  more: Stream.Stream<FollowEvent, BusUnavailable, R>
): Stream.Stream<FollowItem, BusUnavailable, Messages | Buckets | R> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const over = yield* Deferred.make<void>()
      const sources: ReadonlyArray<Stream.Stream<FollowEvent, BusUnavailable, Messages | Buckets | R>> = [
        records(runId),
        more,
        lines(runId),
        outcome(runId).pipe(Stream.tap(() => Deferred.succeed(over, undefined))),
        after("dispatcherOverdue", Effect.sleep(`${DISPATCHER_SECONDS} seconds`)),
        after("logsOverdue", Effect.andThen(Deferred.await(over), Effect.sleep(`${LINES_END_SECONDS} seconds`)))
      ]
      return Stream.mergeAll(sources, { concurrency: "unbounded" }).pipe(
        Stream.mapAccum(
          () => beginning,
          (following, event: FollowEvent) => reduce(following, event)
        ),
        Stream.takeUntil((item) => item.kind === "finished")
      )
    })
  )

/** The outcome of a run, as soon as there is one. */
export const outcome = (runId: string) =>
  Stream.unwrap(
    Messages.useSync((messages) =>
      messages.replay({ stream: Streams.fleet, subject: Subjects.runFinished(runId), follow: true })
    )
  ).pipe(
    Stream.map((message) => Codecs.runFinished.decode(text(message))),
    decoded,
    Stream.map((finished) => ({ kind: "finished" as const, finished })),
    Stream.take(1)
  )

export const records = (runId: string) =>
  Stream.unwrap(Effect.map(openRuns, (runs) => runs.watch(runId))).pipe(
    Stream.map((entry) => RunCodec.decode(text({ data: entry.value }))),
    decoded,
    Stream.map((run) => ({ kind: "record" as const, run }))
  )

/** What a program wrote and what the fleet has to say of it; what other containers wrote is for `fleet logs`. */
const lines = (runId: string) =>
  runLines(runId, { follow: true, containers: { kind: "own" }, wanted: {} }).pipe(
    Stream.map((item): FollowEvent => {
      if (item.kind === "line") return item
      const { end } = item.done
      return { kind: "linesEnded", lines: end === undefined || isCut(end) ? "cut" : "complete" }
    })
  )

const after = (kind: "dispatcherOverdue" | "logsOverdue", moment: Effect.Effect<void>): Stream.Stream<FollowEvent> =>
  Stream.fromEffect(Effect.as(moment, { kind }))

/** What a newer version of a service wrote and we cannot read is passed over: the rest is worth showing. */
const decoded = <A, X, E, R>(stream: Stream.Stream<Result.Result<A, X>, E, R>): Stream.Stream<A, E, R> =>
  stream.pipe(
    Stream.map(Result.getSuccess),
    Stream.filter(Option.isSome),
    Stream.map(({ value }) => value)
  )
