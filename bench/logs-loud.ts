import { Console, Effect, Result } from "effect"
import { type BusMessage, text } from "#bus/Message.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { firstThat } from "#test/support/follow.ts"
import { finished, output, request, stored } from "#test/support/runs.ts"
import { seconds, startFleet } from "./fleet.ts"

/** One run that writes 50,000 lines as fast as it can, read under AWS's quotas. */

const LINES = 50_000
const GOAL_MILLIS = 10_000

const job = {
  image: "local/shell",
  executionRoleArn: "arn:aws:iam::000000000000:role/logs",
  command: ["simulate", "--lines", String(LINES), "--seconds", "1"]
}

const hasLines = (stored: BusMessage): boolean => {
  const message = Result.getOrThrow(LogCodecs.message.decode(text(stored)))
  return !isEnd(message) && message.lines.length > 0
}

export const loud = Effect.gen(function* () {
  yield* startFleet(1)
  const runId = yield* request(job)
  yield* finished(runId)
  const { end, lines } = yield* output(runId)
  const isWhole = end.complete && lines.every(({ text }, at) => text === `line ${at + 1} of ${LINES}`)
  const stopped = yield* firstThat(
    { stream: Streams.fleet, subject: Subjects.taskStopped(runId, 1) },
    Codecs.taskStopped,
    () => true
  )
  const endedAt = millisOf(stopped.times.executionStoppedAt ?? stopped.at)
  const batches = yield* stored(Streams.logs, Subjects.logs(runId))
  const lateMillis = (batches.findLast(hasLines)?.time ?? Number.NaN) - endedAt
  const isGood = isWhole && lines.length === LINES && lateMillis <= GOAL_MILLIS
  yield* Console.log(
    `loud: ${isGood ? "ok" : "FAILED"}; ${lines.length} of ${LINES} lines, ${isWhole ? "in order" : "NOT in order or not whole"}, ` +
      `the last one ${seconds(lateMillis)} after the program's end, of at most ${seconds(GOAL_MILLIS)}`
  )
  return isGood
})
