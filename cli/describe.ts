import { Clock, Effect, Option, Result } from "effect"
import { Command } from "effect/cli"
import { text } from "#bus/Message.ts"
import { isEnd, LogCodecs, type LogEnd } from "#ecs-core/LogLine.ts"
import { mask } from "#ecs-core/Mask.ts"
import { connected } from "./connected.ts"
import { findRun, lastLines } from "./findRun.ts"
import { option, runArgument } from "./flags.ts"
import { joinPieces, nothingHeld, releaseHeld } from "./follow/join.ts"
import { Output } from "./Output.ts"
import { placeOf } from "./queue.ts"
import { describeText, type EndShown } from "./render/describe.ts"

export const describe = Command.make(
  "describe",
  {
    run: runArgument,
    json: option("json", "The whole record as JSON, with the end of its lines")
  },
  ({ run, json }) => connected(describeRun(run, json))
).pipe(
  Command.withDescription("Show all that is known of a run: timeline, attempts, task ARN, problems and advice"),
  Command.withExamples([{ command: "fleet describe r-4j8x0m2kqz", description: "one run" }])
)

export const describeRun = Effect.fnUntraced(function* (given: string, json: boolean) {
  const run = yield* findRun(given)
  const end = yield* logEnd(run.runId)
  const place = yield* placeOf(run)
  const { out, outStyle, outColumns } = yield* Output
  if (json) {
    const record = {
      ...run,
      request: mask(run.request),
      ...(end === undefined ? {} : { logEnd: end }),
      ...(place === undefined ? {} : { queue: place })
    }
    return yield* out(`${JSON.stringify(record, undefined, 2)}\n`)
  }
  yield* out(describeText(outStyle, run, yield* Clock.currentTimeMillis, outColumns, { end, place }))
})

/** What the end marker of a run's lines says, its last lines whole; undefined while there is none. */
const logEnd = Effect.fnUntraced(function* (runId: string) {
  const last = yield* lastLines(runId)
  const message = Option.isNone(last)
    ? undefined
    : Result.getOrElse(LogCodecs.message.decode(text(last.value)), () => undefined)
  return message !== undefined && isEnd(message) ? withWholeLines(message.end) : undefined
})

const withWholeLines = ({ tail, ...end }: LogEnd["end"]): EndShown => {
  if (tail === undefined) return end
  const [held, whole] = joinPieces(nothingHeld, 1, tail)
  return {
    ...end,
    tail: [...whole, ...releaseHeld(held)].map(({ container, time, text }) => ({ time, container, text }))
  }
}
